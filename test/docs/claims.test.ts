/** docs/claims.md is what is computed now, and figures of the articles elsewhere lead there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { computedClaims, keptMeasurements } from '../../bench/claims/all.ts'
import { filledPage } from '../../bench/claims/page.ts'
import { blocksOf, PAGES, prose, ROOT } from './blocks.ts'

const text = (page: string) => readFileSync(join(ROOT, page), 'utf8')
const claims = computedClaims()

describe('docs/claims.md', () => {
  it('has what the bench computes (npm run bench -- claims --write)', () => {
    expect(text('docs/claims.md')).toBe(filledPage(text('docs/claims.md'), claims, keptMeasurements()))
  })

  it('answers every claim once, in the order of the articles', () => {
    const names = claims.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThanOrEqual(17)
    expect(names[0]).toBe('first-token-2000-times')
    for (const { found, claim } of claims) {
      expect(claim).toMatch(/\.$/)
      for (const sentence of found) expect(sentence).toMatch(/[.:]$/)
    }
  })

  it('has the figures that were checked by hand', () => {
    const page = text('docs/claims.md')
    for (const figure of [
      ...[
        '2,147,483,648',
        '4.295 GB',
        '56.89 times',
        '3,997,696',
        '70,272',
        '249,856',
        '31,232',
        '393.216 GB',
        '6.912 GB',
      ],
      ...[
        '7.027 GB',
        '6.54 GiB',
        '7,808',
        '2.25',
        '3.4 times',
        '171 queries',
        '14.1 %',
        '2,001,000',
        '5.76 times',
        '2.788 million',
      ],
    ]) {
      expect(page).toContain(figure)
    }
  })
})

/** Figures of the articles, as other pages quote them. */
const FIGURES =
  /57\s?(×|times)|134 MB|7,808|2\.25 groups|six times as fast|5\.76 times|400 GB against|6 million dollars/

it.each(PAGES.filter(page => !['docs/claims.md', 'docs/log.md'].includes(page)))(
  '%s leads to it where it has a figure of the articles',
  page => {
    const quoted = [...prose(page).map(({ line }) => line), ...blocksOf(page).map(({ code }) => code)].filter(line =>
      FIGURES.test(line),
    )
    if (quoted.length > 0) expect(text(page), quoted.join('\n')).toMatch(/\]\((docs\/)?claims\.md/)
  },
)
