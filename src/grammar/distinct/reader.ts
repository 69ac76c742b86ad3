import type { Shape } from './shapes.ts'
import { listValue, mayBecome, objectValue, plainValue, stringValue, type Value } from './values.ts'

type Mode =
  | 'value'
  /** An item of a list, or the list's end. */
  | 'first'
  | 'string'
  | 'escape'
  | 'plain'
  | 'after'
  /** A name of a property, or the end of the object. */
  | 'name'
  | 'in-name'
  | 'escape-in-name'
  | 'colon'
  | 'end'

/** A list or an object that has not ended. States share them, so they never change. */
interface Frame {
  readonly parent: Frame | null
  readonly isList: boolean
  readonly shape: Shape | null
  /** Whether its value counts: its items have to be distinct, or it is part of such an item. */
  readonly counts: boolean
  /** Of a list: how many items have ended. */
  readonly length: number
  /** Those that have ended, if they count. */
  readonly items: readonly Value[]
  readonly properties: ReadonlyMap<string, Value>
  /** Of the property that is being written. */
  readonly name: string
  /** Values that this one may still become, although it must not. */
  readonly rivals: readonly Value[]
}

/** A place in a JSON text that is being written. */
export interface ReaderState {
  readonly mode: Mode
  readonly frame: Frame | null
  /** Of the string, number or name that is being written. */
  readonly text: string
  /** Of the value that is being written. */
  readonly shape: Shape | null
  /** Earlier items that an item under way may still become: at its end, it must have become none. */
  readonly rivals: readonly Value[]
  /** Where JSON comes after marks: the last bytes. */
  readonly tail?: string
}

const NONE: readonly Value[] = []
const NO_PROPERTIES: ReadonlyMap<string, Value> = new Map()

export const startOf = (shape: Shape | null): ReaderState => ({
  mode: 'value',
  frame: null,
  text: '',
  shape,
  rivals: NONE,
})

/** Whether the state is within a string, a name of a property included. */
export const isInString = ({ mode }: ReaderState): boolean =>
  mode === 'string' || mode === 'escape' || mode === 'in-name' || mode === 'escape-in-name'

/** The state after further bytes (one per character). Null: an item has become equal to an earlier one of its list. */
export function read(state: ReaderState, bytes: string): ReaderState | null {
  let at = 0
  let now: ReaderState | null = state
  while (now !== null && at < bytes.length) {
    if (now.mode === 'string' || now.mode === 'in-name') {
      const end = endOfRun(bytes, at)
      if (end > at) now = extended(now, bytes.slice(at, end))
      at = end
      if (at === bytes.length) break
    }
    now = step(now, bytes[at++] as string)
  }
  return now
}

/** Where a string's characters stop being themselves. */
function endOfRun(bytes: string, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== '"' && bytes[at] !== '\\') at++
  return at
}

function step(state: ReaderState, byte: string): ReaderState | null {
  const { mode, frame } = state
  switch (mode) {
    case 'string':
      return byte === '"' ? ended(state, stringValue) : { ...extended(state, byte), mode: 'escape' }
    case 'in-name':
      if (byte !== '"') return { ...extended(state, byte), mode: 'escape-in-name' }
      return { ...state, mode: 'colon', frame: { ...(frame as Frame), name: state.text }, text: '' }
    case 'escape':
      return { ...extended(state, byte), mode: 'string' }
    case 'escape-in-name':
      return { ...extended(state, byte), mode: 'in-name' }
    case 'plain': {
      if (!/[\s,\]}]/.test(byte)) return extended(state, byte)
      const after = ended(state, plainValue)
      return after && step(after, byte)
    }
    case 'colon':
      return byte === ':' ? valueIn(frame) : state
    case 'name':
      if (byte === '"') return { ...state, mode: 'in-name', text: '' }
      return byte === '}' ? closed(frame as Frame) : state
    case 'after':
      if (byte === ',' && frame) return frame.isList ? valueIn(frame) : { ...state, mode: 'name' }
      return (byte === ']' || byte === '}') && frame ? closed(frame) : state
    case 'first':
      if (byte === ']') return closed(frame as Frame)
      return /\s/.test(byte) ? state : begun(valueIn(frame), byte)
    case 'value':
      return begun(state, byte)
    case 'end':
      return state
  }
}

