import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CachedRows, reusableRows as choose, type ReuseOptions } from '../../src/engine/past/reusable-rows.ts'
import { PATH_GRID, type PromptExtent, pathSpans } from '../../src/nn/attention/path.ts'
import { type RowRules, rowProvenance } from '../../src/nn/provenance.ts'

const LATENT: RowRules = { latent: true, ropeLimit: Number.POSITIVE_INFINITY }
const GROUPED: RowRules = { latent: false, ropeLimit: Number.POSITIVE_INFINITY }

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

/** A session's rows: pieces of prompts and generated runs, one after the other. */
function cached(rules: RowRules, ...pieces: readonly (readonly [count: number, prompt: PromptExtent | null])[]) {
  const provenance: number[] = []
  for (const [count, prompt] of pieces) provenance.push(...rowProvenance(rules, provenance.length, count, prompt))
  return { ids: upTo(provenance.length), provenance, usable: (n: number) => n }
}
/** Of one offer. */
function reusableRows(rules: RowRules, rows: CachedRows, ids: readonly number[], options: ReuseOptions = {}) {
  const { from, ...reuse } = choose(rules, [rows], ids, options)
  expect(from).toBe(rows)
  return reuse
}
const cold = (end: number): PromptExtent => ({ start: 0, end })

describe('reusableRows', () => {
  it('reuses all but the last row of the same prompt, as cold', () => {
    const rows = cached(LATENT, [300, cold(300)])
    expect(reusableRows(LATENT, rows, upTo(300))).toEqual({ rows: 299, extent: cold(300) })
  })

  it('keeps nothing of another text', () => {
    const rows = cached(LATENT, [300, cold(300)])
    expect(reusableRows(LATENT, rows, [7, 1, 2])).toEqual({ rows: 0, extent: cold(3) })
  })

  it('computes the tail cell of a shorter prompt again, so that cold and warm are equal', () => {
    const rows = cached(LATENT, [300, cold(300)])
    expect(reusableRows(LATENT, rows, upTo(500))).toEqual({ rows: 256, extent: cold(500) })
  })

  it('reuses within a cell where both prompts expand it', () => {
    const rows = cached(LATENT, [300, cold(300)])
    const ids = [...upTo(200), ...upTo(250).map(i => i + 1000)]
    expect(reusableRows(LATENT, rows, ids)).toEqual({ rows: 200, extent: cold(450) })
  })

  it('stands on generated rows, equal to rounding; strict does not', () => {
    const rows = cached(LATENT, [300, cold(300)], [50, null])
    expect(reusableRows(LATENT, rows, upTo(500))).toEqual({ rows: 350, extent: { start: 350, end: 500 } })
    expect(reusableRows(LATENT, rows, upTo(500), { strict: true })).toEqual({ rows: 256, extent: cold(500) })
  })

  it('takes generated rows for exact where a cold run would absorb them too', () => {
    const rows = cached(LATENT, [20, cold(20)], [60, null])
    expect(reusableRows(LATENT, rows, upTo(100))).toEqual({ rows: 80, extent: cold(100) })
  })

  it('knows one way only for grouped attention', () => {
    const rows = cached(GROUPED, [300, cold(300)], [200, null])
    expect(reusableRows(GROUPED, rows, upTo(900))).toEqual({ rows: 500, extent: cold(900) })
  })

  it('drops rows that were turned by the other factors of LongRoPE', () => {
    const rules: RowRules = { latent: true, ropeLimit: 64 }
    const short = cached(rules, [50, cold(50)])
    expect(reusableRows(rules, short, upTo(60)).rows).toBe(50)
    expect(reusableRows(rules, short, upTo(80))).toEqual({ rows: 0, extent: cold(80) })
    const crossed = cached(rules, [50, cold(50)], [30, null])
    expect(reusableRows(rules, crossed, upTo(100)).rows).toBe(0)
  })

  it('compares with the forced path of the call', () => {
    const rows = cached(LATENT, [256, cold(256)])
    expect(reusableRows(LATENT, rows, upTo(300), { path: 'expanded' }).extent).toEqual(cold(300))
    expect(reusableRows(LATENT, rows, upTo(300), { path: 'absorbed' })).toEqual({
      rows: 256,
      extent: { start: 256, end: 300 },
    })
  })

  it('says cold only where every row has the path of a cold run', () => {
    const piece = fc.tuple(fc.integer({ min: 1, max: 400 }), fc.boolean())
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 5 }),
        fc.integer({ min: 1, max: 1500 }),
        fc.boolean(),
        (pieces, n, s) => {
          let at = 0
          const spans = pieces.map(([count, isPrompt]): readonly [number, PromptExtent | null] => {
            const start = at
            at += count
            return [count, isPrompt ? { start, end: at } : null]
          })
          const rows = cached(LATENT, ...spans)
          const { rows: kept, extent } = reusableRows(LATENT, rows, upTo(n), { strict: s })
          expect(kept).toBeLessThan(n)
          expect(kept).toBeLessThanOrEqual(rows.ids.length)
          expect(extent.end).toBe(n)
          if (s) expect(extent.start).toBe(0)
          if (extent.start !== 0) {
            expect(extent.start).toBe(kept)
            return
          }
          const paths = pathSpans(0, kept, extent).flatMap(({ count, path }) => Array<string>(count).fill(path))
          expect(rows.provenance.slice(0, kept).map(flags => ((flags & 1) === 1 ? 'expanded' : 'absorbed'))).toEqual(
            paths,
          )
        },
      ),
    )
  })

  it('gives up equality only for more than a cell or for generated rows', () => {
    const rows = cached(LATENT, [100, cold(100)], [100, { start: 100, end: 200 }], [100, { start: 200, end: 300 }])
    const { rows: kept, extent } = reusableRows(LATENT, rows, upTo(600))
    expect(kept).toBe(300)
    expect(extent).toEqual({ start: 300, end: 600 })
    expect(300).toBeGreaterThanOrEqual(PATH_GRID)
  })
})
