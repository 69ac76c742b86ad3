import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Sequence } from '../../src/engine/loop/sequence.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomModelOf } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { Lab, type Run, sameBits } from './lab.ts'

const CHUNK = 128
const ALONE = 512

const present = KERNEL_SETS.filter(({ missing }) => !missing)
const set = (present.find(({ name }) => name !== 'reference') ?? present[0]) as (typeof KERNEL_SETS)[number]

describe(`steps that are given up, on ${set.name} kernels`, () => {
  let kernels: Kernels
  let model: Model
  let prompt: number[]

  beforeAll(async () => {
    kernels = await set.make({ threads: 1 })
    model = await randomModelOf(kernels, 'latent')
    const rng = new Rng('given up')
    prompt = Array.from({ length: 700 }, () => rng.below(model.config.vocabSize))
  })
  afterAll(() => {
    model.dispose()
    kernels.dispose()
  })

  const cold = (tokens: readonly number[]): Promise<Run> => {
    const lab = new Lab(model, kernels, CHUNK)
    return lab.run(lab.timeline(), tokens)
  }

  it('reads a prompt that is alone in longer steps, to the same bits', async () => {
    const lab = new Lab(model, kernels, CHUNK, ALONE)
    const run = await lab.run(lab.timeline(), prompt)
    expect(lab.steps.slice(0, 2)).toEqual([[512], [188]])
    expect(sameBits(run, await cold(prompt))).toBe(true)
  })

  it('ends in the middle of a step when its text is aborted, and can be tried again', async () => {
    const lab = new Lab(model, kernels, CHUNK, ALONE)
    const timeline = lab.timeline()
    let layers = 0
    const aborted = await lab.run(timeline, prompt, {
      started: sequence => {
        lab.onLayer = () => {
          if (lab.steps.length === 2 && layers++ === 0) sequence.abort()
        }
      },
    })
    expect(aborted.finishReason).toBe('aborted')
    expect(layers).toBe(1)
    expect(timeline.cache.length).toBe(512)
    lab.onLayer = () => {}
    const again = await lab.run(timeline, prompt)
    expect(again.usage.cachedTokens).toBe(512)
    expect(sameBits(again, await cold(prompt))).toBe(true)
  })

  it('may be given up within a layer, where a layer is much work', async () => {
    const lab = new Lab(model, kernels, CHUNK, ALONE)
    const submit = vi.spyOn(kernels, 'submit')
    const shares: number[] = []
    lab.onLayer = done => shares.push(done)
    submit.mockImplementation(async function (this: Kernels, pause) {
      await pause?.()
      submit.mockRestore()
      await this.submit(pause)
    })
    const run = await lab.run(lab.timeline(), prompt)
    expect(shares.slice(0, 2)).toEqual([0, 1 / model.config.layers.length])
    expect(sameBits(run, await cold(prompt))).toBe(true)
  })

  it('gives a long step up for one who comes early in it, not late', async () => {
    const short = prompt.slice(300, 380)
    const computed: number[] = []
    for (const { alone, from } of [
      { alone: ALONE, from: 0 },
      { alone: 2 * CHUNK, from: 0.5 },
    ]) {
      const lab = new Lab(model, kernels, CHUNK, alone)
      const newcomers: Promise<Run>[] = []
      lab.onLayer = done => {
        if (newcomers.length === 0 && done >= from) newcomers.push(lab.run(lab.timeline(), short))
      }
      expect(sameBits(await lab.run(lab.timeline(), prompt), await cold(prompt))).toBe(true)
      expect(sameBits((await newcomers[0]) as Run, await cold(short))).toBe(true)
      expect(lab.steps[0]).toEqual([alone])
      computed.push(lab.steps.flat().reduce((sum, tokens) => sum + tokens, 0))
    }
    const [early, late] = computed as [number, number]
    expect(early - late).toBe(ALONE)
  })

  it('runs on for the others of a step of whom one has ended', async () => {
    const lab = new Lab(model, kernels, CHUNK, ALONE)
    const sequences: Sequence[] = []
    lab.onLayer = () => {
      if (lab.steps.at(-1)?.length === 2) sequences[0]?.abort()
    }
    const started = (sequence: Sequence) => sequences.push(sequence)
    const [one, other] = await Promise.all([
      lab.run(lab.timeline(), prompt, { started }),
      lab.run(lab.timeline(), prompt.slice(100), { started }),
    ])
    expect(one?.finishReason).toBe('aborted')
    expect(sameBits(other as Run, await cold(prompt.slice(100)))).toBe(true)
  })
})
