/** What a run shows beside its losses: samples of text and answers to questions. */
import { readFile } from 'node:fs/promises'
import { answers, type Question, readQuestions, scoresOf } from '../../evaluation/hellaswag.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { TextReader } from '../../model/text-reader.ts'
import type { Decoder } from '../../nn/decoder.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import type { Documents } from '../pieces.ts'
import { TrainingError } from './errors.ts'
import type { TrainingEvaluation, TrainingSample } from './events.ts'
import type { OnTheWayOptions } from './options.ts'
import { Samples } from './samples.ts'

/** Tokens of a text with which a sample begins. */
const PROMPT_TOKENS = 8

interface Learning {
  readonly kernels: Kernels
  readonly decoder: Decoder
  readonly tokenizer: Tokenizer
  /** Of whose first samples take a beginning. */
  readonly documents: Documents
  readonly seed: number
}

/** Samples and evaluations that are due after a step. They read the weights as they are and change nothing. */
export class OnTheWay {
  readonly #learning: Learning
  readonly #options: OnTheWayOptions
  readonly #questions: readonly Question[]
  #samples: Samples | null = null
  #reader: TextReader | null = null

  private constructor(learning: Learning, options: OnTheWayOptions, questions: readonly Question[]) {
    this.#learning = learning
    this.#options = options
    this.#questions = questions
  }

  /** Throws TrainingError or EvaluationError for questions that cannot be read. */
  static async prepare(learning: Learning, options: OnTheWayOptions): Promise<OnTheWay> {
    const { evaluate, evaluateLimit = 200 } = options
    if (evaluate === undefined) return new OnTheWay(learning, options, [])
    const text = await readFile(evaluate, 'utf8').catch((error: Error) => {
      throw new TrainingError(`The questions of evaluate cannot be read: ${error.message}`, { cause: error })
    })
    return new OnTheWay(learning, options, readQuestions(text).slice(0, evaluateLimit))
  }

  async *after(step: number, isLast: boolean): AsyncGenerator<TrainingEvaluation | TrainingSample, void, void> {
    const { sampleEvery, samplePrompts, evaluateEvery = 500 } = this.#options
    const isDue = (every: number) => step % every === 0 || isLast
    if (this.#questions.length > 0 && isDue(evaluateEvery))
      yield { type: 'evaluation', step, ...(await this.#evaluate()) }
    if (sampleEvery === undefined || !isDue(sampleEvery)) return
    for (const prompt of samplePrompts ?? [this.#beginning()]) {
      yield { type: 'sample', step, prompt, text: await this.#sample(prompt) }
    }
  }

  dispose(): void {
    this.#samples?.dispose()
    this.#reader?.dispose()
  }

  async #evaluate() {
    const { kernels, decoder, tokenizer } = this.#learning
    this.#reader ??= new TextReader(kernels, decoder)
    const found: (readonly [boolean, boolean])[] = []
    for await (const some of answers(this.#questions, this.#reader, tokenizer, decoder.config.maxPositions)) {
      found.push(...some)
    }
    const { mean, error } = scoresOf(found).normalised
    return { hellaswag: mean, error, questions: found.length }
  }

  #sample(prompt: string): Promise<string> {
    const { kernels, decoder, tokenizer, seed } = this.#learning
    this.#samples ??= new Samples(kernels, decoder, tokenizer, this.#options.sampleTokens ?? 48, seed)
    return this.#samples.write(prompt)
  }

  /** The first words of a text. */
  #beginning(): string {
    const { documents, tokenizer } = this.#learning
    const count = Math.min(PROMPT_TOKENS, documents.shape(0).length)
    return tokenizer.decode(documents.read(0, 0, count).tokens).trim()
  }
}
