/** What is measured of sizes on windows that statistics have not seen, and the smallest size that loses little enough. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { measurePerplexity } from '../../src/evaluation/perplexity.ts'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import type { LatentifyProgress } from '../../src/latentify/options.ts'
import type { Latentification } from '../../src/latentify/result.ts'
import { smallestWithin } from '../../src/latentify/smallest.ts'
import { cutText } from '../../src/latentify/windows.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { fixture } from './models.ts'

describe('smallestWithin', () => {
  it.each([16, 64, 200, 368])('finds the first size that is good enough: %s numbers', async good => {
    const tried: number[] = []
    const found = await smallestWithin(0.1, { least: 2, whole: 384 }, async numbers => {
      tried.push(numbers)
      return numbers >= good ? 1.1 : 1.11
    })
    expect(found).toBe(16 * Math.ceil(good / 16))
    expect(tried.length).toBeLessThan(6)
  })

  it('tries no size that a rope key of 64 leaves no latent', async () => {
    const tried: number[] = []
    const found = await smallestWithin(0.1, { least: 66, whole: 384 }, async numbers => {
      tried.push(numbers)
      return 1
    })
    expect([found, Math.min(...tried)]).toEqual([80, 80])
  })

  it('says how far off the largest was', async () => {
    await expect(smallestWithin(0.1, { least: 2, whole: 384 }, async () => 1.5)).rejects.toThrow(
      /even with 368 of 384 .* 1\.500 times/,
    )
    await expect(smallestWithin(0.1, { least: 2, whole: 16 }, async () => 1)).rejects.toThrow(/caches only 16 numbers/)
  })
})

it('windows that are held back are none that are read, and all begin as texts do', () => {
  const ids = Array.from({ length: 1000 }, (_, i) => i + 10)
  const tokenizer = { encodePrompt: () => ids, startsWithBos: true, bosId: 1 } as unknown as Parameters<
    typeof cutText
  >[1]
  const { read, held } = cutText('', tokenizer, { size: 20, tokens: 600, held: 8 })
  expect([read.length, held.length]).toEqual([30, 8])
  const starts = [...read, ...held].map(window => window[1] as number)
  expect(new Set(starts).size).toBe(38)
  for (const window of [...read, ...held]) {
    expect(window[0]).toBe(1)
    expect(window[19]).toBe((window[1] as number) + 18)
  }
  expect(cutText('', tokenizer, { size: 100, tokens: 5000, held: 8 }).held.length).toBe(2)
})

it('what may be learned from is all that is not held back', () => {
  const ids = Array.from({ length: 1000 }, (_, i) => i)
  const tokenizer = { encodePrompt: () => ids, startsWithBos: false } as unknown as Parameters<typeof cutText>[1]
  const { held, others } = cutText('', tokenizer, { size: 20, tokens: 100, held: 4 })
  expect(held.length).toBe(4)
  expect([...held, ...others].map(window => window[0] as number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 50 }, (_, i) => 20 * i),
  )
})

describe('a conversion', () => {
  const folder = fixture('llama-gqa')
  it.skipIf(folder === undefined)(
    'measures what it writes and further sizes, and keeps the report beside it',
    { timeout: 300_000 },
    async () => {
      const place = tempFolder()
      const calibrate = join(place, 'text.txt')
      writeFileSync(calibrate, Array.from({ length: 900 }, (_, i) => `word ${(i * i) % 97} of ${i % 13}`).join(' '))
      const output = join(place, 'half')
      const options = { cacheRatio: 0.5, also: [0.75], calibrate, calibrationTokens: 1024, measure: 1, threads: 1 }
      const { measured, bytesPerToken, cache } = await latentifyModel(folder as string, output, options)
      expect(bytesPerToken).toEqual({ before: 3 * 48 * 2, after: 3 * 24 * 2 })
      expect(measured?.sizes.map(({ rank, rope }) => rank + rope)).toEqual([24, 36])
      const [own] = measured!.sizes
      expect(own!.errorByLayer.length).toBe(3)
      // The same by the tool for it: the model as it is written, against its original.
      const text = readFileSync(calibrate, 'utf8')
      const { divergence } = await measurePerplexity(output, text, {
        against: folder as string,
        exact: true,
        windows: 1,
      })
      expect(own!.kl.mean / divergence!.kl.mean).toBeGreaterThan(0.3)
      expect(own!.kl.mean / divergence!.kl.mean).toBeLessThan(3)
      const report = JSON.parse(readFileSync(join(output, 'latentify.json'), 'utf8'))
      expect(report).toMatchObject({ cache, measured: { windows: 1 }, calibrate: 'text.txt' })
      expect(readFileSync(join(output, 'latentify.svg'), 'utf8')).toContain('numbers cached per token and layer')
      expect(readFileSync(join(output, 'README.md'), 'utf8')).toContain('| **24** |')
    },
  )

  it.skipIf(folder === undefined)(
    'that is interrupted while it searches does not measure again what it has measured',
    { timeout: 300_000 },
    async () => {
      const place = tempFolder()
      const calibrate = join(place, 'text.txt')
      writeFileSync(calibrate, Array.from({ length: 900 }, (_, i) => `word ${(i * i) % 97} of ${i % 13}`).join(' '))
      const sizes = { cacheRatio: 0.5, theta: 10_000, search: true, calibrate, calibrationTokens: 1024, measure: 1 }
      const run = async (name: string, enough = Number.POSITIVE_INFINITY) => {
        const controller = new AbortController()
        let count = 0
        const onProgress = ({ stage, done }: LatentifyProgress) => {
          if (stage === 'measure' && done === 0 && ++count > enough) controller.abort(new Error('enough'))
        }
        const options = { ...sizes, threads: 1, signal: controller.signal, onProgress }
        const made = latentifyModel(folder as string, join(place, name), options)
        return { made: await made.catch((error: Error) => error), count: () => count }
      }
      const whole = await run('one')
      expect((await run('two', 2)).made).toEqual(new Error('enough'))
      const again = await run('two')
      expect(again.count()).toBe(whole.count() - 2)
      expect((again.made as Latentification).measured).toEqual((whole.made as Latentification).measured)
    },
  )

  it.skipIf(folder === undefined)(
    'takes the text of the package where none is given',
    { timeout: 300_000 },
    async () => {
      const output = join(tempFolder(), 'half.gguf')
      const { calibrationTokens, files } = await latentifyModel(folder as string, output, {
        ...{ pplWithin: 0.9, calibrationTokens: 512, measure: 1, threads: 1 },
      })
      expect(calibrationTokens).toBeGreaterThan(0)
      expect(files.every(file => existsSync(file))).toBe(true)
      expect(files.some(file => file.endsWith('half.latentify.json'))).toBe(true)
    },
  )
})
