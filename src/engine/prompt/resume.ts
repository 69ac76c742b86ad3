import { beyondEnd } from '../loop/text-run.ts'
import type { TokenWriter } from '../loop/token-writer.ts'
import type { FinishReason } from '../types/results.ts'

/** What an answer that was begun elsewhere is before its first step. */
export interface ResumedText {
  /** Ids after the prompt. */
  readonly generated: readonly number[]
  /** Ids that the model's logits are needed for. */
  readonly retraced: readonly number[]
  /** The answer is complete; null: it goes on. */
  readonly complete: FinishReason | null
}

/**
 * Moves the writer on behind `ids`. `room`: tokens that the context has left before them; `learns`: the sampler needs their logits.
 * Throws OptionError for ids after the end.
 */
export function resumeText(
  writer: TokenWriter,
  ids: readonly number[],
  { room, learns }: { readonly room: number; readonly learns: boolean },
): ResumedText {
  if (learns) return { generated: [], retraced: ids, complete: null }
  for (const [i, id] of ids.entries()) {
    const { ends, stopped } = writer.retrace(id, null, room - i)
    if (!ends) continue
    if (i + 1 < ids.length) throw beyondEnd(i)
    if (stopped) writer.cut(writer.cutAt())
    return { generated: [...writer.tokenIds], retraced: [], complete: ends }
  }
  return { generated: [...writer.tokenIds], retraced: [], complete: null }
}
