import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PATH_GRID, pathSpans } from '../../src/nn/attention/path.ts'

const pathOf = (position: number, prompt: { start: number; end: number } | null) =>
  pathSpans(position, 1, prompt)[0]?.path

describe("MLA's path", () => {
  it('is expanded in cells that lie wholly within the prompt, absorbed elsewhere', () => {
    const prompt = { start: 5, end: 3 * PATH_GRID + 7 }
    expect(pathOf(PATH_GRID - 1, prompt)).toBe('absorbed')
    expect(pathOf(PATH_GRID, prompt)).toBe('expanded')
    expect(pathOf(3 * PATH_GRID - 1, prompt)).toBe('expanded')
    expect(pathOf(3 * PATH_GRID, prompt)).toBe('absorbed')
    expect(pathOf(0, { start: 0, end: PATH_GRID })).toBe('expanded')
    expect(pathOf(0, { start: 0, end: PATH_GRID - 1 })).toBe('absorbed')
    expect(pathOf(200, null)).toBe('absorbed')
  })

  it('of a token does not depend on how its prompt is cut', () => {
    fc.assert(
      fc.property(fc.nat(600), fc.nat(600), fc.nat(1200), fc.nat(400), (start, length, from, count) => {
        const prompt = { start, end: start + length }
        const whole = pathSpans(from, count, prompt)
        expect(whole.reduce((n, s) => n + s.count, 0)).toBe(count)
        for (const span of whole) {
          for (let i = span.start; i < span.start + span.count; i++) expect(pathOf(from + i, prompt)).toBe(span.path)
        }
      }),
    )
  })
})
