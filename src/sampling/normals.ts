import type { Rng } from './rng.ts'

/** Fills numbers from a normal distribution of mean 0, by Box and Muller's method: two draws give two numbers. */
export function fillNormals(into: Float32Array, rng: Rng, deviation = 1): Float32Array {
  for (let i = 0; i < into.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - rng.next()))
    const angle = 2 * Math.PI * rng.next()
    into[i] = radius * Math.cos(angle)
    if (i + 1 < into.length) into[i + 1] = radius * Math.sin(angle)
  }
  return into
}
