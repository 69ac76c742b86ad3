import type { SavedSampler } from '../loop/sampler-state.ts'
import type { Timeline } from '../past/timeline.ts'

/** A session as it stands, with nothing under way. */
export interface Snapshot {
  readonly timeline: Timeline
  /** In a full context `count` tokens after the first `keep` make room. */
  readonly rolling: { readonly keep: number; readonly count: number } | null
  /** What the text that the timeline ends with is drawn with. */
  readonly drawing: SavedSampler | null
}
