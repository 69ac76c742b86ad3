/** Numbers for people. Powers of 1024 are called KiB, MiB, GiB: GB would be another number. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** 27,648 */
export function integer(n: number): string {
  return n.toLocaleString('en-GB', { maximumFractionDigits: 0 })
}

/** `27.8422`: a fixed number of digits after the point. */
export function decimals(n: number, digits: number): string {
  return n.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** `2.25 KiB`: three digits that count. */
export function bytes(n: number): string {
  let value = n
  let unit = 0
  while (Math.abs(value) >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? integer(value) : significant(value)} ${UNITS[unit]}`
}

/** `8.09 M`, `671 B`: parameters. */
export function count(n: number): string {
  const scale = (['', ' K', ' M', ' B', ' T'] as const).findLastIndex((_, i) => n >= 1000 ** i)
  return scale <= 0 ? integer(n) : `${significant(n / 1000 ** scale)}${['', ' K', ' M', ' B', ' T'][scale]}`
}

/** `0.4 ms`, `92 ms`, `1.31 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`
  if (ms < 59_950) return `${significant(ms / 1000)} s`
  const s = Math.round(ms / 1000)
  return `${Math.floor(s / 60)} min ${s % 60} s`
}

/** `312 tok/s`; a dash where nothing was measured. */
export function rate(perSecond: number): string {
  return Number.isFinite(perSecond) && perSecond > 0 ? `${significant(perSecond)} tok/s` : '— tok/s'
}

/** `71×` */
export function times(factor: number): string {
  return `${significant(factor)}×`
}

/** `1.2e-5`, `0` and `—` for what was not measured. */
export function error(value: number | null | undefined): string {
  if (value === null || value === undefined) return '—'
  if (value === 0 || !Number.isFinite(value)) return String(value)
  return value.toExponential(1)
}

/** `93.1 %` of a share from 0 to 1. */
export function percent(share: number): string {
  return `${decimals(100 * share, 1)} %`
}

/** `2026-11-22 10:15`, in local time. */
export function minute(date: Date): string {
  const local = new Date(date.getTime() - 60_000 * date.getTimezoneOffset())
  return local.toISOString().slice(0, 16).replace('T', ' ')
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${integer(n)} ${n === 1 ? one : many}`
}

/** Three digits, no trailing zeros, thousands separated: 9.07, 31.2, 671, 1,440. */
function significant(n: number): string {
  const digits = n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2
  return n.toLocaleString('en-GB', { maximumFractionDigits: digits })
}
