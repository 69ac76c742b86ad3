/** A measurement that is given up keeps what is done where that was asked for, and nothing else. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { measurePerplexity } from '../../src/tools.ts'

const TALES = fileURLToPath(new URL('../../models/tales-mla-8m', import.meta.url))
const TEXT = 'Once upon a time, there was a little girl named Lily. She loved to play outside. '.repeat(8)
const OPTIONS = { window: 16, kernels: 'reference', offline: true } as const

/** The signal comes when `after` windows are done. */
function measured(after: number, partial: boolean) {
  const controller = new AbortController()
  const onWindow = ({ done }: { done: number }) => done === after && controller.abort()
  return measurePerplexity(TALES, TEXT, { ...OPTIONS, windows: 6, partial, signal: controller.signal, onWindow })
}

it('the windows done are those of a shorter measurement, to the bit', async () => {
  const short = await measurePerplexity(TALES, TEXT, { ...OPTIONS, windows: 3 })
  const cut = await measured(3, true)
  const { speed: _, interrupted, text, ...rest } = cut
  const { speed: __, interrupted: whole, text: shortText, ...expected } = short
  expect(rest).toEqual(expected)
  expect([interrupted, whole]).toEqual([true, false])
  expect(text).toEqual({ ...shortText, wantedWindows: 6 })
})

it('rejects where that was not asked for, and before the first window', async () => {
  await expect(measured(3, false)).rejects.toMatchObject({ name: 'AbortError' })
  await expect(
    measurePerplexity(TALES, TEXT, { ...OPTIONS, partial: true, signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({ name: 'AbortError' })
})
