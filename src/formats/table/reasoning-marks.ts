import type { Around } from './format.ts'

export const THINK: Around = { begin: '<think>', end: '</think>' }
export const THOUGHT: Around = { begin: '<|thought_start|>', end: '<|thought_end|>' }
export const BRACKETS: Around = { begin: '[THINK]', end: '[/THINK]' }
export const SQUARES: Around = { begin: '◁think▷', end: '◁/think▷' }
export const LONGCAT: Around = { begin: '<longcat_think>', end: '</longcat_think>' }
/** Gemma 4's; its other channels have no name. */
export const THOUGHT_CHANNEL: Around = { begin: '<|channel>thought', end: '<channel|>' }
/** gpt-oss's. */
export const ANALYSIS: Around = { begin: '<|channel|>analysis<|message|>', end: '<|end|>' }

/** As families write them around reasoning, those without a format of calls too. */
export const REASONING_MARKS: readonly Around[] = [
  THINK,
  BRACKETS,
  SQUARES,
  LONGCAT,
  { begin: '<seed:think>', end: '</seed:think>' },
  { begin: '<|START_THINKING|>', end: '<|END_THINKING|>' },
  THOUGHT,
  { begin: '<thought>', end: '</thought>' },
  // The tokens alone: the channel's name is text.
  { begin: '<|channel>', end: '<channel|>' },
  ANALYSIS,
]
