import { typeError } from '../errors.ts'
import { str } from '../format/print.ts'
import type { Body, CallBlock, Macro, Parameter } from '../syntax/ast.ts'
import { eachName, namesRead } from '../syntax/names.ts'
import { syntaxError } from '../syntax/tokens.ts'
import { call } from '../values/attributes.ts'
import { makeDict } from '../values/compare.ts'
import { Func, type Kwargs, orElse, Tuple, type Value } from '../values/objects.ts'
import { quotedName, undefinedBecause } from '../values/undefined.ts'
import { type CompileBody, capture, type Exec } from './exec.ts'
import { compileArguments, compileExpression } from './expressions.ts'
import { enterFrame, type Frame, functionFrame } from './frame.ts'
import { Activation, type Run } from './run.ts'

/** Makes the macro, as a function of the place where it is defined. */
type Define = (run: Run, at: Activation) => Func

interface Callable {
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly body: Body
  readonly line: number
}

function compileCallable(node: Callable, outer: Frame, compileBody: CompileBody): Define {
  const frame = functionFrame(outer)
  const { symbols } = frame
  const names = node.parameters.map(parameter => parameter.name)
  for (const name of names) symbols.parameter(name)
  const read = namesRead(node.body)
  const explicitCaller = names.indexOf('caller')
  if (read.has('caller') && explicitCaller >= 0 && node.parameters[explicitCaller]!.standard === undefined) {
    throw syntaxError(
      'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
      node.line,
    )
  }
  const special = (name: string) => {
    if (!read.has(name) || names.includes(name)) return undefined
    symbols.parameter(name)
    return symbols.find(name)!.slot
  }
  const slots = { caller: special('caller'), kwargs: special('kwargs'), varargs: special('varargs') }
  for (const { standard } of node.parameters) eachName(standard, name => symbols.load(name))
  symbols.visit(node.body)
  const parameters = node.parameters.map(({ name, standard }) => ({
    name,
    slot: symbols.find(name)!.slot,
    standard: standard === undefined ? undefined : compileExpression(standard, frame),
  }))
  const body = compileBody(node.body, frame)
  const enter = enterFrame(frame)
  const { scope } = symbols
  const shown = quotedName(node.name)

  const bind = (run: Run, at: Activation, args: readonly Value[], kwargs: Kwargs): void => {
    const rest = new Map(kwargs)
    parameters.forEach(({ name, slot }, i) => {
      at.slots[slot] = i < args.length ? args[i] : rest.get(name)
      if (i >= args.length) rest.delete(name)
    })
    if (slots.caller !== undefined) {
      at.slots[slots.caller] = orElse(rest.get('caller'), () => undefinedBecause('No caller defined'))
      rest.delete('caller')
    }
    if (slots.kwargs !== undefined) at.slots[slots.kwargs] = makeDict(run.work, rest)
    else if (rest.size > 0) {
      const [first] = rest.keys()
      throw typeError(
        rest.has('caller')
          ? `macro ${shown} was invoked with two values for the special caller argument. This is most likely a bug.`
          : `macro ${shown} takes no keyword argument ${quotedName(first!)}`,
      )
    }
    if (slots.varargs !== undefined) at.slots[slots.varargs] = new Tuple(args.slice(parameters.length))
    else if (args.length > parameters.length) {
      throw typeError(`macro ${shown} takes not more than ${parameters.length} argument(s)`)
    }
  }

  const attributes = new Map<string, Value>([
    ['name', node.name === '' ? null : node.name],
    ['arguments', new Tuple(names)],
    ['catch_kwargs', slots.kwargs !== undefined],
    ['catch_varargs', slots.varargs !== undefined],
    ['caller', read.has('caller')],
    ['explicit_caller', explicitCaller >= 0],
  ])
  return (run, defined) => {
    const invoke = (_: unknown, args: readonly Value[], kwargs: Kwargs): Value => {
      const { line } = run
      run.work.enter(scope.depth + 4)
      const at = new Activation(scope, defined)
      bind(run, at, args, kwargs)
      enter(run, at)
      for (const { name, slot, standard } of parameters) {
        if (at.slots[slot] !== undefined) continue
        at.slots[slot] = orElse(standard?.(run, at), () =>
          undefinedBecause(`parameter ${quotedName(name)} was not provided`),
        )
      }
      const [, text] = capture(run, () => body(run, at))
      run.work.leave(scope.depth + 4)
      run.line = line
      return text
    }
    return new Func(node.name, invoke, 'Macro', attributes)
  }
}

export function compileMacro(node: Macro, frame: Frame, compileBody: CompileBody): Exec {
  const define = compileCallable(node, frame, compileBody)
  const { slot } = frame.symbols.find(node.name)!
  return (run, at) => {
    const macro = define(run, at)
    at.slots[slot] = macro
    if (frame.top) run.variables.set(node.name, macro)
    return undefined
  }
}

export function compileCallBlock(node: CallBlock, frame: Frame, compileBody: CompileBody): Exec {
  const define = compileCallable({ ...node, name: '' }, frame, compileBody)
  const callee = compileExpression(node.call.of, frame)
  const given = compileArguments(node.call.arguments, frame)
  return (run, at) => {
    const caller = define(run, at)
    const of = callee(run, at)
    const [args, kwargs] = given(run, at)
    if (kwargs.has('caller')) throw typeError("got multiple values for keyword argument 'caller'")
    run.write(str(run.work, call(run.work, of, args, new Map([...kwargs, ['caller', caller]]))))
    return undefined
  }
}

/** `{% generation %}`: marks what an assistant wrote. It renders its body, as a function of its own. */
export function compileCapture(body: Body, frame: Frame, compileBody: CompileBody): Exec {
  const define = compileCallable({ name: '', parameters: [], body, line: 0 }, frame, compileBody)
  return (run, at) => void run.write(define(run, at).call(run.work, [], new Map()) as string)
}
