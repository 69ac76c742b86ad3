import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, TALES } from './run.ts'

const TEXT = 'Once upon a time, there was a little girl named Lily. She loved to play outside in the garden.'
const QUICK = ['--threads', '1', '--window', '8']

describe('perplexity', () => {
  it('of a file, for people', async () => {
    const folder = tempFolder({ 'text.txt': TEXT })
    const { code, stdout, stderr } = await latentkit(['perplexity', TALES, join(folder, 'text.txt'), ...QUICK])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^tales-mla-8m {2}deepseek_v3 · cache f16 · /)
    expect(stdout).toMatch(/^perplexity +\d+\.\d{4} ± \d+\.\d{4}$/m)
    expect(stdout).toMatch(/^scored +6 of \d+ tokens, \d+ bytes, in 2 windows of 8$/m)
    expect(code).toBe(0)
  })

  it('of standard input, kept and compared with, as JSON', async () => {
    const kept = join(tempFolder(), 'kept.safetensors')
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await latentkit(['perplexity', TALES, '-', '--json', ...args], { input: TEXT })
      expect([code, stderr]).toEqual([0, ''])
      return JSON.parse(stdout)
    }
    const own = await run(...QUICK, '--exact', '--save-reference', kept)
    expect(own).toMatchObject({ exact: true, weights: null, divergence: null })
    const other = await run('--weights', 'q4_0', '--reference', kept)
    expect(other).toMatchObject({ exact: false, weights: 'q4_0', text: own.text })
    expect(other.divergence.reference).toBe('tales-mla-8m, exact')
    expect(other.divergence.referencePerplexity.mean).toBeCloseTo(own.perplexity.mean, 5)
    expect(other.divergence.kl.mean).toBeGreaterThan(1e-3)
  })

  it.each([
    [['no-such-file.txt'], 1, /no-such-file.txt cannot be read: there is no such file/],
    [[join(TALES, 'model.safetensors')], 1, /model.safetensors is no UTF-8 text/],
    [['-', '--window', '64'], 2, /--window is 64; the text has only \d+ tokens: take a longer text or smaller windows/],
    [['-', '--window', '8', '--stride', '8'], 2, /--stride is 8; expected less than the window of 8/],
    [['-', '--reference', 'none'], 1, /none cannot be read: there is no such file/],
  ])('%j ends with %i and one line', async (args, exit, message) => {
    const { code, stdout, stderr } = await latentkit(['perplexity', TALES, ...args], { input: TEXT })
    expect(stdout).toBe('')
    expect(stderr.trim()).toMatch(message)
    expect(stderr.trim().split('\n').length).toBe(1)
    expect(code).toBe(exit)
  })
})