/** A value begins. */
function begun(state: ReaderState, byte: string): ReaderState | null {
  const { frame, shape, rivals } = state
  if (/\s/.test(byte)) return state
  if (byte === '"') return { ...state, mode: 'string', rivals: ofKind(rivals, 'string') }
  if (byte !== '[' && byte !== '{') return extended({ ...state, mode: 'plain' }, byte)
  const isList = byte === '['
  const inside: Frame = {
    parent: frame,
    isList,
    shape,
    counts: counting(frame) || (isList && (shape?.distinct ?? false)),
    ...{ length: 0, items: NONE, properties: NO_PROPERTIES, name: '' },
    rivals: ofKind(rivals, isList ? 'array' : 'object'),
  }
  return { mode: isList ? 'first' : 'name', frame: inside, text: '', shape: null, rivals: inside.rivals }
}

/** Which item it is of the outermost list whose items have to be distinct: another number later, as that item has ended. */
export function itemOf({ frame }: ReaderState): string {
  let item = ''
  let depth = 0
  for (let at = frame; at !== null; at = at.parent) depth++
  for (let at = frame; at !== null; at = at.parent, depth--) {
    if (at.isList && at.shape?.distinct) item = `${depth}:${at.length}`
  }
  return item
}

/** Whether values in it count. */
const counting = (frame: Frame | null): boolean => frame?.counts ?? false

const ofKind = (rivals: readonly Value[], kind: Value['kind']): readonly Value[] =>
  rivals.length === 0 ? NONE : rivals.filter(rival => rival.kind === kind)

/** Before the next item, or the value of a property. */
function valueIn(frame: Frame | null): ReaderState {
  if (frame === null) return startOf(null)
  const { isList, shape, length, name, items, rivals } = frame
  const same = rivals.flatMap(rival => (isList ? rival.items[length] : rival.properties.get(name)) ?? [])
  return {
    mode: 'value',
    frame,
    text: '',
    shape: (isList ? shape?.item(length) : shape?.property(spelledOut(name))) ?? null,
    rivals: isList && shape?.distinct ? [...same, ...items] : same,
  }
}

/** More of a string, a number or a name. */
function extended(state: ReaderState, more: string): ReaderState {
  const { mode, frame, rivals } = state
  if (mode === 'in-name' || mode === 'escape-in-name') {
    const text = state.text + more
    if (rivals.length === 0) return { ...state, text }
    const has = (rival: Value) => [...rival.properties.keys()].some(name => name.startsWith(text))
    return { ...state, text, rivals: rivals.filter(has) }
  }
  // What does not count is not remembered.
  const text = counting(frame) || mode === 'plain' ? state.text + more : ''
  if (rivals.length === 0) return { ...state, text }
  const fits = (rival: Value) => (mode === 'plain' ? mayBecome(text, rival) : rival.text.startsWith(text))
  return { ...state, text, rivals: rivals.filter(fits) }
}

/** The string, number or name has ended. */
function ended(state: ReaderState, value: (text: string) => Value): ReaderState | null {
  return after(state.frame, counting(state.frame) ? value(state.text) : null)
}

/** The list or object has ended. */
function closed(frame: Frame): ReaderState | null {
  const { parent, isList, items, properties } = frame
  return after(parent, counting(parent) ? (isList ? listValue(items) : objectValue(properties)) : null)
}

/** A value within the frame has ended; null: it does not count. */
function after(frame: Frame | null, value: Value | null): ReaderState | null {
  if (frame === null) return { mode: 'end', frame, text: '', shape: null, rivals: NONE }
  const next = value === null ? { ...frame, length: frame.length + 1 } : withValue(frame, value)
  return next && { mode: 'after', frame: next, text: '', shape: null, rivals: next.rivals }
}

function withValue(frame: Frame, value: Value): Frame | null {
  const { isList, shape, length, name, items, properties, rivals } = frame
  const { key } = value
  if (!isList) {
    const same = rivals.filter(rival => rival.properties.get(name)?.key === key)
    return { ...frame, properties: new Map(properties).set(name, value), rivals: same }
  }
  if (shape?.distinct && items.some(item => item.key === key)) return null
  const same = rivals.filter(rival => rival.items[length]?.key === key)
  return { ...frame, length: length + 1, items: [...items, value], rivals: same }
}

/** A name as it was written, without its escapes; its bytes are UTF-8. */
function spelledOut(name: string): string {
  if (!/[\\\x80-\xff]/.test(name)) return name
  const text = new TextDecoder().decode(Uint8Array.from(name, byte => byte.charCodeAt(0)))
  return JSON.parse(`"${text}"`) as string
}
