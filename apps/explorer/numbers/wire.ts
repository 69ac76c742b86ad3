/** What a page and Node say to each other about numbers. A page holds one line open; when that ends, what was read for it is freed. */
import type { ModelInfo } from '../../../src/browser.ts'
import type { Numbers, TextReading } from './numbers.ts'

/** Where a page calls, below its own address. */
export const CALL = 'numbers/call'
/** Where it holds its line: a WebSocket, which ends with the page and takes none of a browser's six connections. */
export const LINE = 'numbers/line'
/** Before both of these, for the model beside. */
export const BESIDE = 'beside/'
/** Names of the `<meta>` that a page has whose numbers may be computed in Node; their content is the model's name. */
export const META = { main: 'latentkit-model', beside: 'latentkit-model-beside' } as const

/** What the line says first, as JSON. */
export interface Greeting {
  /** Names the page in its calls. */
  readonly page: string
  readonly info: ModelInfo
}

/** How a method answers: with one value, with one after the other, or with a text that was read. */
type Answers = 'one' | 'many' | 'reading'

export const OF_MODEL = {
  read: 'reading',
  neighbours: 'one',
  answer: 'many',
  rendered: 'one',
  config: 'one',
  grow: 'many',
} satisfies Record<Exclude<keyof Numbers, 'info' | 'place' | 'dispose'>, Answers>

export const OF_READING = {
  attention: 'many',
  hidden: 'many',
  next: 'one',
  lens: 'many',
  cell: 'one',
  spectra: 'many',
  write: 'many',
  dispose: 'one',
} satisfies Record<Exclude<keyof TextReading, keyof WireReading>, Exclude<Answers, 'reading'>>

/** What a call has for arguments: plain data, and names of what is no data. */
export interface WireCall {
  readonly page: string
  /** The text that is asked; absent: the model. */
  readonly reading?: number
  readonly method: string
  readonly arguments: readonly unknown[]
}

/** What stands in arguments for a signal, a text that was read, and a map. */
export type Stand = { readonly $signal: true } | { readonly $reading: number } | { readonly $map: readonly unknown[] }

/** A text as it is known to the page. */
export type WireReading = { readonly reading: number; readonly source: WireReading | null } & Pick<
  TextReading,
  'tokens' | 'layers' | 'hiddenSize' | 'causal' | 'layersInOne'
>

/** A frame of an answer. The last one is `end` or `failed`. */
export type WireAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string }
