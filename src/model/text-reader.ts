import type { Kernels } from '../kernels/contract/kernels.ts'
import { Arena } from '../nn/arena.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import { type Decoder, finalRows, stream } from '../nn/decoder.ts'
import { linear } from '../nn/layers.ts'
import { NO_PAST, type Past, prepareStep, type StepInput } from '../nn/step.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** A text to read whole. */
export interface WholeText {
  readonly tokens: ArrayLike<number>
  /** Kinds of tokens, for an encoder. Default: 0. */
  readonly types?: ArrayLike<number>
}

/** Of each text, the rows that are read out. */
export type RowsOfText = 'all' | 'first' | 'last'

/** Runs a part of the work while nothing else uses the model. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Runs whole texts once, packed end to end without padding, and keeps nothing of them: no cache. A row's bits depend on its
 * own text alone, so they are the same in every batch. Keys are f32; memory grows with the tokens of a call, which an
 * arena keeps until `dispose`.
 */
export class TextReader {
  readonly #kernels: Kernels
  readonly #model: Decoder
  readonly #arena: Arena

  constructor(kernels: Kernels, model: Decoder) {
    this.#kernels = kernels
    this.#model = model
    this.#arena = new Arena(kernels)
  }

  /** Final hidden states of the texts' rows, f32 [n, D], in their order. Each layer is a turn of its own. */
  hidden(texts: readonly WholeText[], rows: RowsOfText, turn: Turn): Promise<Float32Array> {
    return this.#run(texts, rows, turn, x => x)
  }

  /** What an encoder's head makes of each text's first row, f32 [texts, scores]. Throws TypeError without a head. */
  scores(texts: readonly WholeText[], turn: Turn): Promise<Float32Array> {
    const head = this.#model.weights.encoder?.head
    if (!head) throw new TypeError(`TextReader: ${this.#model.config.modelType} has no head`)
    const { dense, out } = head
    return this.#run(texts, 'first', turn, first => {
      const ops = this.#kernels
      const n = first.shape[0] as number
      const hidden = dense ? this.#arena.take([n, dense.weight.rows]) : first
      if (dense) {
        linear(ops, hidden, first, dense)
        ops.activate(hidden, hidden, 'tanh')
      }
      const scores = this.#arena.take([n, out.weight.rows])
      linear(ops, scores, hidden, out)
      return scores
    })
  }

  dispose(): void {
    this.#arena.dispose()
  }

  async #run(
    texts: readonly WholeText[],
    rows: RowsOfText,
    turn: Turn,
    finish: (x: Tensor) => Tensor,
  ): Promise<Float32Array> {
    const layers = this.#layers(texts, rows, finish)
    for (;;) {
      const values = await turn(async () => {
        const { done, value } = layers.next()
        await this.#kernels.submit()
        return done ? ((await this.#kernels.read(value)) as Float32Array) : null
      })
      if (values) return values
    }
  }

  *#layers(
    texts: readonly WholeText[],
    rows: RowsOfText,
    finish: (x: Tensor) => Tensor,
  ): Generator<number, Tensor, void> {
    const kernels = this.#kernels
    const scratch = this.#arena
    scratch.reset()
    const keys = contiguousKeys(kernels, scratch)
    const backend = { ops: kernels, scratch, keys }
    const inputs = texts.map(text => this.#input(text))
    const step = prepareStep(kernels, scratch, inputs, keys, this.#model)
    const index = rowsRead(texts, rows)
    const wanted = scratch.take([index.length], 'i32')
    kernels.upload(wanted, index)
    const x = yield* stream(backend, this.#model, step)
    return finish(finalRows(backend, this.#model, x, wanted))
  }

  #input({ tokens, types }: WholeText): StepInput<Past> {
    const { encoder } = this.#model.config
    // RoBERTa reads pairs with one kind of tokens.
    const kinds = (encoder?.tokenTypes ?? 0) > 1 ? types : undefined
    return {
      tokens,
      cache: NO_PAST,
      prompt: { start: 0, end: tokens.length },
      logits: 'none',
      ...(encoder && { seesAll: true }),
      ...(encoder && encoder.tokenTypes > 0 && { types: kinds ?? new Int32Array(tokens.length) }),
    }
  }
}

function rowsRead(texts: readonly WholeText[], rows: RowsOfText): Int32Array {
  const lengths = texts.map(({ tokens }) => tokens.length)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (rows === 'all') return Int32Array.from({ length: total }, (_, i) => i)
  let end = 0
  return Int32Array.from(lengths, length => {
    end += length
    return rows === 'last' ? end - 1 : end - length
  })
}
