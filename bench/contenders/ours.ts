/** Our model as a program: the same requests as `bench/rival/program.mjs`, answered by the model that the engine runs. */
import { createInterface } from 'node:readline'
import type { SequenceCache } from '../../src/cache/sequence-cache.ts'
import { ALONE_CHUNK } from '../../src/engine/host/host.ts'
import { loadInNode } from '../../src/engine/host/node/platform.ts'
import type { Parts } from '../../src/engine/load/load-parts.ts'
import { CoreKernels } from '../../src/kernels/core/kernels.ts'
import { Profile } from '../../src/kernels/core/profile.ts'
import { Sampler } from '../../src/sampling/sampler.ts'
import type { Prompt, Requests } from './contender.ts'
import { stream, streamToken } from './stream.ts'

const sampler = new Sampler({ temperature: 0 })
let parts: Parts
let opened = ''
let cache: SequenceCache
let batch = ALONE_CHUNK

async function read(into: SequenceCache, tokens: readonly number[]): Promise<void> {
  const prompt = { start: into.length, end: into.length + tokens.length }
  for (let at = 0; at < tokens.length; at += batch) {
    await parts.model.forward([{ tokens: tokens.slice(at, at + batch), cache: into, prompt, logits: 'none' }])
  }
}

/** One step of a text, sampling as a text does. */
async function step(token: number): Promise<number> {
  const logits = await parts.model.forward([{ tokens: [token], cache, prompt: null, logits: 'last' }])
  return sampler.sample((await parts.kernels.memory.read(logits)) as Float32Array)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

const idsOf = (prompt: Prompt): readonly number[] =>
  'tokens' in prompt ? prompt.tokens : parts.tokenizer.encodePrompt(prompt.text)

function coreKernels(): CoreKernels {
  const { kernels } = parts
  if (!(kernels instanceof CoreKernels)) throw new Error(`${kernels.info.name} kernels keep no profile`)
  return kernels
}

type Answers = { readonly [Op in keyof Requests]?: (request: never) => Promise<ReturnType<Requests[Op]>> }

const operations = {
  async open({ model, threads = 2, kernels = 'native', contextLength = 512, batchSize = ALONE_CHUNK }) {
    const wanted = `${model} ${threads} ${kernels}`
    if (wanted !== opened) {
      parts?.model.dispose()
      parts?.kernels.dispose()
      const context = { report: () => {}, signal: new AbortController().signal }
      parts = await loadInNode(model, { threads, kernels }, context)
      opened = wanted
    } else {
      cache.dispose()
    }
    batch = batchSize
    cache = parts.model.sequence(contextLength)
    const { info } = parts.kernels
    return { name: `latentkit ${info.name} ${info.isa}`, threads: info.threads }
  },

  read: async ({ tokens }) => ({ ms: await timed(() => read(cache, tokens)) }),

  async write({ tokens }) {
    const ms: number[] = []
    for (const token of tokens) ms.push(await timed(() => step(token)))
    return { ms }
  },

  async writeTogether({ sequences, length, steps }) {
    const caches = Array.from({ length: sequences }, () => parts.model.sequence(length + steps))
    for (const [s, other] of caches.entries()) await read(other, stream(s * length, length))
    const ms: number[] = []
    const likeliest: number[] = []
    for (let i = 0; i < steps; i++) {
      const inputs = caches.map((c, s) => ({
        tokens: [streamToken(s * steps + i)],
        cache: c,
        prompt: null,
        logits: 'last' as const,
      }))
      const sampled = async () => {
        const logits = (await parts.kernels.memory.read(await parts.model.forward(inputs))) as Float32Array
        const vocabulary = logits.length / sequences
        const rows = inputs.map((_, s) => logits.subarray(s * vocabulary, (s + 1) * vocabulary))
        likeliest.push(rows.map(row => sampler.sample(row))[0] as number)
      }
      ms.push(await timed(sampled))
    }
    for (const other of caches) other.dispose()
    return { ms, likeliest }
  },

  async truncate({ length }) {
    if (length < cache.length) cache.truncate(length)
    return { length: cache.length }
  },

  async greedy({ maxTokens, ...prompt }) {
    cache.truncate(0)
    const promptIds = [...idsOf(prompt as Prompt)]
    await read(cache, promptIds.slice(0, -1))
    const tokenIds: number[] = []
    while (tokenIds.length < maxTokens) tokenIds.push(await step(tokenIds.at(-1) ?? (promptIds.at(-1) as number)))
    return { promptIds, tokenIds, text: parts.tokenizer.decode(tokenIds) }
  },

  async score(prompt) {
    cache.truncate(0)
    const promptIds = [...idsOf(prompt)]
    const inputs = promptIds.slice(0, -1)
    const input = { tokens: inputs, cache, prompt: { start: 0, end: inputs.length }, logits: 'all' as const }
    const logits = (await parts.kernels.memory.read(await parts.model.forward([input]))) as Float32Array
    const vocabulary = logits.length / inputs.length
    const logprobs = inputs.map((_, i) => {
      const row = logits.subarray(i * vocabulary, (i + 1) * vocabulary)
      const max = row.reduce((a, b) => Math.max(a, b))
      return (
        (row[promptIds[i + 1] as number] as number) - max - Math.log(row.reduce((n, x) => n + Math.exp(x - max), 0))
      )
    })
    return { promptIds, logprobs }
  },

  async profile({ tokens, read: asPrompt }) {
    const kernels = coreKernels()
    const profile = new Profile()
    kernels.memory.profile = profile
    const ms = await timed(async () => {
      if (asPrompt) await read(cache, tokens)
      else for (const token of tokens) await step(token)
    })
    kernels.memory.profile = null
    return { ms, rows: profile.rows() }
  },

  memory: async () => ({ residentBytes: process.memoryUsage().rss }),
} satisfies Answers & { [Op in keyof Requests]?: (request: Parameters<Requests[Op]>[0]) => unknown }

async function answer(line: string): Promise<unknown> {
  try {
    const { op, ...request } = JSON.parse(line) as { op: keyof typeof operations }
    if (!Object.hasOwn(operations, op)) throw new Error(`op is ${op}, not one of ${Object.keys(operations).join(', ')}`)
    return await (operations[op] as (request: unknown) => Promise<unknown>)(request)
  } catch (error) {
    return { error: (error as Error).message }
  }
}

for await (const line of createInterface(process.stdin)) process.stdout.write(`${JSON.stringify(await answer(line))}\n`)
