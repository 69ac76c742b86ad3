/** The bundled model on a text of its own fixtures, whose logits transformers has computed. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { measurePerplexity, type PerplexityOptions, ReferenceFileError } from '../../src/tools.ts'
import { TALES } from '../engine/tales.ts'
import { readSafetensors } from '../support/safetensors.ts'
import { withHeader, writeSafetensors } from '../support/safetensors-writer.ts'
import { tempFolder } from '../support/temp-folder.ts'

const expected = readSafetensors(`${TALES}/expected.safetensors`)
const { text } = JSON.parse(readFileSync(`${TALES}/expected.json`, 'utf8')).prompts[0] as { text: string }
/** f32 where the kernels are left to the machine: numbers of transformers are in float64. */
const EXACT: PerplexityOptions = { threads: 1, cacheType: 'f32' }
const measure = (options: PerplexityOptions = {}, of = text) => measurePerplexity(TALES, of, { ...EXACT, ...options })

describe('perplexity', () => {
  it('is that of the logits of transformers', async () => {
    const ids = [...expected.get('0.input_ids')!.data]
    const logits = expected.get('0.logits')!.data as Float32Array
    const vocab = logits.length / ids.length
    const nll = (at: number) => {
      const row = Array.from(logits.subarray((at - 1) * vocab, at * vocab))
      return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - (row[ids[at] as number] as number)
    }
    const scored = [8, 9, 10, 11, 12, 13].map(nll)
    const mean = scored.reduce((a, b) => a + b) / scored.length

    const report = await measure({ window: 14 })
    expect(report.natsPerToken.mean).toBeCloseTo(mean, 5)
    expect(report.perplexity.mean).toBeCloseTo(Math.exp(mean), 4)
    expect(report.bitsPerToken).toBeCloseTo(mean / Math.LN2, 5)
    expect(report.afterEachWindow).toEqual([report.perplexity.mean])
    expect(report.text).toMatchObject({ tokens: 14, windows: 1, window: 14, step: 14, scored: 6 })
    // " little girl named Lily.": the six tokens' share of the text.
    expect(text.endsWith('a little girl named Lily.')).toBe(true)
    expect(report.natsPerByte * report.text.scoredBytes).toBeCloseTo(6 * mean, 4)
    expect(report.divergence).toBe(null)
  })

  it('with a stride of 1 every token but the first has a context of its own', async () => {
    const { text: cut, natsPerToken } = await measure({ window: 4, stride: 1 })
    expect(cut).toMatchObject({ windows: 11, scored: 11 })
    // Less context, less certain.
    expect(natsPerToken.mean).toBeGreaterThan((await measure({ window: 14 })).natsPerToken.mean)
  })

  it('tells what windows there are, and stops when asked to', async () => {
    const seen: [number, number][] = []
    const report = await measure({ window: 4, onWindow: ({ done, windows }) => seen.push([done, windows]) })
    expect(seen).toEqual([1, 2, 3].map(done => [done, 3]))
    expect(report.afterEachWindow.length).toBe(3)
    const controller = new AbortController()
    const stopped = measure({ window: 4, signal: controller.signal, onWindow: () => controller.abort() })
    await expect(stopped).rejects.toThrow('aborted')
  })

  it('refuses windows beyond the model', async () => {
    await expect(measure({ window: 4096 })).rejects.toThrow('window is 4096; this model was made for at most 2048')
  })
})

describe('compared', () => {
  it('with itself: a file and a second model say the same', async () => {
    const path = join(tempFolder(), 'reference.safetensors')
    const own = await measure({ window: 7, saveReference: path })
    expect(readdirSync(dirname(path))).not.toContainEqual(expect.stringMatching(/incomplete/))
    // The file's own windows, without being told.
    const same = await measure({ reference: path })
    expect(same.perplexity).toEqual(own.perplexity)
    expect(same.divergence?.top1).toEqual({ mean: 1, error: 0 })
    expect(same.divergence?.perplexityRatio.mean).toBeCloseTo(1, 7)
    expect(same.divergence?.klQuantiles.max).toBeLessThan(1e-7)

    const rounded = { window: 7, weights: 'q4_0' } as const
    const byFile = (await measure({ ...rounded, reference: path })).divergence!
    const byModel = (await measure({ ...rounded, against: TALES })).divergence!
    expect(byModel.reference).toBe('tales-mla-8m, exact')
    expect(byModel.kl.mean).toBeGreaterThan(1e-3)
    expect(byFile.kl.mean / byModel.kl.mean).toBeCloseTo(1, 3)
    expect(byFile.top1).toEqual(byModel.top1)
    expect(byFile.perplexityRatio.mean).toBeCloseTo(byModel.perplexityRatio.mean, 6)
  })

  it('with a file that is another: says what differs', async () => {
    const folder = tempFolder()
    const path = join(folder, 'reference.safetensors')
    await measure({ window: 7, windows: 1, saveReference: path })
    const refused = async (options: PerplexityOptions, message: string, of = text) => {
      const error = await measure({ reference: path, ...options }, of).catch((e: unknown) => e)
      expect(error).toMatchObject({ message: expect.stringContaining(message), code: expect.stringMatching(/^bad_/) })
    }
    await refused(
      { window: 6 },
      'is of windows of 7 tokens every 7, scored from token 4, this measurement of windows of 6',
    )
    await refused({ windows: 2 }, 'holds 1 windows, this measurement has 2')
    await refused({}, 'is of another text or tokenizer: token 1 of window 0', `Twice ${text}`)
    await refused({ against: TALES }, 'reference and against are both given')
    await refused({ reference: `${TALES}/model.safetensors` }, 'expected latentkit-reference-1')
    await refused({ reference: join(folder, 'none') }, 'there is no such file')

    const whole = readFileSync(path)
    const put = (bytes: Uint8Array) => {
      const changed = join(folder, 'changed.safetensors')
      writeFileSync(changed, bytes)
      return changed
    }
    await refused({ reference: put(whole.subarray(0, -1)) }, 'is the file cut short?')
    await refused({ reference: put(whole.subarray(0, 5)) }, 'has 5 bytes')
    const metadata = { format: 'latentkit-reference-1', model: 'x', window: '7', step: '7', scored_from: '4' }
    const tokens = { dtype: 'I32', shape: [1, 7] } as const
    const codes = { dtype: 'U16', shape: [3, 4095] } as const
    await refused({ reference: put(withHeader('{"__metadata__":{"format":"latentkit-reference-1"}}')) }, 'window is ""')
    await refused(
      { reference: put(writeSafetensors({ tokens, codes }, metadata)) },
      '4095 tokens in its vocabulary, this one has 4096',
    )
    await refused({ reference: put(writeSafetensors({ tokens }, metadata)) }, 'tensor nll is missing; expected F32 [3]')
  })

  it('a reference that cannot be written is said before anything is computed', async () => {
    const error = await measure({ window: 7, saveReference: '/nowhere/x.safetensors' }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ReferenceFileError)
  })

  it('leaves no file behind when it is stopped', async () => {
    const path = join(tempFolder(), 'reference.safetensors')
    const controller = new AbortController()
    const { signal } = controller
    await expect(
      measure({ window: 4, saveReference: path, signal, onWindow: () => controller.abort() }),
    ).rejects.toThrow('aborted')
    expect(readdirSync(dirname(path))).toEqual([])
  })
})
