/** What an interrupted conversion leaves for one with other settings. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { WorkFolder } from '../../src/latentify/work-folder.ts'
import { tempFolder } from '../support/temp-folder.ts'

it('sizes are kept by what they were measured with, texts by the kernels that wrote them', async () => {
  const path = join(tempFolder(), 'out.latentify')
  const work = await WorkFolder.open(path, { model: 'a' })
  await work.keepMeasured('balance 1', { original: 2 })
  await work.keepMeasured('balance 2', { original: 3 })
  const windows = [Int32Array.of(1, 2), Int32Array.of(3, 4)]
  await work.keepSamples({ numerics: 'here', windows, seconds: 5 })
  await work.beginHealing({ steps: 3 })
  await work.dropTensors()

  const again = await WorkFolder.open(path, { model: 'a' })
  expect(await again.measured('balance 1')).toEqual({ original: 2 })
  expect(await again.measured('balance 3')).toBe(undefined)
  expect(await again.samples('here')).toEqual({ numerics: 'here', windows, seconds: 5 })
  expect(await again.samples('elsewhere')).toBe(undefined)
  const other = await WorkFolder.open(path, { model: 'b' })
  expect([await other.measured('balance 1'), await other.samples('here')]).toEqual([undefined, undefined])
})
