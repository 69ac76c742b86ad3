import { existsSync, readFileSync } from 'node:fs'
import type { Claim } from './claim.ts'
import { costClaims } from './cost.ts'
import { countClaims } from './counts.ts'
import type { Measured } from './measured.ts'
import { memoryClaims } from './memory.ts'

/** Where measurements are kept, so that the page can be written without measuring again. */
const KEPT = new URL('../../bench/results/claims.json', import.meta.url)

export interface KeptMeasurements {
  /** The machine as `printJson` reports it. */
  readonly machine: Readonly<Record<string, unknown>>
  readonly measured: readonly Measured[]
}

/** null: nothing was measured yet. */
export function keptMeasurements(path: URL | string = KEPT): KeptMeasurements | null {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null
}

/** Every claim that computing or counting answers, in the order in which the articles come to it. */
export function computedClaims(): Claim[] {
  const all = [...memoryClaims(), ...countClaims(), ...costClaims()]
  const order = [
    'first-token-2000-times',
    'one-layer',
    'hidden-times-heads',
    'mqa-100',
    'gqa-2dg',
    'tables-8-and-9',
    '576-wide',
    '57-times',
    '400-to-6',
    'equal-groups',
    'wuk-not-stored',
    'merged-matrices',
    'two-paths',
    'rope-toy',
    'patterns',
    'six-times',
    '6-million',
  ]
  return all.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
}
