import type { Work } from '../work.ts'

/** Up to here the JavaScript engine searches; it may compare a part again at every position, so longer ones are ours. */
const SHORT = 64

/** Where `part` begins in `text` at or behind `from`, in units; -1 if nowhere. Time is linear in both. */
export function find(work: Work, text: string, part: string, from: number): number {
  if (part.length > SHORT) return knuthMorrisPratt(work, text, part, from, false)
  const found = text.indexOf(part, from)
  const passed = Math.max(0, (found < 0 ? text.length : found) - from)
  work.spend(1 + (passed >> 5) * (1 + part.length / 16))
  return found
}

/** Where `part` begins for the last time in `text` before the unit `to`, wholly; -1 if nowhere. */
export function findLast(work: Work, text: string, part: string, to: number): number {
  if (part.length > to) return -1
  if (part.length > SHORT) return knuthMorrisPratt(work, text.slice(0, to), part, 0, true)
  const found = text.lastIndexOf(part, to - part.length)
  work.spend(1 + ((to - Math.max(found, 0)) >> 4) * (1 + part.length / 16))
  return found
}

function knuthMorrisPratt(work: Work, text: string, part: string, from: number, last: boolean): number {
  if (text.length - from < part.length) return -1
  work.walk(part.length + text.length - from)
  const fallback = new Int32Array(part.length)
  for (let i = 1, k = 0; i < part.length; i++) {
    const unit = part.charCodeAt(i)
    while (k > 0 && part.charCodeAt(k) !== unit) k = fallback[k - 1]!
    if (part.charCodeAt(k) === unit) k++
    fallback[i] = k
  }
  let found = -1
  for (let i = from, k = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    while (k > 0 && part.charCodeAt(k) !== unit) k = fallback[k - 1]!
    if (part.charCodeAt(k) === unit) k++
    if (k < part.length) continue
    found = i - part.length + 1
    if (!last) return found
    k = fallback[k - 1]!
  }
  return found
}
