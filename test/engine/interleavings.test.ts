/**
 * Whatever a user does, in whatever order: a strict prompt gives what a model would that recomputes everything, bit for
 * bit. The judge knows nothing of sessions, trees, disks or files; it runs the ids.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiskPlace } from '../../src/cache/disk/disk-place.ts'
import { listBlocks } from '../../src/cache/stored/list-blocks.ts'
import { OptionError } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import { logprobs } from '../../src/sampling/logprobs.ts'
import { argmax } from '../../src/sampling/sampler.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomGroupedConfig, randomLatentConfig, randomModel } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { HostLab, VOCABULARY } from './host-lab.ts'

/** Tokens a session may hold: more than two cells of the path grid. */
const CONTEXT = 320
const RUNS = Number(process.env.LATENTKIT_INTERLEAVINGS ?? 25)
const CONFIGS = {
  latent: { ...randomLatentConfig(new Rng(11)), num_hidden_layers: 2 },
  'sliding windows': { ...randomGroupedConfig(new Rng(12)), use_sliding_window: true, sliding_window: 40 },
}
/** What all prompts are cut from, so that many begin alike. */
const TALE = 'Once upon a time there was a fox who lived in the wood with three bears and a king. '.repeat(4)

interface Answer {
  readonly ids: readonly number[]
  /** Of the ids' probabilities: they depend on every logit. */
  readonly logprobs: readonly number[]
}

/** Greedy, from nothing, with all ids as one prompt. */
async function judge(model: Model, prompt: readonly number[], count: number): Promise<Answer> {
  const cache = model.sequence(CONTEXT)
  const answer = { ids: [] as number[], logprobs: [] as number[] }
  let tokens = [...prompt]
  for (let i = 0; i < count; i++) {
    const extent = i === 0 ? { start: 0, end: prompt.length } : null
    const logits = await model.forward([{ tokens, cache, prompt: extent, logits: 'last' }])
    const row = (await model.kernels.memory.read(logits)) as Float32Array
    const token = argmax(row)
    answer.ids.push(token)
    answer.logprobs.push(logprobs(row, token, 0).logprob)
    tokens = [token]
  }
  cache.dispose()
  return answer
}

/** What there should be. */
interface Expected {
  readonly sessions: { readonly id: number; tokens: readonly number[] }[]
  readonly files: { readonly path: string; readonly tokens: readonly number[] }[]
}

/** What there is. */
interface Real {
  lab: HostLab
  readonly judge: Model
  readonly folder: string
  open(): Promise<HostLab>
}

type Step = fc.AsyncCommand<Expected, Real>
type Session = Expected['sessions'][number]

const step = (name: string, run: (expected: Expected, real: Real) => Promise<void>): Step => ({
  check: () => true,
  run,
  toString: () => name,
})

/** On some session, the one that `pick` falls on. */
const onSession = (
  name: string,
  pick: number,
  run: (session: Session, expected: Expected, real: Real) => Promise<void>,
): Step => ({
  check: ({ sessions }) => sessions.length > 0,
  run: (expected, real) => run(expected.sessions[pick % expected.sessions.length] as Session, expected, real),
  toString: () => `${name} on session ${pick}`,
})

/** Prompts the sessions together and holds each to the judge. */
async function promptAll(sessions: readonly Session[], text: string, count: number, real: Real): Promise<void> {
  const { tokenizer } = real.lab.parts
  const wanted = sessions.filter(s => s.tokens.length > 0 || text !== '')
  const prompts = wanted.map(({ tokens }) => {
    const added =
      tokens.length === 0 ? tokenizer.encodePrompt(text) : tokenizer.encode(text, { addSpecialTokens: false })
    return [...tokens, ...added]
  })
  const options = { temperature: 0, strict: true, maxTokens: count, logprobs: 0 }
  const outcomes = await Promise.allSettled(wanted.map(({ id }) => real.lab.prompt(id, text, options)))
  for (const [i, outcome] of outcomes.entries()) {
    const [session, prompt] = [wanted[i] as Session, prompts[i] as number[]]
    if (prompt.length > CONTEXT) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'context_length' } })
      continue
    }
    if (outcome.status === 'rejected') throw outcome.reason
    const { tokenIds, finishReason } = outcome.value
    const answer = await judge(real.judge, prompt, Math.min(count, CONTEXT - prompt.length))
    expect([finishReason, tokenIds]).toEqual([
      prompt.length + count > CONTEXT || prompt.length === CONTEXT ? expect.stringMatching(/context|length/) : 'length',
      answer.ids,
    ])
    expect(outcome.value.logprobs?.map(l => l.logprob) ?? []).toEqual(answer.logprobs)
    session.tokens = [...prompt, ...answer.ids]
  }
}

async function reopen(expected: Expected, real: Real): Promise<void> {
  expected.sessions.length = 0
  real.lab = await real.open()
}

const pick = fc.nat(7)
const texts = fc.oneof(
  { weight: 3, arbitrary: fc.nat(200).map(length => TALE.slice(0, length)) },
  { weight: 1, arbitrary: fc.constantFrom('', '', ' and then', ' The king said') },
)
const counts = fc.nat(24)

