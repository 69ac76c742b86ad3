import type { GrammarSource } from '../../grammar/matcher.ts'
import type { Parts } from '../load/load-parts.ts'
import { findReasoningMarks } from '../load/reasoning-marks.ts'
import { CallMask } from '../loop/call-mask.ts'
import { CallStart } from '../loop/call-start.ts'
import { FreeReasoning } from '../loop/free-reasoning.ts'
import { type DrawMask, TextMask, type TextMaskOptions } from '../loop/text-mask.ts'
import type { CallTrigger } from '../types/protocol.ts'
import type { PromptIds } from './prompt-ids.ts'

export interface PromptMaskOptions extends Pick<TextMaskOptions, 'firstId' | 'patience' | 'left' | 'refused'> {
  /** What a call begins with, before which all is free. Default: the grammar holds the whole text. */
  readonly trigger?: CallTrigger
}

/**
 * The mask of a text under a grammar, which is compiled from now on, beside the reading of the prompt. Reasoning that the
 * prompt has opened, or that an answer to messages begins with, stays free; so does everything before `trigger`, where there is one.
 */
export function promptMask(
  { masks, tokenizer, defaults }: Pick<Parts, 'masks' | 'tokenizer' | 'defaults'>,
  source: Promise<GrammarSource>,
  { ids, continues }: PromptIds,
  { firstId, patience, left, refused, trigger }: PromptMaskOptions,
): DrawMask {
  // Beside the reading of the schema and the prompt.
  masks.warm()
  const marks = findReasoningMarks(tokenizer)
  const options = {
    opening: source.then(known => masks.open(known)),
    reasoning: marks && new FreeReasoning(marks, ids, !continues),
    ends: new Set(defaults.eosTokenIds),
    patience,
    left,
    stuck: () => void masks.restart(),
  }
  if (trigger === undefined) return new TextMask({ ...options, firstId, refused })
  return new CallMask({ ...options, start: CallStart.of(trigger, id => tokenizer.tokenBytes(id)) })
}
