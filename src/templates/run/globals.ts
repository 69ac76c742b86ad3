import { Fault, Raised, typeError, valueError } from '../errors.ts'
import { str } from '../format/print.ts'
import { strftime } from '../format/strftime.ts'
import { fromKeys } from '../methods/containers.ts'
import { binder } from '../values/arguments.ts'
import { makeDict } from '../values/compare.ts'
import { textOf, toItems, typeName, wholeNumber } from '../values/inspect.ts'
import { checkFieldName } from '../values/namespace.ts'
import { Dict, Func, type Kwargs, Namespace, Range, type Value } from '../values/objects.ts'
import type { Work } from '../work.ts'

/** Most items of a range: the limit of Jinja's sandbox. */
const MAX_RANGE = 100_000

/** The global names of every chat template, as defined by Jinja and transformers. */
export function templateGlobals(now: Date): Map<string, Value> {
  const fromkeys = new Func('fromkeys', (work, args) => {
    if (args.length === 0 || args.length > 2) throw typeError('fromkeys takes one or two arguments')
    return fromKeys(work, args[0]!, args[1])
  })
  const values: [string, Value][] = [
    ['range', new Func('range', (_, args, kwargs) => range(args, kwargs))],
    [
      'dict',
      new Func(
        'dict',
        (work, args, kwargs) => dict(work, args, kwargs),
        'TemplateDict',
        new Map([['fromkeys', fromkeys]]),
      ),
    ],
    ['namespace', new Func('namespace', (work, args, kwargs) => namespace(work, args, kwargs), 'type')],
    ['cycler', new Func('cycler', (_, args) => cycler(args), 'type')],
    ['joiner', new Func('joiner', (work, args) => joiner(work, args[0] ?? ', '), 'type')],
    ['lipsum', new Func('lipsum', () => refuse('lipsum() is random, and a prompt must be the same every time'))],
    ['raise_exception', raiseException],
    ['strftime_now', strftimeNow(now)],
  ]
  return new Map(values)
}

function refuse(message: string): never {
  throw valueError(message)
}

const raiseException = new Func('raise_exception', (work, args, kwargs) => {
  const [message] = binder('raise_exception', 'message')(args, kwargs)
  throw new Raised(str(work, message!))
})

function strftimeNow(now: Date): Func {
  return new Func('strftime_now', (work, args, kwargs) => {
    const [format] = binder('strftime_now', 'format')(args, kwargs)
    const text = textOf(format)
    if (text === undefined) throw typeError(`strftime() argument 1 must be str, not ${typeName(format!)}`)
    return strftime(work, now, text)
  })
}

function range(args: readonly Value[], kwargs: Kwargs): Range {
  if (kwargs.size > 0) throw typeError('range() takes no keyword arguments')
  if (args.length === 0) throw typeError('range expected at least 1 argument, got 0')
  if (args.length > 3) throw typeError(`range expected at most 3 arguments, got ${args.length}`)
  const [first, second, step = 1] = args.map(wholeNumber)
  if (step === 0) throw valueError('range() arg 3 must not be zero')
  const made = second === undefined ? new Range(0, first!, 1) : new Range(first!, second, step)
  if (made.length > MAX_RANGE) {
    throw new Fault('OverflowError', `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`)
  }
  return made
}

/** What dict(…) and namespace(…) take: a mapping or pairs, and names. */
function pairsOf(work: Work, args: readonly Value[], kwargs: Kwargs): (readonly [Value, Value])[] {
  if (args.length > 1) throw typeError(`dict expected at most 1 argument, got ${args.length}`)
  const [source] = args
  let pairs: (readonly [Value, Value])[] = []
  if (source instanceof Dict) pairs = [...source.entries.values()]
  else if (source !== undefined) {
    pairs = toItems(work, source).map((item, i) => {
      const parts = toItems(work, item)
      if (parts.length === 2) return [parts[0]!, parts[1]!] as const
      throw valueError(`dictionary update sequence element #${i} has length ${parts.length}; 2 is required`)
    })
  }
  return [...pairs, ...kwargs]
}

function dict(work: Work, args: readonly Value[], kwargs: Kwargs): Dict {
  return makeDict(work, pairsOf(work, args, kwargs))
}

function namespace(work: Work, args: readonly Value[], kwargs: Kwargs): Namespace {
  const made = new Namespace()
  for (const [key, value] of dict(work, args, kwargs).entries.values()) {
    const name = textOf(key)
    if (name === undefined) continue
    checkFieldName(name)
    made.attributes.set(name, value)
  }
  return made
}

function cycler(items: readonly Value[]): Namespace {
  if (items.length === 0) throw new Fault('TypeError', 'at least one item has to be provided')
  let place = 0
  const object = new Namespace()
  const show = () => object.attributes.set('current', items[place]!)
  object.attributes.set(
    'next',
    new Func('next', () => {
      const item = items[place]!
      place = (place + 1) % items.length
      show()
      return item
    }),
  )
  object.attributes.set(
    'reset',
    new Func('reset', () => {
      place = 0
      show()
      return null
    }),
  )
  show()
  return object
}

function joiner(work: Work, separator: Value): Func {
  const text = str(work, separator)
  let used = false
  return new Func('joiner', () => {
    const first = !used
    used = true
    return first ? '' : text
  })
}
