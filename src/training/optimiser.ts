/** What moves parameters against their gradients, with what it remembers of earlier steps. */
export interface Optimiser {
  /** What it remembers, by name, for `restore`. */
  numbers(): Promise<Map<string, Float32Array>>
  /** As it was after so many steps. */
  restore(numbers: ReadonlyMap<string, Float32Array>, steps: number): void
  /** Moves the parameters against their gradients, each times `gradientScale`. The gradients are of no use afterwards. */
  step(rate: number, gradientScale?: number): Promise<void>
}
