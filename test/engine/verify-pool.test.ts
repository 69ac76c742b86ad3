import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { poolAgreement } from '../../src/inspection/verify/pool.ts'
import { readRival } from '../../src/inspection/verify/rival.ts'
import type { VerifyRow } from '../../src/inspection/verify/row.ts'
import type { VerifyReport } from '../../src/inspection/verify/verify.ts'
import { tempFolder } from '../support/temp-folder.ts'

/** A row with so many of 1,000 positions and of 100 greedy tokens agreeing. */
const row = (top1: number, greedy: number, changes: Partial<VerifyRow> = {}): VerifyRow => ({
  ...{ kernels: 'native', arithmetic: '8-bit', cacheType: 'f16', path: null, prefill: 'whole', passed: true },
  ...{
    logitError: 0,
    logitRms: 0,
    logitMedian: 0,
    hiddenErrors: null,
    encoderError: null,
    firstDivergingLayer: null,
    attentionError: null,
    selection: null,
  },
  top1: { agreeing: top1, expected: 1000 },
  greedy: { agreeing: greedy, expected: 100 },
  ...changes,
})
const report = (rows: VerifyRow[], llamaCpp: VerifyReport['llamaCpp'] = { top1: 0.9, greedy: 0.9 }): VerifyReport => ({
  ...{ folder: 'f', modelType: null, error: null, passed: true },
  rows,
  llamaCpp,
})

describe('pooled agreement', () => {
  it('a file counts once, however many ways it was computed', () => {
    const reports = [report([row(900, 90), row(940, 94)]), report([row(980, 98)], { top1: 1, greedy: 0.8 })]
    expect(poolAgreement(reports)).toEqual([
      {
        ...{ kernels: 'native', files: 2, held: true, passed: true },
        top1: { share: 0.95, tokens: 2000, llamaCpp: 0.95 },
        greedy: { share: 0.95, tokens: 200, llamaCpp: expect.closeTo(0.85, 12) },
      },
    ])
  })

  it('two points below llama.cpp are allowed, for either count', () => {
    const passed = (top1: number, greedy: number) => poolAgreement([report([row(top1, greedy)])])[0]?.passed
    expect([passed(880, 88), passed(879, 100), passed(1000, 87)]).toEqual([true, false, false])
  })

  it('a few tokens are not held to anything', () => {
    const few = row(0, 0, { top1: { agreeing: 0, expected: 800 } })
    expect(poolAgreement([report([few])])).toMatchObject([{ held: false, passed: true, top1: { share: 0 } }])
  })

  it('exact rows, files without numbers of llama.cpp and failed files do not count', () => {
    const reports = [report([row(1, 1, { arithmetic: 'exact' })]), report([row(1, 1)], null), report([])]
    expect(poolAgreement(reports)).toEqual([])
    const sets = [report([row(900, 90), row(950, 95, { kernels: 'wasm' })])]
    expect(poolAgreement(sets).map(p => [p.kernels, p.top1.share])).toEqual([
      ['native', 0.9],
      ['wasm', 0.95],
    ])
  })
})

describe("llama.cpp's own agreement", () => {
  const read = (json: string) =>
    readRival(join(tempFolder({ 'm.expected.json': json }), 'm.expected.safetensors'), [40, 60])
  const as_is = [
    { top1_agreement: 0.5, greedy_forced_top1: 0.5 },
    { top1_agreement: 1, greedy_forced_top1: 0.75 },
  ]

  it('prompts count by their length', async () => {
    expect(await read(JSON.stringify({ llama_cpp: { as_is } }))).toEqual({ top1: 0.8, greedy: 0.625 })
  })

  it.each(['{}', '{"llama_cpp": null}', '{"llama_cpp": {"as_is": [{}, {}]}}', '{"llama_cpp": {"as_is": [null, 1]}}'])(
    'is not there in %s',
    async json => {
      expect(await read(json)).toBe(null)
    },
  )

  it('is not there without a file', async () => {
    expect(await readRival(join(tempFolder(), 'm.expected.safetensors'), [1])).toBe(null)
  })
})
