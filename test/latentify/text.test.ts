/** A calibration text is read in pieces where it is large, and refused by name. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { calibrationText } from '../../src/latentify/text.ts'
import { tempFolder } from '../support/temp-folder.ts'

it('a short text is read whole', async () => {
  const path = join(tempFolder({ 'text.txt': 'ein Füllwort' }), 'text.txt')
  expect(await calibrationText(path, 512)).toBe('ein Füllwort')
})

it('of a large one pieces from its beginning to its end, characters whole', async () => {
  const path = join(tempFolder(), 'large.txt')
  // Characters of three bytes: pieces begin and end within some.
  const line = Buffer.from('€'.repeat(1000))
  writeFileSync(path, Buffer.concat([Buffer.from('begin'), ...Array<Buffer>(23_000).fill(line), Buffer.from('end')]))
  const text = await calibrationText(path, 1e6)
  expect(text.slice(0, 5)).toBe('begin')
  expect(text.slice(-3)).toBe('end')
  expect(text.length).toBeLessThanOrEqual(16e6 + 63)
  expect(new Set(text.slice(5, -3))).toEqual(new Set(['€', '\n']))
})

it('what is no text', async () => {
  const place = tempFolder({ 'latin.txt': Uint8Array.of(0x66, 0xfc, 0x6c, 0x6c) })
  await expect(calibrationText(join(place, 'latin.txt'), 512)).rejects.toThrow(/is no UTF-8 text/)
  await expect(calibrationText(join(place, 'none.txt'), 512)).rejects.toThrow(/cannot be read \(ENOENT\)/)
  await expect(calibrationText(place, 512)).rejects.toThrow(/cannot be read \(EISDIR\)/)
})
