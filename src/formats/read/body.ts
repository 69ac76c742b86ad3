/** What reads a call writes into. */
export interface CallSink {
  /** Whether a call of this name can be meant here. */
  accepts(name: string): boolean
  /** The tool that these arguments suit, where a call has no name; null: none or several. */
  guess(keys: readonly string[]): string | null
  /** The schema of an argument; null: not known. */
  schema(name: string, key: string): Readonly<Record<string, unknown>> | null
  /** The name of the argument at this place, and the right name of an argument that the model had to change. */
  parameter(name: string, place: number | string): string
  start(name: string, id: string | null): void
  /** More of the arguments, as JSON. */
  write(text: string): void
  /** The arguments are complete JSON now. `complete`: as the model wrote them. */
  end(complete: boolean): void
  /** More of the answer, out of a JSON answer. */
  say(text: string): void
}

/**
 * What a character did: it belongs to the call; it ended it; the call had ended before it; the call is damaged from it on;
 * or this is no call, and what was read since its mark is text.
 */
export type Verdict = 'more' | 'done' | 'before' | 'damaged' | 'not'

/** Reads the name and the arguments of one call, character by character. */
export interface BodyReader {
  push(c: string): Verdict
  /** The text has ended. Ends a call that has begun; false: none has, and what was read is text. */
  finish(): boolean
}

/** Reads all calls of a message. */
export interface BlockReader extends BodyReader {
  /** What was read after the last of them, and is text again. */
  readonly rest: string
}

/** Whether a text can be a tool's name. */
export function isName(text: string): boolean {
  return text.length <= 256 && /^[^\s<>{}()"'`|｜]+$/.test(text)
}
