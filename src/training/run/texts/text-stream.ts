/** Files of texts, read a part at a time. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { TrainingError } from '../errors.ts'

/** Bytes that are read at a time. */
const PART = 1 << 20
/** UTF-16 units of a line of JSON. */
const MAX_OF_LINE = 1 << 28

/** Reads files once, and notes what they are. */
export class FileReader {
  /** Bytes read so far, of all files. */
  bytes = 0
  readonly #hash: Hash
  readonly #signal: AbortSignal | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#hash = createHash('sha256')
    this.#signal = signal
  }

  /** Of all that was read. */
  digest(): string {
    return this.#hash.digest('hex')
  }

  /** Throws TrainingError for what cannot be read, and the signal's reason. */
  async *parts(file: string): AsyncGenerator<Uint8Array, void, void> {
    const { size } = await stat(file).catch(error => unreadable(file, error))
    this.#hash.update(`${size} `)
    for await (const part of bytesOf(file)) {
      this.#signal?.throwIfAborted()
      this.#hash.update(part)
      this.bytes += part.length
      yield part
    }
  }

  /** Throws TrainingError for what is no UTF-8. */
  async *texts(file: string): AsyncGenerator<string, void, void> {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const decode = (part?: Uint8Array) => {
      try {
        return part ? decoder.decode(part, { stream: true }) : decoder.decode()
      } catch (error) {
        throw new TrainingError(`${file} is no UTF-8 text`, { cause: error })
      }
    }
    for await (const part of this.parts(file)) yield decode(part)
    yield decode()
  }

  /** A text file cut at `separator`: parts of documents as they come, and null where one ends. */
  async *documents(file: string, separator: string): AsyncGenerator<string | null, void, void> {
    let rest = ''
    for await (const part of this.texts(file)) {
      const text = rest + part
      let at = 0
      for (let end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, at)) {
        yield text.slice(at, end)
        yield null
        at = end + separator.length
      }
      // What may be the beginning of a separator waits.
      const sure = Math.max(at, text.length - separator.length + 1)
      yield text.slice(at, sure)
      rest = text.slice(sure)
    }
    yield rest
    yield null
  }

  async *lines(file: string): AsyncGenerator<string, void, void> {
    let [parts, length]: [string[], number] = [[], 0]
    for await (const text of this.texts(file)) {
      let at = 0
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
        yield parts.length === 0 ? text.slice(at, end) : parts.join('') + text.slice(at, end)
        parts = []
        length = 0
        at = end + 1
      }
      parts.push(text.slice(at))
      length += text.length - at
      if (length > MAX_OF_LINE) {
        throw new TrainingError(`${file} has a line of more than ${MAX_OF_LINE} characters; divide it`)
      }
    }
    yield parts.join('')
  }
}

async function* bytesOf(file: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* createReadStream(file, { highWaterMark: PART }) as AsyncIterable<Uint8Array>
  } catch (error) {
    unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): never {
  throw new TrainingError(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
}
