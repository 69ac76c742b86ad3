/** Each f32 as the shortest number that is read as the same f32: half the characters of the f64 that holds it. */
export function shortest(vector: Float32Array): number[] {
  return Array.from(vector, x => {
    for (let digits = 6; digits < 9; digits++) {
      const short = Number(x.toPrecision(digits))
      if (Math.fround(short) === x) return short
    }
    return Number(x.toPrecision(9))
  })
}
