/** LoRA adapters (arXiv 2106.09685), names and rows as on the hub: for each changed matrix W [rows, cols] two small ones, W + scale * up down. */
import type { WeightSource } from '../kernels/contract/weights.ts'

/** What an adapter adds to the matrix of one module. */
export interface AdaptedModule {
  /** As the hub's code calls it: `model.layers.0.self_attn.q_proj`. */
  readonly module: string
  /** [r, cols]: PEFT's lora_A. */
  readonly down: WeightSource
  /** [rows, r]: PEFT's lora_B. */
  readonly up: WeightSource
  /** alpha / r, or alpha / sqrt(r). */
  readonly scale: number
}

export interface Adapter {
  /** The folder or file, for messages. */
  readonly name: string
  readonly modules: readonly AdaptedModule[]
}

/** A module's name without the prefix that some copies of a model have. */
export function withoutPrefix(module: string, prefixes: readonly string[]): string {
  const prefix = prefixes.filter(p => module.startsWith(p)).sort((a, b) => b.length - a.length)[0] ?? ''
  return module.slice(prefix.length)
}
