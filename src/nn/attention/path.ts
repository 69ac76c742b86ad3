/**
 * Which way an MLA token's attention is computed. Expanded: every cached latent becomes keys and values per head.
 * Absorbed: the query moves into the latent space instead. Equal to rounding; absorbed costs 3.4 times the
 * multiply-adds per (query, key), expanded first pays for every key, so many queries at once are cheaper expanded,
 * few are cheaper absorbed (`bench/attention.ts` measures where).
 *
 * The choice must not depend on how a prompt is cut into chunks or batches, so it looks at a fixed grid of positions:
 * a cell that lies wholly within one prompt is expanded; tokens of all other cells, and generated tokens, are absorbed.
 */
export type AttentionPath = 'expanded' | 'absorbed'

/**
 * Tokens of a cell. The paths break even between 128 and 256 queries (`bench/attention.ts`; 171 by arithmetic alone), and
 * a chunk of a prompt holds several cells, so a small cell leaves few tokens of a prompt's end to the absorbed path.
 */
export const PATH_GRID = 128

/** Absolute positions start .. end of the prompt that a token belongs to. Generated tokens belong to none. */
export interface PromptExtent {
  readonly start: number
  readonly end: number
}

export interface PathSpan {
  /** Offset into the tokens given. */
  readonly start: number
  readonly count: number
  readonly path: AttentionPath
}

/** Cuts `count` tokens from absolute `position` on into runs of one path. `forced` overrides the rule. */
export function pathSpans(
  position: number,
  count: number,
  prompt: PromptExtent | null,
  forced?: AttentionPath,
): PathSpan[] {
  if (count === 0) return []
  if (forced || !prompt) return [{ start: 0, count, path: forced ?? 'absorbed' }]
  const firstCell = Math.ceil(prompt.start / PATH_GRID) * PATH_GRID
  const lastCell = Math.max(firstCell, Math.floor(prompt.end / PATH_GRID) * PATH_GRID)
  const clamp = (p: number) => Math.min(Math.max(p - position, 0), count)
  const [from, to] = [clamp(firstCell), clamp(lastCell)]
  const spans: PathSpan[] = [
    { start: 0, count: from, path: 'absorbed' },
    { start: from, count: to - from, path: 'expanded' },
    { start: to, count: count - to, path: 'absorbed' },
  ]
  return spans.filter(s => s.count > 0)
}
