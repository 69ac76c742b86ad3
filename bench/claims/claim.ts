/** A claim of the articles that lead to MLA, and what it comes to. */
export interface Claim {
  /** Short name, by which the bench is asked for it and the page links to it. */
  readonly name: string
  /** What is claimed, in a sentence. */
  readonly claim: string
  readonly verdict: 'holds' | 'holds in part' | 'does not hold'
  /** What it comes to; where it does not hold, the right figure first. */
  readonly found: readonly string[]
  /** A table of it. */
  readonly table?: readonly (readonly string[])[]
  /** Where else it can be seen, a command. */
  readonly command?: string
}

/** 2,147,483,648 */
export function whole(n: number): string {
  return Math.round(n).toLocaleString('en-GB')
}

/** 3.4, 56.89: up to `digits` after the point. */
export function decimal(n: number, digits = 2): string {
  return n.toLocaleString('en-GB', { maximumFractionDigits: digits })
}

/** 4.295 GB, 134.218 MB: powers of ten. */
export function gigabytes(bytes: number): string {
  const [size, unit] = bytes >= 1e9 ? [1e9, 'GB'] : bytes >= 1e6 ? [1e6, 'MB'] : [1e3, 'KB']
  return `${decimal(bytes / size, 3)} ${unit}`
}

/** 14.1 % */
export function percent(share: number): string {
  return `${decimal(100 * share, 1)} %`
}
