import type { Kernels } from '../kernels/contract/kernels.ts'
import { AdamW, type AdamWOptions } from './adamw.ts'
import { Muon, type MuonOptions } from './muon.ts'
import type { Optimiser } from './optimiser.ts'
import type { Parameter } from './parameters.ts'

/** Which optimiser learns. `muon`: matrices by Muon, all else by AdamW. */
export type OptimiserName = 'adamw' | 'muon'
export const OPTIMISERS: readonly OptimiserName[] = ['adamw', 'muon']

export interface OptimiserOptions extends AdamWOptions, MuonOptions {
  /** Default `adamw`. */
  readonly optimiser?: OptimiserName
}

/** Embeddings, outputs and positions have a row per token or position, and vectors no singular values: AdamW's. */
export function createOptimiser(
  kernels: Kernels,
  parameters: readonly Parameter[],
  options: OptimiserOptions,
): Optimiser {
  if (options.optimiser !== 'muon') return new AdamW(kernels, parameters, options)
  const isMatrix = ({ role }: Parameter) => role === 'matrix' || role === 'latent' || role === 'router'
  return new Both([
    new Muon(kernels, parameters.filter(isMatrix), options),
    new AdamW(
      kernels,
      parameters.filter(parameter => !isMatrix(parameter)),
      options,
    ),
  ])
}

class Both implements Optimiser {
  readonly #parts: readonly Optimiser[]

  constructor(parts: readonly Optimiser[]) {
    this.#parts = parts
  }

  async numbers(): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>()
    for (const part of this.#parts) for (const [name, numbers] of await part.numbers()) found.set(name, numbers)
    return found
  }

  restore(numbers: ReadonlyMap<string, Float32Array>, steps: number): void {
    for (const part of this.#parts) part.restore(numbers, steps)
  }

  async step(rate: number, gradientScale?: number): Promise<void> {
    for (const part of this.#parts) await part.step(rate, gradientScale)
  }
}
