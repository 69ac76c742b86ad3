/** Numbers as people read them. Powers of ten, as memory of cards is sold. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Three digits: `70.3 kB`, `7.03 GB`, `400 GB`. */
export function bytes(n: number): string {
  const power = n < 1 ? 0 : Math.min(Math.floor(Math.log10(n) / 3), UNITS.length - 1)
  const scaled = n / 1000 ** power
  // 999.6 kB is a megabyte.
  if (power > 0 && Number(scaled.toPrecision(3)) >= 1000 && power < UNITS.length - 1) return bytes(1000 ** (power + 1))
  return `${power === 0 ? scaled : digits(scaled)} ${UNITS[power]}`
}

/** Three significant digits, without an exponent. */
export function digits(n: number): string {
  return n.toLocaleString('en-GB', { maximumSignificantDigits: 3 })
}

export function whole(n: number): string {
  return Math.round(n).toLocaleString('en-GB')
}

const LONGEST_NAME = 12

/** A name for which there is little room. */
export function shortened(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name
}
