/**
 * A model in a process of its own, ours or the rival's, that is asked by lines of JSON. Both programs understand the
 * same requests, so that a bench measures both by the same text.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { ProfileRow } from '../../src/kernels/core/profile.ts'

export interface OpenRequest {
  /** A GGUF file; ours takes folders, too. */
  readonly model: string
  readonly threads?: number
  /** Tokens the cache has room for. Default 512. */
  readonly contextLength?: number
  /** Prompt tokens of one step. Default: ours as the engine reads a prompt that is alone; 512, llama.cpp's default. */
  readonly batchSize?: number
  /** The rival's. Default true. */
  readonly flashAttention?: boolean
  /** The rival's: an adapter in a GGUF file. Default: none. */
  readonly lora?: string
  /** Ours. Default native. */
  readonly kernels?: 'native' | 'wasm'
}

/** Token ids, or a text to be cut with the begin-of-text token where the model wants one. */
export type Prompt = { readonly tokens: readonly number[] } | { readonly text: string }

export interface Requests {
  /** May come again: what is equal (the model) stays. */
  open: (request: OpenRequest) => { name: string; threads: number }
  /** Reads prompt tokens after those in the cache. */
  read: (request: { tokens: readonly number[] }) => { ms: number }
  /** A step for each token, as in generation, with the greedy choice overridden: milliseconds of each. */
  write: (request: { tokens: readonly number[] }) => { ms: number[] }
  /**
   * Ours: milliseconds of steps that write for several sequences at once, each behind `length` tokens of its own, and
   * what was likeliest in each step for the first of them.
   */
  writeTogether: (request: { sequences: number; length: number; steps: number }) => {
    ms: number[]
    likeliest: number[]
  }
  /** Ours: where the time goes while tokens are written, or read as a prompt. */
  profile: (request: { tokens: readonly number[]; read: boolean }) => { ms: number; rows: ProfileRow[] }
  /** Truncates the cache. */
  truncate: (request: { length: number }) => { length: number }
  /** Continues a prompt greedily, from an empty cache. */
  greedy: (request: Prompt & { maxTokens: number }) => { promptIds: number[]; tokenIds: number[]; text: string }
  /** The rival's: draws at temperature 1, from an empty cache; under a schema, if there is one. `ms`: after the first token. */
  draw: (request: { text: string; maxTokens: number; seed: number; schema?: object }) => {
    tokens: number
    firstMs: number
    ms: number
  }
  /** Natural logarithms of the probabilities of all tokens but the first, from an empty cache. */
  score: (request: Prompt) => { promptIds: number[]; logprobs: number[] }
  /** The rival's: the cache in a file, so that a long prompt is read once. */
  save: (request: { file: string }) => { bytes: number }
  restore: (request: { file: string }) => { length: number }
  memory: (request: Record<never, never>) => { residentBytes: number }
}

const RIVAL = path.resolve('bench', 'rival')

/** Whether llama.cpp is there; `node bench/rival/install.mjs` brings it. */
export const rivalInstalled = existsSync(path.join(RIVAL, 'node_modules', 'node-llama-cpp'))

export class Contender {
  readonly isRival: boolean
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface

  private constructor(args: readonly string[], isRival: boolean) {
    this.isRival = isRival
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#reader = createInterface(this.#child.stdout)
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  /** Compiled by `scripts/bench.mjs`. */
  static ours(): Contender {
    return new Contender([path.resolve('dist', 'bench', 'contenders', 'ours.js')], false)
  }

  static rival(): Contender {
    return new Contender([path.join(RIVAL, 'program.mjs')], true)
  }

  /** Throws what the program could not do. One request at a time. */
  async ask<Op extends keyof Requests>(
    op: Op,
    request: Parameters<Requests[Op]>[0],
  ): Promise<ReturnType<Requests[Op]>> {
    this.#child.stdin.write(`${JSON.stringify({ op, ...request })}\n`)
    const { done, value } = await this.#lines.next()
    if (done) throw new Error(`${this.#child.spawnargs.at(-1)} ended while it was asked to ${op}`)
    const answer = JSON.parse(value) as ReturnType<Requests[Op]> & { error?: string }
    if (answer.error !== undefined) throw new Error(`${op}: ${answer.error}`)
    return answer
  }

  get processId(): number {
    return this.#child.pid as number
  }

  /** Ends the process and waits until its memory is free. */
  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.stdin.end()
    await closed
  }
}
