import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines, type Result, start, TALES } from './run.ts'

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
    [['-', '--window', '8', '--stride', '9'], 2, /--stride is 9; expected at most the window of 8/],
    [['-', '--reference', 'none'], 1, /none cannot be read: there is no such file/],
  ])('%j ends with %i and one line', async (args, exit, message) => {
    const { code, stdout, stderr } = await latentkit(['perplexity', TALES, ...args], { input: TEXT })
    expect(stdout).toBe('')
    expect(stderr.trim()).toMatch(message)
    expect(stderr.trim().split('\n').length).toBe(1)
    expect(code).toBe(exit)
  })
})

describe('perplexity that is interrupted', () => {
  const interrupted = async (...args: string[]): Promise<Result> => {
    const folder = tempFolder({ 'text.txt': TEXT.repeat(2000) })
    const child = start(['perplexity', TALES, join(folder, 'text.txt'), ...QUICK, '--csv', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stderr?.on('data', text => (stderr += text))
    child.stdout?.on('data', text => {
      // A few windows are done: a row each.
      stdout += text
      if (lines(stdout).length > 3) child.kill('SIGINT')
    })
    return new Promise(resolve => child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })))
  }

  it('keeps the windows that are done, and ends with 130', async () => {
    const kept = join(tempFolder(), 'kept.safetensors')
    const { code, stdout, stderr } = await interrupted('--save-reference', kept)
    expect(code).toBe(130)
    const [heads = '', ...rows] = lines(stdout)
    expect(heads).toMatch(/^window,scored_tokens,nats_per_token,perplexity,perplexity_so_far,kl_nats,same_top$/)
    expect(rows.length).toBeGreaterThan(2)
    for (const [i, row] of rows.entries()) expect(row).toMatch(new RegExp(`^${i + 1},3,[\\d.]+,[\\d.e+]+,[\\d.e+]+,,$`))
    expect(stderr).toMatch(
      new RegExp(`^interrupted after ${rows.length} of [\\d,]+ windows; .*kept.safetensors is not`),
    )
    expect(existsSync(kept) || existsSync(`${kept}.incomplete`)).toBe(false)
  })
})

it('a row for each window, with what it is compared with', async () => {
  const run = (...args: string[]) => latentkit(['perplexity', TALES, '-', ...QUICK, ...args], { input: TEXT })
  const { code, stdout } = await run('--against', TALES, '--weights', 'q4_0', '--csv')
  const rows = lines(stdout)
    .slice(1)
    .map(row => row.split(',').map(Number))
  const { eachWindow, text, interrupted } = JSON.parse(
    (await run('--against', TALES, '--weights', 'q4_0', '--json')).stdout,
  )
  expect([code, rows.length, text.wantedWindows, interrupted]).toEqual([0, text.windows, text.windows, false])
  for (const [i, w] of eachWindow.entries()) {
    expect(rows[i]?.slice(1, 4)).toEqual([w.scored, w.natsPerToken, w.perplexity])
    expect(rows[i]?.slice(5)).toEqual([w.kl, w.top1])
  }
  expect(rows.some(row => (row[5] as number) > 0)).toBe(true)
})
