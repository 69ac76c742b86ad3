import { Fault, typeError } from '../errors.ts'
import { type Call, orElse, PyObject, Tuple, Undefined, type Value } from './objects.ts'

/** The variable `loop` of a for statement. */
export class Loop extends PyObject {
  readonly type = 'LoopContext'
  readonly depth0: number
  /** Renders the loop once more over other items, where it is marked as recursive. */
  readonly recurse: ((iterable: Value, depth: number) => Value) | undefined
  readonly #next: () => Value | undefined
  #length: number | undefined
  /** Items that were asked for ahead; those before `#head` have had their turn. */
  #rest: Value[] = []
  #head = 0
  #ended = false
  index0 = -1
  #current: Value | undefined
  #before: Value | undefined
  #changed: Tuple | undefined

  /** `length` is undefined where the iterable does not know it. */
  constructor(next: () => Value | undefined, length: number | undefined, depth0: number, recurse?: Loop['recurse']) {
    super()
    this.#next = next
    this.#length = length
    this.depth0 = depth0
    this.recurse = recurse
  }

  advance(): Value | undefined {
    const item = this.#head < this.#rest.length ? this.#rest[this.#head++] : this.#pull()
    if (item === undefined) return undefined
    this.index0++
    this.#before = this.#current
    this.#current = item
    return item
  }

  #pull(): Value | undefined {
    if (this.#ended) return undefined
    const item = this.#next()
    if (item === undefined) this.#ended = true
    return item
  }

  #peek(): Value | undefined {
    if (this.#head === this.#rest.length) {
      const item = this.#pull()
      this.#rest = item === undefined ? [] : [item]
      this.#head = 0
    }
    return this.#rest[this.#head]
  }

  get length(): number {
    if (this.#length === undefined) {
      for (let item = this.#pull(); item !== undefined; item = this.#pull()) this.#rest.push(item)
      this.#length = this.#rest.length - this.#head + this.index0 + 1
    }
    return this.#length
  }

  /** A field by its name; undefined where there is none. */
  field(name: string, equal: (a: Value, b: Value) => boolean): Value | Call | undefined {
    switch (name) {
      case 'index':
        return this.index0 + 1
      case 'index0':
        return this.index0
      case 'length':
        return this.length
      case 'revindex':
        return this.length - this.index0
      case 'revindex0':
        return this.length - this.index0 - 1
      case 'first':
        return this.index0 === 0
      case 'last':
        return this.#peek() === undefined
      case 'depth':
        return this.depth0 + 1
      case 'depth0':
        return this.depth0
      case 'previtem':
        return orElse(this.index0 === 0 ? undefined : this.#before, () => missing('there is no previous item'))
      case 'nextitem':
        return orElse(this.#peek(), () => missing('there is no next item'))
      case 'cycle':
        return (_, args) => {
          if (args.length === 0) throw typeError('no items for cycling given')
          return args[this.index0 % args.length]!
        }
      case 'changed':
        return (_, args) => {
          const seen = new Tuple(args)
          const changed = this.#changed === undefined || !equal(this.#changed, seen)
          this.#changed = seen
          return changed
        }
      default:
        return undefined
    }
  }
}

function missing(message: string): Undefined {
  return new Undefined(() => new Fault('UndefinedError', message))
}
