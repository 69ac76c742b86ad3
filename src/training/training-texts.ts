/** Texts that a model learns from. */
import { NO_PAST } from '../nn/step.ts'

/** A text that a model reads as it learns. */
export interface TrainingInput {
  /** Ids, at least one. */
  readonly tokens: ArrayLike<number>
}

/** A text to learn from. */
export interface TrainingText extends TrainingInput {
  /** What is to follow each token; below 0: nothing is asked for. */
  readonly targets: ArrayLike<number>
}

/** Texts as a step of a model reads them, whole. */
export function inputOf({ tokens }: TrainingInput) {
  const prompt = { start: 0, end: tokens.length }
  // Expanded whatever the length: the absorbed path has no backward rules.
  return { tokens, cache: NO_PAST, prompt, logits: 'all', path: 'expanded' } as const
}

/** Numbers of their tokens. */
export function lengthsOf(texts: readonly TrainingInput[]): number[] {
  return texts.map(({ tokens }) => tokens.length)
}

/** The text after its first token. */
export function withoutFirst({ tokens, targets }: TrainingText): TrainingText {
  return { tokens: Array.from(tokens).slice(1), targets: Array.from(targets).slice(1) }
}
