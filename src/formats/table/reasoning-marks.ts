import type { Around } from './format.ts'

export const THINK: Around = { begin: '<think>', end: '</think>' }
export const THOUGHT: Around = { begin: '<|thought_start|>', end: '<|thought_end|>' }

export const BRACKETS: Around = { begin: '[THINK]', end: '[/THINK]' }

/** As families write them around reasoning, those without a format of calls too. */
export const REASONING_MARKS: readonly Around[] = [
  THINK,
  BRACKETS,
  { begin: '◁think▷', end: '◁/think▷' },
  { begin: '<seed:think>', end: '</seed:think>' },
  { begin: '<|START_THINKING|>', end: '<|END_THINKING|>' },
  THOUGHT,
  { begin: '<thought>', end: '</thought>' },
]
