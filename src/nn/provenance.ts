/**
 * How a cached row was computed. A row's bits depend on the ids up to it and on the provenance of each: MLA's path
 * (`pathSpans`) and, with LongRoPE, the set of factors. Flags, so that a row costs a byte.
 */
import { type AttentionPath, type PromptExtent, pathSpans } from './attention/path.ts'
import { longropeLimit } from './attention/rope.ts'
import { longFactorsFrom } from './attention/rope-angles.ts'
import { hasLatents, type ModelConfig } from './config.ts'

export const EXPANDED = 1
export const LONG_ROPE = 2
export const GENERATED = 4
/** The row was moved: no prompt computes it like this. */
export const EDITED = 8
/** The row came in a file: its bits are those of its provenance, if the file says the truth. */
export const FOREIGN = 16

/** What decides the provenance of a row, from the model's config. */
export interface RowRules {
  /** MLA: the path matters. */
  readonly latent: boolean
  /** Positions beyond this take LongRoPE's long factors; Infinity without them. */
  readonly ropeLimit: number
}

export function rowRules(config: ModelConfig): RowRules {
  const limits = config.ropes.map(rope => longropeLimit(rope) ?? Number.POSITIVE_INFINITY)
  return { latent: hasLatents(config), ropeLimit: Math.min(Number.POSITIVE_INFINITY, ...limits) }
}

/** The provenance of rows position .. + count, computed as tokens of `prompt` (null: generated). */
export function rowProvenance(
  rules: RowRules,
  position: number,
  count: number,
  prompt: PromptExtent | null,
  forced?: AttentionPath,
): Uint8Array {
  const provenance = new Uint8Array(count)
  // Generated rows are absorbed.
  if (rules.latent && (prompt || forced)) {
    for (const span of pathSpans(position, count, prompt, forced)) {
      if (span.path === 'expanded') provenance.fill(EXPANDED, span.start, span.start + span.count)
    }
  }
  const longFrom = longFactorsFrom(rules.ropeLimit, prompt)
  for (let i = 0; i < count; i++) {
    if (position + i >= longFrom) provenance[i] = (provenance[i] as number) | LONG_ROPE
    if (!prompt) provenance[i] = (provenance[i] as number) | GENERATED
  }
  return provenance
}

/** Whether LongRoPE's long factors rotated the row's key. */
export function usesLongFactors(flags: number): boolean {
  return (flags & LONG_ROPE) !== 0
}
