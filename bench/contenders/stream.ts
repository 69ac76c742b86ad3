/** The id at a position of the stream that all benches read: no favourite experts, no repetition. */
export function streamToken(position: number): number {
  return 100 + ((position * 7919) % 30_000)
}

export function stream(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => streamToken(from + i))
}
