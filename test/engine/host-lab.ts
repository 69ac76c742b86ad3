/** A host in this thread: what an engine has but for the client, on a small random model or any other. */
import { readFileSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { DiskPlace, type StoreFs } from '../../src/cache/disk/disk-place.ts'
import { BlockStore } from '../../src/cache/stored/block-store.ts'
import { Host } from '../../src/engine/host/host.ts'
import { NODE_SESSIONS } from '../../src/engine/host/node/sessions.ts'
import { EngineMasks } from '../../src/engine/load/engine-masks.ts'
import type { Parts } from '../../src/engine/load/load-parts.ts'
import { fingerprint, identify } from '../../src/engine/past/identity.ts'
import type { MaskPlatform } from '../../src/engine/types/platform.ts'
import type { Call, FromHost, HostPromptOptions, Replies } from '../../src/engine/types/protocol.ts'
import { fromWire } from '../../src/engine/wire/wire-errors.ts'
import type { GrammarSource } from '../../src/grammar/index.ts'
import type { Completion, SessionOptions } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { randomModel } from '../support/random-model.ts'

const TOKENIZER = 'test/fixtures/checkpoints/gemma3-mqa/tokenizer.json'
/** Tokens that the fixture's tokenizer has. */
export const VOCABULARY = 320

export interface HostLabOptions {
  readonly kernels: Kernels
  /** Of a random model with this vocabulary. */
  readonly config: Readonly<Record<string, unknown>>
  readonly contextLength: number
  readonly cacheBytes?: number
  readonly keptBytes?: number
  /** Where blocks are kept. */
  readonly cacheDir: string
  /** Where masks of grammars are computed; then id 1 ends a text. Default: nowhere, and nothing ends one. */
  readonly masks?: MaskPlatform
  /** Resolves when a folder may be listed. Default: at once. */
  readonly mayList?: () => Promise<void>
}

type Waiting = { resolve(value: unknown): void; reject(error: unknown): void }

export class HostLab {
  readonly parts: Parts
  /** What went wrong and did no harm. */
  readonly notices: readonly string[]
  readonly #host: Host
  readonly #waiting = new Map<number, Waiting>()
  readonly #disk: { dead: boolean }
  #nextId = 0
  #closed: () => void = () => {}

  private constructor(parts: Parts, disk: { dead: boolean }, notices: readonly string[]) {
    this.parts = parts
    this.notices = notices
    this.#disk = disk
    const port = { postMessage: (message: FromHost) => this.#receive(message), close: () => this.#closed() }
    this.#host = new Host({
      port,
      pause: () => new Promise(resolve => setImmediate(resolve)),
      load: async () => parts,
    })
  }

  static async open(options: HostLabOptions): Promise<HostLab> {
    const { kernels, config, contextLength, cacheBytes, keptBytes, cacheDir, masks: platform, mayList } = options
    const cache = {
      ...(cacheBytes && { maxBytes: cacheBytes }),
      ...(keptBytes !== undefined && { maxKeptBytes: keptBytes }),
    }
    const model = await randomModel(kernels, { ...config, vocab_size: VOCABULARY }, 1, { blockTokens: 16, cache })
    const identity = await identify({ config, tokenizer: {}, tensors: new Map() }, kernels.info.numerics, model.layout)
    const notices: string[] = []
    const disk = { dead: false }
    const store = new BlockStore({
      place: new DiskPlace(cacheDir, mortalFs(disk, mayList)),
      fingerprint: await fingerprint(identity),
      label: 'random',
      maxBytes: 1e9,
      onNotice: notice => notices.push(notice),
    })
    // `dispose` of the host would take the kernels with it, which all labs of a test share.
    const shared = new Proxy(kernels, { get: (k, name) => (name === 'dispose' ? () => {} : bound(k, name)) })
    const tokenizer = createTokenizer({ tokenizer: JSON.parse(readFileSync(TOKENIZER, 'utf8')) })
    const ends = platform ? [1] : []
    const parts = {
      info: { name: 'random', contextLength, weightBytes: 0 },
      model,
      kernels: shared,
      tokenizer,
      defaults: { sampling: {}, eosTokenIds: ends },
      ...(platform && { masks: new EngineMasks({ platform, tokenizer, ends, ids: VOCABULARY }) }),
      identity: async () => identity,
      draft: null,
      prediction: null,
      lora: null,
      store,
      sessions: NODE_SESSIONS,
    } as unknown as Parts
    return HostLab.over(parts, disk, notices)
  }

  /** On a model that is loaded already; `dispose` disposes of it. */
  static async over(parts: Parts, disk = { dead: false }, notices: readonly string[] = []): Promise<HostLab> {
    const lab = new HostLab(parts, disk, notices)
    await new Promise<void>(resolve => {
      lab.#waiting.set(-1, { resolve: () => resolve(), reject: resolve })
      lab.#host.receive({ type: 'load', source: parts.info.name, options: {} })
    })
    return lab
  }

  session(options: SessionOptions = {}): number {
    const session = this.#nextId++
    this.#host.receive({ type: 'open', session, options })
    return session
  }

  /** Rejects as an engine's prompt would. */
  prompt(session: number, prompt: string, options: HostPromptOptions, source?: GrammarSource): Promise<Completion> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
      this.#host.receive({ type: 'prompt', id, session, prompt, options, held: source !== undefined })
      if (source) this.#host.receive({ type: 'grammar', id, session, source })
    })
  }

  ask<M extends Call['method']>(call: Call & { method: M }): Promise<Replies[M]> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
      this.#host.receive({ type: 'call', id, call })
    })
  }

  nextId(): number {
    return this.#nextId++
  }

  /** The number that the next prompt or call gets. */
  peekId(): number {
    return this.#nextId
  }

  /** Ids of a session's timeline; costs what a fork costs. */
  async tokensOf(session: number): Promise<readonly number[]> {
    const as = this.nextId()
    const { tokens } = await this.ask({ method: 'fork', session, as })
    await this.ask({ method: 'close', session: as })
    return tokens
  }

  /** Stops a prompt, by the number that it got. */
  abort(id: number): void {
    this.#host.receive({ type: 'abort', id })
  }

  /** As a process ends in order. */
  async dispose(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#closed = resolve
      this.#host.receive({ type: 'dispose' })
    })
  }

  /** As a process ends by SIGKILL: from now on nothing of it reaches the disk, what is half written stays so. */
  async kill(): Promise<void> {
    this.#disk.dead = true
    await this.dispose()
  }

  #receive(message: FromHost): void {
    if (message.type === 'ready') this.#settle(-1)?.resolve(null)
    if (message.type === 'failed') this.#settle(-1)?.reject(fromWire(message.error))
    if (message.type === 'finished') this.#settle(message.id)?.resolve(message.completion)
    if (message.type === 'stopped') this.#settle(message.id)?.reject(fromWire(message.error))
    if (message.type === 'reply') this.#settle(message.id)?.resolve(message.value)
    if (message.type === 'refused') this.#settle(message.id)?.reject(fromWire(message.error))
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }
}

function bound(object: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(object, name, object)
  return typeof value === 'function' ? value.bind(object) : value
}

/** A file system that stops taking anything when its process is dead; a write under way leaves a half. */
function mortalFs(disk: { readonly dead: boolean }, mayList = async () => {}): StoreFs {
  const alive = () => {
    if (disk.dead) throw new Error('the process is dead')
  }
  return {
    ...nodeFs,
    readdir: (async path => {
      await mayList()
      return nodeFs.readdir(path)
    }) as StoreFs['readdir'],
    open: async (...args: Parameters<typeof nodeFs.open>) => {
      alive()
      const file = await nodeFs.open(...args)
      const { writeFile } = file
      file.writeFile = async data => {
        const bytes = data as Uint8Array
        await writeFile.call(file, bytes.subarray(0, bytes.length / 2))
        alive()
        await file.appendFile(bytes.subarray(bytes.length / 2))
      }
      return file
    },
    rename: async (...args) => {
      alive()
      await nodeFs.rename(...args)
    },
    rm: async (...args) => {
      alive()
      await nodeFs.rm(...args)
    },
  }
}
