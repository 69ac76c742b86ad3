import { expect, test } from 'vitest'
import { KeptResponses } from '../../apps/server/responses/kept.ts'

const MIB = 2 ** 20
/** A response with one item. */
const made = (item: string, text = 'x') => ({
  response: { output: [{ id: item, type: 'message', text }] },
  said: [{ role: 'assistant', content: text }] as const,
})

test('an item is found by the key that asked for its answer, until that is forgotten', () => {
  const kept = new KeptResponses()
  kept.keep('r', 'one', made('m'))
  expect(kept.item('m', 'one')).toEqual({ id: 'm', type: 'message', text: 'x' })
  for (const [id, owner] of [
    ['m', 'two'],
    ['m', ''],
    ['n', 'one'],
    ['', 'one'],
  ] as const) {
    expect(kept.item(id, owner)).toBeUndefined()
  }
  kept.forget('r', 'one')
  expect(kept.item('m', 'one')).toBeUndefined()
})

test('an answer whose items are referred to is in use: others go first', () => {
  const kept = new KeptResponses()
  const text = 'x'.repeat(7 * MIB)
  kept.keep('r0', '', made('m0', text))
  kept.keep('r1', '', made('m1', text))
  kept.keep('r2', '', made('m2', text))
  expect(kept.item('m0', '')).toBeDefined()
  // Each is in its response, its conversation and by itself: a fourth is too much.
  kept.keep('r3', '', made('m3', text))
  expect(['m0', 'm1', 'm2', 'm3'].filter(id => kept.item(id, '') !== undefined)).toEqual(['m0', 'm2', 'm3'])
})
