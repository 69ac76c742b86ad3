/**
 * Bytes for a design document: powers of ten and of two, both by name. GB is 10^9 and GiB 2^30; datasheets mean the
 * first, memory is sold and addressed in the second.
 */
import { InvalidArgumentError } from 'commander'
import { integer } from '../output/format.ts'

const TEN = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
const TWO = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `7.027 GB (6.545 GiB)`; below 1,000 bytes they are one number. */
export function bothUnits(bytes: number): string {
  return bytes < 1000 ? `${integer(bytes)} B` : `${tens(bytes)} (${twos(bytes)})`
}

/** `7.027 GB` */
export function tens(bytes: number): string {
  return scaled(bytes, 1000, TEN)
}

/** In the power of two that matches: 7.027 GB are 6.545 GiB, 0.98 GB are 934.6 MiB but 1 GB is 0.931 GiB. */
export function twos(bytes: number): string {
  return scaled(bytes, 1024, TWO, step(bytes, 1000))
}

function scaled(bytes: number, base: number, units: readonly string[], n = step(bytes, base)): string {
  return `${(bytes / base ** n).toLocaleString('en-GB', { maximumFractionDigits: n === 0 ? 0 : 3 })} ${units[n]}`
}

function step(bytes: number, base: number): number {
  let n = 0
  while (bytes >= base ** (n + 1) && n < TEN.length - 1) n++
  return n
}

/** `80GB`, `24 GiB`, `10737418240`. G alone could be either, so it is refused; so is fewer than a thousand bytes. */
export function bytesFrom(text: string): number {
  const [, digits = '', letter = '', two = ''] = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])(i?)b|b)?$/i.exec(text.trim()) ?? []
  const power = letter === '' ? 0 : 'kmgtp'.indexOf(letter.toLowerCase()) + 1
  const bytes = Math.floor(Number(digits) * (two ? 1024 : 1000) ** power)
  // 80 without a unit is a slip: nothing fits into 80 bytes.
  if (digits === '' || !Number.isSafeInteger(bytes) || bytes < 1000) {
    throw new InvalidArgumentError('Expected bytes with a unit, such as 80GB (10^9 each) or 10GiB (2^30 each).')
  }
  return bytes
}

/** Tokens of a training text: `14.8T`, `500B`, `3.5M`, `20000`; powers of ten, as such texts are counted. */
export function tokensOfText(text: string): number {
  const [, digits = '', letter = ''] = /^(\d+(?:\.\d+)?)\s*([kmbt]?)$/i.exec(text.trim().replaceAll('_', '')) ?? []
  const tokens = Math.round(Number(digits) * 1000 ** ('kmbt'.indexOf(letter.toLowerCase() || 'x') + 1))
  if (digits === '' || !Number.isSafeInteger(tokens) || tokens < 1) {
    throw new InvalidArgumentError('Expected a number of tokens, such as 14.8T (10^12 each), 500B or 3.5M.')
  }
  return tokens
}

/** `35%` or `0.35` */
export function shareFrom(text: string): number {
  const [, digits = '', percent = ''] = /^(\d*\.?\d+)\s*(%?)$/.exec(text.trim()) ?? []
  const share = Number(digits) / (percent ? 100 : 1)
  if (digits === '' || !(share > 0 && share <= 1)) {
    throw new InvalidArgumentError('Expected a share of the peak, such as 35% or 0.35.')
  }
  return share
}

/** A price, in any currency. */
export function priceFrom(text: string): number {
  const price = Number(text)
  if (!(Number.isFinite(price) && price > 0)) throw new InvalidArgumentError('Expected a price above 0, such as 2.')
  return price
}
