import type { Value } from '../values/objects.ts'
import type { Operator } from '../values/operators.ts'

/** Expressions. `depth` says how many nodes lie inside one another. */
export type Expression =
  | Constant
  | Name
  | Sequence
  | Pairs
  | Attribute
  | Item
  | Slice
  | CallNode
  | FilterNode
  | TestNode
  | Unary
  | Binary
  | Concat
  | Compare
  | Logic
  | Conditional

interface Node {
  readonly line: number
  readonly depth: number
}

export interface Constant extends Node {
  readonly kind: 'constant'
  readonly value: Value
}
export interface Name extends Node {
  readonly kind: 'name'
  readonly name: string
}
export interface Sequence extends Node {
  readonly kind: 'list' | 'tuple'
  readonly items: readonly Expression[]
}
export interface Pairs extends Node {
  readonly kind: 'dict'
  readonly pairs: readonly (readonly [Expression, Expression])[]
}
export interface Attribute extends Node {
  readonly kind: 'attribute'
  readonly of: Expression
  readonly name: string
}
export interface Item extends Node {
  readonly kind: 'item'
  readonly of: Expression
  readonly key: Expression
}
export interface Slice extends Node {
  readonly kind: 'slice'
  readonly of: Expression
  readonly start: Expression | undefined
  readonly stop: Expression | undefined
  readonly step: Expression | undefined
}

export interface Arguments {
  readonly args: readonly Expression[]
  readonly kwargs: readonly (readonly [string, Expression])[]
  readonly moreArgs: Expression | undefined
  readonly moreKwargs: Expression | undefined
}
export interface CallNode extends Node {
  readonly kind: 'call'
  readonly of: Expression
  readonly arguments: Arguments
}
export interface FilterNode extends Node {
  readonly kind: 'filter'
  /** Undefined in a filter block: what the block rendered. */
  readonly of: Expression | undefined
  readonly name: string
  readonly arguments: Arguments
}
export interface TestNode extends Node {
  readonly kind: 'test'
  readonly of: Expression
  readonly name: string
  readonly arguments: Arguments
}
export interface Unary extends Node {
  readonly kind: 'unary'
  readonly op: '-' | '+' | 'not'
  readonly of: Expression
}
export interface Binary extends Node {
  readonly kind: 'binary'
  readonly op: Operator
  readonly left: Expression
  readonly right: Expression
}
export interface Concat extends Node {
  readonly kind: 'concat'
  readonly parts: readonly Expression[]
}

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in'
export interface Compare extends Node {
  readonly kind: 'compare'
  readonly first: Expression
  readonly rest: readonly (readonly [Comparison, Expression])[]
}
export interface Logic extends Node {
  readonly kind: 'and' | 'or'
  readonly left: Expression
  readonly right: Expression
}
export interface Conditional extends Node {
  readonly kind: 'conditional'
  readonly test: Expression
  readonly value: Expression
  readonly otherwise: Expression | undefined
}

/** What a value is assigned to. */
export type Target =
  | { readonly kind: 'name'; readonly name: string; readonly line: number }
  | { readonly kind: 'field'; readonly name: string; readonly field: string; readonly line: number }
  | { readonly kind: 'tuple'; readonly items: readonly Target[]; readonly line: number }

export interface Parameter {
  readonly name: string
  readonly standard: Expression | undefined
}

/** Statements. */
export type Statement =
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  | { readonly kind: 'print'; readonly value: Expression; readonly line: number }
  | For
  | If
  | { readonly kind: 'set'; readonly target: Target; readonly value: Expression; readonly line: number }
  | SetBlock
  | With
  | Macro
  | CallBlock
  | { readonly kind: 'filter block'; readonly filter: FilterNode; readonly body: Body; readonly line: number }
  | { readonly kind: 'scope'; readonly body: Body; readonly line: number }
  | { readonly kind: 'capture'; readonly body: Body; readonly line: number }
  | { readonly kind: 'autoescape'; readonly on: Expression; readonly body: Body; readonly line: number }
  | { readonly kind: 'break' | 'continue'; readonly line: number }

export type Body = readonly Statement[]

export interface For {
  readonly kind: 'for'
  readonly target: Target
  readonly over: Expression
  readonly test: Expression | undefined
  readonly recursive: boolean
  readonly body: Body
  readonly otherwise: Body
  readonly line: number
}
export interface If {
  readonly kind: 'if'
  readonly branches: readonly { readonly test: Expression; readonly body: Body }[]
  readonly otherwise: Body
  readonly line: number
}
export interface SetBlock {
  readonly kind: 'set block'
  readonly target: Target
  readonly filter: FilterNode | undefined
  readonly body: Body
  readonly line: number
}
export interface With {
  readonly kind: 'with'
  readonly targets: readonly (readonly [Target, Expression])[]
  readonly body: Body
  readonly line: number
}
export interface Macro {
  readonly kind: 'macro'
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly body: Body
  readonly line: number
}
export interface CallBlock {
  readonly kind: 'call block'
  readonly parameters: readonly Parameter[]
  readonly call: CallNode
  readonly body: Body
  readonly line: number
}
