/** Mean rotations over the distances of attention. */

/** E e^(-j w n) over a distribution of n. */
export class Phases {
  readonly #shares: Float64Array
  readonly #known = new Map<number, readonly [re: number, im: number]>()

  /** `shares`: of the distances 0, 1, …; they sum to 1. */
  constructor(shares: Float64Array) {
    this.#shares = shares
  }

  of(w: number): readonly [re: number, im: number] {
    const known = this.#known.get(w)
    if (known) return known
    let [re, im] = [0, 0]
    for (let n = 0; n < this.#shares.length; n++) {
      const share = this.#shares[n] as number
      if (share === 0) continue
      re += share * Math.cos(w * n)
      im -= share * Math.sin(w * n)
    }
    const found = [re, im] as const
    this.#known.set(w, found)
    return found
  }

  /** Covariance of e^(-j a n) and e^(-j b n). */
  covariance(a: number, b: number): readonly [re: number, im: number] {
    const [re, im] = this.of(a - b)
    const [ar, ai] = this.of(a)
    const [br, bi] = this.of(b)
    return [re - (ar * br + ai * bi), im - (ai * br - ar * bi)]
  }
}
