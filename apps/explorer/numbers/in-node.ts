/** The engine in Node, behind this page (`latentkit explore MODEL`). */
import { readFrames } from './frames.ts'
import type { Numbers, TextReading } from './numbers.ts'
import {
  CALL,
  type Greeting,
  LINE,
  OF_MODEL,
  OF_READING,
  type Stand,
  type WireAnswer,
  type WireCall,
  type WireReading,
} from './wire.ts'

/** `onLost`: told when the line has ended by itself, with a sentence for the user. Throws an error whose message is one. */
export async function openNode(base: string, onLost: (message: string) => void): Promise<Numbers> {
  const line = new WebSocket(new URL(LINE, base))
  const { page, info } = await greeting(line)
  const numbers = new RemoteNumbers(new URL(CALL, base), page, line)
  line.onclose = () => {
    if (!numbers.disposed) onLost(ENDED)
  }
  return numbers.of(info)
}

const ENDED =
  'The program that computes has ended. Start latentkit explore with your model again, then load this page anew.'

function greeting(line: WebSocket): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    line.onmessage = ({ data }) => resolve(JSON.parse(data as string) as Greeting)
    line.onclose = () => reject(new Error(ENDED))
  })
}

class RemoteNumbers {
  readonly #address: URL
  readonly #page: string
  readonly #line: WebSocket
  readonly #readings = new WeakMap<object, number>()
  disposed = false

  constructor(address: URL, page: string, line: WebSocket) {
    this.#address = address
    this.#page = page
    this.#line = line
  }

  of(info: Greeting['info']): Numbers {
    const methods = Object.entries(OF_MODEL).map(([name, answers]) => {
      const call = (...given: unknown[]) => ({ method: name, arguments: given })
      if (answers === 'many') return [name, (...given: unknown[]) => this.#many(call(...given))]
      if (answers === 'one') return [name, (...given: unknown[]) => this.#one(call(...given))]
      return [name, async (...given: unknown[]) => this.#reading((await this.#one(call(...given))) as WireReading)]
    })
    const dispose = async () => {
      this.disposed = true
      this.#line.close()
    }
    return { info, place: 'node', ...Object.fromEntries(methods), dispose } as unknown as Numbers
  }

  #reading({ reading, source, ...facts }: WireReading): TextReading {
    const methods = Object.entries(OF_READING).map(([name, answers]) => {
      const call = (...given: unknown[]) => ({ reading, method: name, arguments: given })
      if (answers === 'many') return [name, (...given: unknown[]) => this.#many(call(...given))]
      return [name, (...given: unknown[]) => this.#one(call(...given))]
    })
    const made = {
      ...facts,
      source: source && this.#reading(source),
      ...Object.fromEntries(methods),
    } as unknown as TextReading
    this.#readings.set(made, reading)
    return made
  }

  async #one(call: Omit<WireCall, 'page'>): Promise<unknown> {
    for await (const value of this.#many(call)) return value
    return undefined
  }

  async *#many(call: Omit<WireCall, 'page'>): AsyncGenerator<unknown, void, void> {
    const left = new AbortController()
    const signals = [left.signal]
    const given = call.arguments.map(one => this.#plain(one, signals))
    const signal = AbortSignal.any(signals)
    const body = JSON.stringify({ page: this.#page, ...call, arguments: given } satisfies WireCall)
    try {
      signal.throwIfAborted()
      const response = await fetch(this.#address, { method: 'POST', body, signal })
      if (!response.ok || response.body === null) throw new Error((await response.text()).trim())
      const reader = response.body.getReader()
      for await (const answer of readFrames(async () => (await reader.read()).value)) {
        const frame = answer as WireAnswer
        if (frame.kind === 'end') return
        if (frame.kind === 'failed') throw Object.assign(new Error(frame.message), { name: frame.name })
        yield frame.value
      }
      throw new Error(ENDED)
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      // What `fetch` throws says nothing to a user.
      throw cause instanceof TypeError ? new Error(ENDED) : cause
    } finally {
      // Whoever asks for no more ends the work.
      left.abort()
    }
  }

  /** Arguments as data: signals are listened to, readings named. */
  #plain(given: unknown, signals: AbortSignal[]): unknown {
    if (given instanceof AbortSignal) {
      signals.push(given)
      return { $signal: true } satisfies Stand
    }
    if (typeof given !== 'object' || given === null) return given
    const reading = this.#readings.get(given)
    if (reading !== undefined) return { $reading: reading } satisfies Stand
    if (Array.isArray(given)) return given.map(one => this.#plain(one, signals))
    if (given instanceof Map) return { $map: [...given].map(entry => this.#plain(entry, signals)) } satisfies Stand
    return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, this.#plain(one, signals)]))
  }
}
