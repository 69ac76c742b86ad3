/** The rope key and theta that lose least are found from neighbour to neighbour. */
import { expect, it } from 'vitest'
import { type Place, searched, searchSpace } from '../../src/latentify/search.ts'

const space = searchSpace({ rope: 48, theta: 10_000 }, { total: 192, width: 64, theta: 100_000 })

it('what is tried fits the head and leaves a latent', () => {
  expect(space.ropes).toEqual([4, 6, 8, 12, 16, 24, 32, 48, 64])
  expect(space.thetas).toEqual([300, 1000, 3000, 10_000, 30_000, 100_000])
  const small = searchSpace({ rope: 10, theta: 500 }, { total: 16, width: 64, theta: 500 })
  expect(small).toEqual({ ropes: [4, 6, 8, 10, 12], thetas: [300, 500] })
})

it.each([
  [48, 10_000],
  [16, 1000],
  [64, 100_000],
  [4, 300],
])('the lowest place of a valley is found: rope %s, theta %s', async (rope, theta) => {
  const asked: Place[] = []
  const loss = async (place: Place) => {
    asked.push(place)
    return Math.abs(Math.log(place.rope / rope)) + 0.1 * Math.abs(Math.log(place.theta / theta))
  }
  expect(await searched({ rope: 48, theta: 10_000 }, space, loss)).toEqual({ rope, theta })
  expect(new Set(asked.map(({ rope, theta }) => `${rope} ${theta}`)).size).toBe(asked.length)
  expect(asked.length).toBeLessThan(18)
})

it('what was given is not searched, and a loss that is no number is never best', async () => {
  const asked: Place[] = []
  const loss = async (place: Place) => {
    asked.push(place)
    return place.theta === 3000 ? Number.NaN : place.theta
  }
  const found = await searched({ rope: 20, theta: 10_000 }, { ropes: [20], thetas: space.thetas }, loss)
  expect(found).toEqual({ rope: 20, theta: 10_000 })
  expect(asked.every(({ rope }) => rope === 20)).toBe(true)
})
