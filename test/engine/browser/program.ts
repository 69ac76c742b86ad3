/** What a web page would do with the engine's own parts, its host in the same thread: nothing here is Node's. */
import { filesFrom } from '../../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../../src/checkpoint/source/memory-source.ts'
import { type Connection, connect, LoadedEngine } from '../../../src/engine/api/engine.ts'
import { Host } from '../../../src/engine/host/host.ts'
import { loadParts } from '../../../src/engine/load/load-parts.ts'
import type { KernelChoice } from '../../../src/engine/types/options/load.ts'
import type { Platform, SealedFiles } from '../../../src/engine/types/platform.ts'
import type { FromHost, OpenLink } from '../../../src/engine/types/protocol.ts'
import type { StartMasks } from '../../../src/grammar/index.ts'
import { MaskService } from '../../../src/grammar/thread/service.ts'
import { createWasmKernels } from '../../../src/kernels/core/wasm/wasm.ts'
import { compileResponse } from '../../../src/kernels/core/wasm/webassembly.ts'
import { createReferenceKernels } from '../../../src/kernels/reference/index.ts'

class PageEngine extends LoadedEngine {
  static over(connection: Connection): PageEngine {
    return new PageEngine(connection)
  }
}

/** Files by name, as a page gets them from an `<input type="file">`. */
export type Picked = Readonly<Record<string, Blob>>

function platformOf(picked: Picked): Platform {
  const absent = async (): Promise<never> => {
    throw new Error('a page has none')
  }
  const sources = Object.entries(picked).map(([name, blob]) => memorySource(name, blob))
  return {
    kernels: {
      native: absent,
      wasm: options => {
        const compileModule = async (url: URL) => compileResponse(await fetch(url))
        const alone = { availableThreads: 1, canShareMemory: false, compileModule, startThread: absent }
        return createWasmKernels(alone, options)
      },
      reference: async () => createReferenceKernels(),
    },
    findModel: async name => ({ name, files: filesFrom(name, sources) }),
    findAdapter: absent,
    openBlocks: absent,
    sessions: inMemory(),
    masks: { start: masksHere, wasm: grammarWasm, shared: false, mayBlock: false },
  }
}

/** Masks as messages: a page that is not isolated shares no memory with its threads. */
const masksHere: StartMasks = events => {
  const service = new MaskService(message => void setTimeout(() => events.message(structuredClone(message)), 0))
  return { post: message => void setTimeout(() => service.receive(structuredClone(message)), 0), terminate: () => {} }
}

const grammarWasm = async () =>
  new Uint8Array(await (await fetch(new URL('https://example.org/prebuilt/grammar.wasm'))).arrayBuffer())

function inMemory(): SealedFiles {
  const kept = new Map<string, { header: string; parts: Uint8Array[] }>()
  return {
    write: async (path, _, header, parts) => {
      const all: Uint8Array[] = []
      for await (const part of parts) all.push(part.slice())
      kept.set(path, { header: JSON.stringify(header), parts: all })
      return all.reduce((n, part) => n + part.length, 0)
    },
    open: async path => {
      const { header, parts } = kept.get(path) ?? { header: '{}', parts: [] }
      const body = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer())
      let at = 0
      const next = async (bytes: number) => {
        at += bytes
        return body.slice(at - bytes, at)
      }
      return { header: JSON.parse(header), bodyBytes: body.length, next, finish: async () => {}, close: async () => {} }
    },
  }
}

/** A host in this thread: messages arrive one after another, as between threads. */
function link(picked: Picked): OpenLink {
  return events => {
    let end = () => {}
    const ended = new Promise<void>(resolve => {
      end = resolve
    })
    const later = (work: () => void) => void setTimeout(work, 0)
    const host = new Host({
      port: {
        postMessage: (message: FromHost) => later(() => events.message(structuredClone(message))),
        close: () => end(),
      },
      pause: () => new Promise(resolve => later(resolve)),
      load: (source, options, context) => loadParts(platformOf(picked), source, options, context),
    })
    return {
      post: message => later(() => host.receive(structuredClone(message))),
      hold: () => {},
      ended: () => ended,
      terminate: async () => host.receive({ type: 'dispose' }),
    }
  }
}

export interface Written {
  readonly kernels: string
  readonly text: string
  /** What a session that was saved and restored went on with. */
  readonly restored: string
  /** What it writes under a schema. */
  readonly held: unknown
}

/** Loads the picked model, lets it write greedily, and takes a session from a file. */
export async function write(
  picked: Picked,
  kernels: KernelChoice,
  prompt: string,
  maxTokens: number,
): Promise<Written> {
  const open = async () => link(picked)
  const engine = PageEngine.over(
    await connect({ worker: open, inline: open }, 'tales', { kernels, threads: 1, cacheType: 'f32' }),
  )
  const session = engine.session()
  const half = Math.floor(maxTokens / 2)
  const first = await session.prompt(prompt, { maxTokens: half, temperature: 0 })
  await session.save('kept')
  const rest = { maxTokens: maxTokens - half, temperature: 0 }
  const { text } = await session.prompt('', rest)
  const again = await (await engine.restore('kept')).prompt('', rest)
  const properties = { name: { type: 'string', maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 99 } }
  const schema = { type: 'object', properties, required: ['name', 'age'], additionalProperties: false }
  const { value: held } = await engine.generate(prompt, { schema, seed: 1, maxTokens: 100 })
  const { name } = engine.info.kernels
  await engine.dispose()
  return { kernels: name, text: first.text + text, restored: first.text + again.text, held }
}
