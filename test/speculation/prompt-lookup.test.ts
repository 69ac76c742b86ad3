import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { promptLookup } from '../../src/speculation/prompt-lookup.ts'

const guess = (tokens: readonly number[], count: number) => promptLookup.propose(tokens, count)

/** Every earlier place, the match there counted in full: the definition. */
function naive(tokens: readonly number[], count: number): number[] {
  let best = { length: 1, at: -1 }
  for (let at = tokens.length - 2; at >= 0; at--) {
    let length = 0
    while (length < 8 && at - length >= 0 && tokens[at - length] === tokens[tokens.length - 1 - length]) length++
    if (length > best.length) best = { length, at }
  }
  if (best.at < 0) return []
  const all = [...tokens]
  for (let i = 0; i < count; i++) all.push(all[best.at + 1 + i] as number)
  return all.slice(tokens.length)
}

describe('prompt lookup', () => {
  it('says what followed the last tokens before', async () => {
    expect(await guess([1, 2, 3, 4, 5, 9, 1, 2, 3], 2)).toEqual([4, 5])
    expect(await guess([1, 2, 3, 4], 5)).toEqual([])
    expect(await guess([7], 5)).toEqual([])
  })

  it('prefers the longer match, of equals the later', async () => {
    expect(await guess([1, 2, 3, 8, 2, 3, 9, 1, 2, 3], 1)).toEqual([8])
    expect(await guess([2, 3, 8, 2, 3, 9, 5, 2, 3], 1)).toEqual([9])
  })

  it('goes on with a period beyond the end', async () => {
    expect(await guess([5, 1, 2, 1, 2], 5)).toEqual([1, 2, 1, 2, 1])
  })

  it('is the definition, for any tokens', async () => {
    const tokens = fc.array(fc.nat(3), { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(tokens, fc.integer({ min: 1, max: 15 }), async (ids, count) => {
        expect(await guess(ids, count)).toEqual(naive(ids, count))
      }),
    )
  })
})