const STEPS: readonly fc.Arbitrary<Step>[] = [
  fc.constant(
    step('open', async (expected, { lab }) => {
      if (expected.sessions.length < 8) expected.sessions.push({ id: lab.session(), tokens: [] })
    }),
  ),
  fc
    .tuple(pick, texts, counts)
    .map(([n, text, count]) =>
      onSession(`prompt ${JSON.stringify(text)} for ${count}`, n, (session, _, real) =>
        promptAll([session], text, count, real),
      ),
    ),
  fc
    .tuple(texts, counts)
    .map(([text, count]) =>
      step(`prompt all together ${JSON.stringify(text)} for ${count}`, ({ sessions }, real) =>
        promptAll(sessions.slice(0, 3), text, count, real),
      ),
    ),
  pick.map(n =>
    onSession('fork', n, async ({ id, tokens }, { sessions }, { lab }) => {
      if (sessions.length >= 8) return
      const as = lab.nextId()
      const state = await lab.ask({ method: 'fork', session: id, as })
      expect(state.tokens).toEqual(tokens)
      sessions.push({ id: as, tokens })
    }),
  ),
  fc.tuple(pick, fc.nat(), fc.nat(40)).map(([n, at, length]) =>
    onSession(`drop ${length} at ${at}`, n, async (session, _, { lab }) => {
      const from = at % (session.tokens.length + 1)
      const to = Math.min(from + length, session.tokens.length)
      try {
        await lab.ask({ method: 'drop', session: session.id, from, to })
        session.tokens = session.tokens.toSpliced(from, to - from)
      } catch (error) {
        // A window may have passed the place; then nothing has changed.
        if (!(error instanceof OptionError)) throw error
      }
    }),
  ),
  pick.map(n =>
    onSession('close', n, async (session, { sessions }, { lab }) => {
      await lab.ask({ method: 'close', session: session.id })
      sessions.splice(sessions.indexOf(session), 1)
    }),
  ),
  fc.constant(step('evict', async (_, { lab }) => lab.parts.model.pool.evictAll())),
  fc.tuple(pick, fc.boolean()).map(([n, rows]) =>
    onSession(rows ? 'save' : 'save without rows', n, async ({ id, tokens }, { files }, { lab, folder }) => {
      const file = join(folder, `${files.length}.session`)
      await lab.ask({ method: 'save', session: id, file, options: { rows } })
      files.push({ path: file, tokens })
    }),
  ),
  pick.map(n =>
    step(`restore ${n}`, async ({ sessions, files }, { lab }) => {
      const file = files[n % files.length]
      if (!file || sessions.length >= 8) return
      const as = lab.nextId()
      const state = await lab.ask({ method: 'restore', as, file: file.path, options: {} })
      expect(state.tokens).toEqual(file.tokens)
      sessions.push({ id: as, tokens: file.tokens })
    }),
  ),
  fc.constant(
    step('end and begin again', async (expected, real) => {
      await real.lab.dispose()
      await reopen(expected, real)
    }),
  ),
  fc.constant(
    step('kill and begin again', async (expected, real) => {
      await real.lab.kill()
      await reopen(expected, real)
    }),
  ),
  fc.tuple(fc.nat(), fc.nat()).map(([which, where]) =>
    step(`damage block ${which} at ${where}`, async (_, { folder }) => {
      const blocks = join(folder, 'blocks')
      const files = (await listBlocks(new DiskPlace(blocks))).filter(f => f.name !== null)
      const file = files[which % files.length]
      if (!file) return
      const path = join(blocks, file.path)
      const bytes = readFileSync(path)
      bytes[where % bytes.length] = (bytes[where % bytes.length] as number) ^ 16
      writeFileSync(path, bytes)
    }),
  ),
]

for (const { name, make, missing } of KERNEL_SETS.filter(k => k.name !== 'reference')) {
  describe.skipIf(missing)(`sessions in any order, ${name} kernels`, () => {
    let kernels: Kernels
    beforeAll(async () => {
      kernels = await make({ threads: 1 })
    })
    afterAll(() => kernels.dispose())

    for (const [kind, config] of Object.entries(CONFIGS)) {
      it(`say what would be said by one that recomputes everything (${kind})`, { timeout: 30_000 * RUNS }, async () => {
        const judging = await randomModel(kernels, { ...config, vocab_size: VOCABULARY }, 1, { blockTokens: 16 })
        const commands = fc.commands([...STEPS, ...STEPS.slice(1, 5), ...STEPS.slice(1, 2)], {
          maxCommands: 30,
          size: 'max',
        })
        const property = fc.asyncProperty(commands, fc.boolean(), async (steps, tight) => {
          const folder = await mkdtemp(join(tmpdir(), 'latentkit-any-order-'))
          // Room for one session and a little more: the others lose their rows again and again.
          const bytes = 1.3 * CONTEXT * judging.layout.bytesPerToken
          const budget = tight ? { cacheBytes: Math.floor(bytes) } : { keptBytes: Math.floor(bytes) }
          const open = () =>
            HostLab.open({ kernels, config, contextLength: CONTEXT, cacheDir: join(folder, 'blocks'), ...budget })
          const real: Real = { lab: await open(), judge: judging, folder, open }
          const expected: Expected = { sessions: [{ id: real.lab.session(), tokens: [] }], files: [] }
          try {
            await fc.asyncModelRun(() => ({ model: expected, real }), steps)
          } finally {
            await real.lab.dispose()
            await rm(folder, { recursive: true })
          }
          expect(real.lab.parts.model.pool.bytes).toBe(0)
        })
        await fc.assert(property, { numRuns: RUNS, seed: 20_261_122 })
        judging.dispose()
      })
    }
  })
}
