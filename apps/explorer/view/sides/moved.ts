/** Half the sum of all differences: of two distributions, the share of one that would have to go elsewhere to make the other. */
export function moved(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] as number) - (b[i] as number))
  return sum / 2
}
