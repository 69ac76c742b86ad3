/** What a smaller rank loses of a matrix. */
import { expect, it } from 'vitest'
import { rankErrors } from '../../src/attention/index.ts'

it('is all of it at rank 0, and nothing where the rank is that of the matrix', async () => {
  // [3, 4] and [6, 8]: one direction. The other has two, of which one is twice as large.
  const one = await rankErrors([3, 4, 6, 8], 2)
  expect([...one].map(x => Number(x.toFixed(6)))).toEqual([1, 0, 0])
  const two = await rankErrors([2, 0, 0, 1], 2)
  expect([...two].map(x => Number(x.toFixed(6)))).toEqual([1, 0.447214, 0])
})

it('refuses what is no matrix', async () => {
  await expect(rankErrors([1, 2, 3], 2)).rejects.toThrow('numbers has 3 and rows is 2')
  await expect(rankErrors([], 1)).rejects.toThrow('at least one')
  await expect(rankErrors([1, Number.NaN], 1)).rejects.toThrow('not finite')
})
