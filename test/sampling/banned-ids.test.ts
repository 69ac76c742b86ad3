import { describe, expect, it } from 'vitest'
import { BannedIdRule, bannedAfter, FirstIdRule } from '../../src/sampling/banned-ids.ts'
import { BeamSearch } from '../../src/sampling/beam-search.ts'

const BANNED = [[2], [4, 5], [4, 4, 1]]
const allowedBy = (rule: { apply(logits: Float32Array): void }) => {
  const logits = new Float32Array(6)
  rule.apply(logits)
  return [...logits.keys()].filter(id => (logits[id] as number) > Number.NEGATIVE_INFINITY)
}

describe('ids that the files ban', () => {
  it('may not follow the others of their sequence', () => {
    expect([...bannedAfter(BANNED, [])]).toEqual([2])
    expect([...bannedAfter(BANNED, [4])]).toEqual([2, 5])
    expect([...bannedAfter(BANNED, [0, 4, 4])]).toEqual([2, 5, 1])
    expect([...bannedAfter(BANNED, [4, 0])]).toEqual([2])
  })

  it('are held to the prompt and the text', () => {
    const rule = new BannedIdRule(BANNED, [4])
    expect(allowedBy(rule)).toEqual([0, 1, 3, 4])
    rule.accept(4)
    expect(allowedBy(rule)).toEqual([0, 3, 4])
    rule.accept(0)
    expect(allowedBy(rule)).toEqual([0, 1, 3, 4, 5])
  })

  it('the first id of a text is the one that they demand', () => {
    const rule = new FirstIdRule(3)
    expect(allowedBy(rule)).toEqual([3])
    rule.accept()
    expect(allowedBy(rule)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('leave other beams as likely as they are, as in transformers', () => {
    const options = { width: 2, maxTokens: 1, eos: new Set<number>(), lengthPenalty: 1, earlyStopping: false }
    const search = new BeamSearch({ ...options, banned: ids => bannedAfter(BANNED, ids) })
    search.advance([Float32Array.of(0, 0, 5, 1, -9, -9)])
    expect(search.ended.map(({ ids }) => ids)).toEqual([[3], [0]])
    const sum = Math.log(2 + Math.exp(5) + Math.exp(1) + 2 * Math.exp(-9))
    expect(search.ended[0]?.logprob).toBeCloseTo(1 - sum, 5)
    const first = new BeamSearch({ ...options, maxTokens: 2, firstId: 4 })
    first.advance([new Float32Array(6)])
    expect(first.living).toEqual([{ parent: 0, ids: [4], logprob: 0 }])
  })
})
