import { describe, expect, it } from 'vitest'
import { type Beam, BeamSearch, type BeamSearchOptions } from '../../src/sampling/beam-search.ts'
import { Rng } from '../support/rng.ts'

const VOCAB = 5
const EOS = new Set([0])

/** A language: the logits after any text, the same whenever they are asked for. */
function language(seed: number) {
  return (ids: readonly number[]): Float32Array => {
    const rng = new Rng(`${seed} ${ids.join()}`)
    return Float32Array.from({ length: VOCAB }, () => 3 * rng.normals(1, 1, 0)[0]!)
  }
}

function logSoftmax(logits: Float32Array): number[] {
  const sum = logits.reduce((all, x) => all + Math.exp(x), 0)
  return [...logits].map(x => x - Math.log(sum))
}

function search(options: BeamSearchOptions, next: (ids: readonly number[]) => Float32Array): BeamSearch {
  const made = new BeamSearch(options)
  let rounds = 0
  while (!made.done) {
    made.advance(made.living.map(({ ids }) => next(ids)))
    rounds++
    expect(made.living.length).toBeLessThanOrEqual(options.width)
    expect(made.ended.length).toBeLessThanOrEqual(options.width)
  }
  expect(rounds).toBeLessThanOrEqual(options.maxTokens)
  return made
}

/** Every text there is, with its score: what a search wide enough must find the best of. */
function allTexts(maxTokens: number, lengthPenalty: number, next: (ids: readonly number[]) => Float32Array) {
  const found: { ids: number[]; score: number }[] = []
  const grow = (ids: number[], logprob: number): void => {
    for (const [id, of] of logSoftmax(next(ids)).entries()) {
      const score = (logprob + of) / (ids.length + 1) ** lengthPenalty
      if (EOS.has(id)) found.push({ ids, score })
      else if (ids.length + 1 === maxTokens) found.push({ ids: [...ids, id], score })
      else grow([...ids, id], logprob + of)
    }
  }
  grow([], 0)
  return found.sort((a, b) => b.score - a.score)
}

describe('beam search', () => {
  it('finds the best text there is, where it is wide enough', () => {
    for (let seed = 0; seed < 20; seed++) {
      const next = language(seed)
      const width = VOCAB ** 4
      const { ended } = search({ width, maxTokens: 4, eos: EOS, lengthPenalty: 1, earlyStopping: false }, next)
      const all = allTexts(4, 1, next)
      for (let i = 0; i < 10; i++) {
        expect(ended[i]?.ids).toEqual(all[i]?.ids)
        expect(ended[i]?.score).toBeCloseTo(all[i]?.score as number, 9)
      }
    }
  })

  it('is greedy with one beam that never ends early', () => {
    for (let seed = 0; seed < 20; seed++) {
      const next = language(seed)
      const options = { width: 1, maxTokens: 8, eos: new Set<number>(), lengthPenalty: 1, earlyStopping: false }
      const ids: number[] = []
      while (ids.length < 8) {
        const logits = next(ids)
        ids.push(logits.indexOf(Math.max(...logits)))
      }
      expect(search(options, next).ended.map(one => one.ids)).toEqual([ids])
    }
  })

  it('says of every beam what it goes on from, and its log-probability', () => {
    const next = language(3)
    const made = new BeamSearch({ width: 3, maxTokens: 6, eos: EOS, lengthPenalty: 0, earlyStopping: false })
    let before: readonly Beam[] = made.living
    while (!made.done) {
      made.advance(before.map(({ ids }) => next(ids)))
      for (const { parent, ids, logprob } of made.living) {
        expect(before[parent]?.ids).toEqual(ids.slice(0, -1))
        const of = logSoftmax(next(ids.slice(0, -1)))[ids.at(-1) as number] as number
        expect(logprob).toBeCloseTo((before[parent] as Beam).logprob + of, 9)
      }
      before = made.living
    }
    for (const { score, logprob } of made.ended) expect(score).toBe(logprob)
  })

  it('ends with the first texts that end, if told so', () => {
    let sooner = 0
    for (let seed = 0; seed < 20; seed++) {
      const options = { width: 2, maxTokens: 30, eos: EOS, lengthPenalty: 2 }
      const [early, late] = [true, false].map(earlyStopping => {
        let asked = 0
        const made = search({ ...options, earlyStopping }, ids => {
          asked++
          return language(seed)(ids)
        })
        return { asked, best: made.ended[0]?.score as number }
      }) as [{ asked: number; best: number }, { asked: number; best: number }]
      expect(early.asked).toBeLessThanOrEqual(late.asked)
      expect(early.best).toBeLessThanOrEqual(late.best)
      if (early.asked < late.asked) sooner++
    }
    expect(sooner).toBeGreaterThan(0)
  })

  it('leaves masked tokens out', () => {
    const masked = (ids: readonly number[]) => {
      const logits = language(1)(ids)
      logits.fill(Number.NEGATIVE_INFINITY, 0, 3)
      return logits
    }
    const { ended } = search({ width: 4, maxTokens: 3, eos: EOS, lengthPenalty: 1, earlyStopping: false }, masked)
    expect(ended.flatMap(({ ids }) => ids).every(id => id >= 3)).toBe(true)
  })
})
