import type { Body, Expression, Statement, Target } from './ast.ts'
import { partsOf } from './expressions.ts'

/** The parts of an expression. */
function children(node: Expression): readonly (Expression | undefined)[] {
  switch (node.kind) {
    case 'constant':
    case 'name':
      return []
    case 'list':
    case 'tuple':
      return node.items
    case 'dict':
      return node.pairs.flat()
    case 'attribute':
    case 'unary':
      return [node.of]
    case 'item':
      return [node.of, node.key]
    case 'slice':
      return [node.of, node.start, node.stop, node.step]
    case 'call':
    case 'filter':
    case 'test':
      return [node.of, ...partsOf(node.arguments)]
    case 'binary':
    case 'and':
    case 'or':
      return [node.left, node.right]
    case 'concat':
      return node.parts
    case 'compare':
      return [node.first, ...node.rest.map(([, part]) => part)]
    case 'conditional':
      return [node.test, node.value, node.otherwise]
  }
}

/** Calls `visit` with every name that an expression reads. */
export function eachName(node: Expression | undefined, visit: (name: string) => void): void {
  if (node === undefined) return
  if (node.kind === 'name') visit(node.name)
  for (const child of children(node)) eachName(child, visit)
}

/** Calls `visit` with every name that a target assigns, `field` with every namespace it sets a field of. */
export function eachTarget(target: Target, visit: (name: string) => void, field: (name: string) => void): void {
  if (target.kind === 'name') visit(target.name)
  else if (target.kind === 'field') field(target.name)
  else for (const item of target.items) eachTarget(item, visit, field)
}

/** The statements inside a statement. */
function bodies(node: Statement): readonly Body[] {
  switch (node.kind) {
    case 'for':
      return [node.body, node.otherwise]
    case 'if':
      return [...node.branches.map(branch => branch.body), node.otherwise]
    case 'set block':
    case 'with':
    case 'macro':
    case 'call block':
    case 'filter block':
    case 'scope':
    case 'capture':
    case 'autoescape':
      return [node.body]
    default:
      return []
  }
}

function expressions(node: Statement): readonly (Expression | undefined)[] {
  switch (node.kind) {
    case 'print':
    case 'set':
      return [node.value]
    case 'for':
      return [node.over, node.test]
    case 'if':
      return node.branches.map(branch => branch.test)
    case 'set block':
    case 'filter block':
      return [node.filter]
    case 'with':
      return node.targets.map(([, value]) => value)
    case 'macro':
      return node.parameters.map(parameter => parameter.standard)
    case 'call block':
      return [node.call, ...node.parameters.map(parameter => parameter.standard)]
    case 'autoescape':
      return [node.on]
    default:
      return []
  }
}

function targets(node: Statement): readonly Target[] {
  if (node.kind === 'for' || node.kind === 'set' || node.kind === 'set block') return [node.target]
  return node.kind === 'with' ? node.targets.map(([target]) => target) : []
}

/** Names that a body reads anywhere inside, macros included. */
export function namesRead(body: Body, names = new Set<string>()): Set<string> {
  for (const node of body) {
    for (const part of expressions(node)) eachName(part, name => names.add(name))
    for (const inner of bodies(node)) namesRead(inner, names)
  }
  return names
}

/** Whether a body assigns this name anywhere inside. */
export function assigns(body: Body, wanted: string): boolean {
  return body.some(node => {
    let found = false
    for (const target of targets(node)) {
      eachTarget(
        target,
        name => {
          found ||= name === wanted
        },
        () => {},
      )
    }
    return found || bodies(node).some(inner => assigns(inner, wanted))
  })
}
