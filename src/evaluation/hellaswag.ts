/** HellaSwag (arXiv 1905.07830) as lm-evaluation-harness scores it: which of several endings a model finds likeliest. */
import type { ScoredText, TextReader } from '../model/text-reader.ts'
import { show } from '../options/show.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { EvaluationError } from './errors.ts'
import { type Estimate, estimate } from './statistics.ts'

/** A beginning and its endings, of which one is right. */
export interface Question {
  readonly context: string
  readonly endings: readonly string[]
  /** Index of the right one. */
  readonly label: number
}

/** Shares of questions whose right ending has the highest score, with standard errors. */
export interface Scores {
  /** By the sum of log-probabilities. */
  readonly accuracy: Estimate
  /** By that sum divided by the ending's length in characters: `acc_norm`, which is usually reported. */
  readonly normalised: Estimate
}

/** Tokens that are read at a time: products of as many rows are limited by arithmetic. */
const STEP_TOKENS = 2048

/** The questions of JSON lines, as published (`ctx_a`, `ctx_b`, `activity_label`) or with a ready `query`. Throws EvaluationError. */
export function readQuestions(text: string): Question[] {
  const questions = text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [questionOf(line, i + 1)]))
  if (questions.length === 0) throw new EvaluationError('There is no question; expected a line of JSON for each')
  return questions
}

function questionOf(line: string, number: number): Question {
  let value: Readonly<Record<string, unknown>>
  try {
    value = Object(JSON.parse(line))
  } catch {
    throw new EvaluationError(`Line ${number} is no JSON`)
  }
  const { query, activity_label: activity, ctx_a: first, ctx_b: second, endings, label } = value
  const built =
    typeof first === 'string' && typeof second === 'string' ? `${activity}: ${first} ${capitalised(second)}` : undefined
  const context = typeof query === 'string' ? query : built
  if (context === undefined) throw new EvaluationError(`Line ${number} has no "query", nor "ctx_a" and "ctx_b"`)
  if (!Array.isArray(endings) || endings.length < 2 || endings.some(one => typeof one !== 'string')) {
    throw new EvaluationError(`Line ${number} has the endings ${show(endings)}; expected a list of two texts or more`)
  }
  const right = label === '' ? Number.NaN : Number(label)
  if (!Number.isInteger(right) || right < 0 || right >= endings.length) {
    throw new EvaluationError(`Line ${number} has the label ${show(label)}; expected 0 to ${endings.length - 1}`)
  }
  return { context: cleaned(context), endings: endings.map(cleaned), label: right }
}

/** Marks of WikiHow that the data holds. */
function cleaned(text: string): string {
  return text
    .trim()
    .replaceAll(' [title]', '. ')
    .replace(/\[.*?\]/g, '')
    .replaceAll('  ', ' ')
}

/** Python's: the rest in small letters. */
function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()
}

/** Each ending after its beginning, cut from the left to what the model reads; the ending's tokens are scored. */
export function endingTexts({ context, endings }: Question, tokenizer: Tokenizer, most: number): ScoredText[] {
  const before = tokenizer.encodePrompt(context).length
  return endings.map(ending => {
    const all = tokenizer.encodePrompt(`${context} ${ending}`)
    const tokens = all.slice(0, -1)
    const targets = all.slice(1).map((id, i) => (i + 1 >= before ? id : -1))
    return { tokens: tokens.slice(-most), targets: targets.slice(-most) }
  })
}

/** Scores questions one after the other. Yields what is right of those done: by the sum, and by the normalised sum. */
export async function* answers(
  questions: readonly Question[],
  reader: TextReader,
  tokenizer: Tokenizer,
  maxPositions: number,
): AsyncGenerator<readonly [bySum: boolean, byLength: boolean][], void, void> {
  for (let next = 0; next < questions.length; ) {
    const asked: { readonly question: Question; readonly texts: readonly ScoredText[] }[] = []
    for (let tokens = 0; tokens < STEP_TOKENS && next < questions.length; next++) {
      const question = questions[next] as Question
      const texts = endingTexts(question, tokenizer, maxPositions)
      asked.push({ question, texts })
      tokens += texts.reduce((n, text) => n + text.tokens.length, 0)
    }
    const all = asked.flatMap(({ texts }) => texts)
    const losses = await reader.losses(all, work => work())
    let at = 0
    yield asked.map(({ question: { endings, label }, texts }) => {
      const sums = texts.map(({ targets }) => {
        let sum = 0
        for (let i = 0; i < targets.length; i++) if ((targets[i] as number) >= 0) sum -= losses[at++] as number
        return sum
      })
      const perCharacter = sums.map((sum, i) => sum / [...(endings[i] as string)].length)
      return [highest(sums) === label, highest(perCharacter) === label]
    })
  }
}

/** Ties: the first, as numpy. */
function highest(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores))
}

/** The shares of right answers. */
export function scoresOf(found: readonly (readonly [bySum: boolean, byLength: boolean])[]): Scores {
  const share = (which: 0 | 1) => estimate(Float64Array.from(found, answer => (answer[which] ? 1 : 0)))
  return { accuracy: share(0), normalised: share(1) }
}
