/** How long a model stays loaded, as Ollama writes it. */
import { invalid } from '../failure.ts'

const SECONDS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g

/** Seconds: a number of them, or a duration as Go writes it ("1h30m"). Below 0: for ever. undefined where it is not given. */
export function readKeepAlive(given: string | number | null | undefined): number | undefined {
  if (given === null || given === undefined) return undefined
  if (typeof given === 'number') return given
  const text = given.trim()
  if (text !== '' && Number.isFinite(Number(text))) return Number(text)
  const sign = text.startsWith('-') ? -1 : 1
  const parts = text.replace(/^[+-]/, '')
  const seconds = [...parts.matchAll(PART)].reduce(
    (sum, [, n, unit]) => sum + Number(n) * (SECONDS[unit ?? ''] ?? 0),
    0,
  )
  if (parts !== '' && parts.replace(PART, '') === '') return sign * seconds
  throw invalid(
    `keep_alive is ${JSON.stringify(given)}; expected seconds, or a duration such as "5m" or "1h30m"; -1 keeps the model`,
    'keep_alive',
  )
}
