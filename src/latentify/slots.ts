/** Which frequencies the rope key of a latent model has, and which of the original's share one. */

/** One rotated pair of the rope key. */
export interface Slot {
  /** Radians per position. */
  readonly frequency: number
  /** Indices of the original's frequencies that are folded into it. */
  readonly sources: readonly number[]
}

/** theta^(-2i / R): the only frequencies that every reader of deepseek_v3 has. */
export function plainFrequencies(rope: number, theta: number): Float64Array {
  return Float64Array.from({ length: rope / 2 }, (_, i) => theta ** ((-2 * i) / rope))
}

/** Each of the original's frequencies joins the nearest slot, by ratio; a slot that none is nearest to has its own nearest. */
export function foldedSlots(frequencies: Float64Array, slots: Float64Array): Slot[] {
  const distance = (a: number, b: number) => Math.abs(Math.log(a) - Math.log(b))
  const nearest = (x: number, among: Float64Array) =>
    among.reduce((best, y, i) => (distance(x, y) < distance(x, among[best] as number) ? i : best), 0)
  const homes = Array.from(frequencies, f => nearest(f, slots))
  return Array.from(slots, (frequency, slot) => {
    const sources = homes.flatMap((home, f) => (home === slot ? [f] : []))
    return { frequency, sources: sources.length > 0 ? sources : [nearest(frequency, frequencies)] }
  })
}
