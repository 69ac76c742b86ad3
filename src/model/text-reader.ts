import type { Kernels } from '../kernels/contract/kernels.ts'
import { Arena } from '../nn/arena.ts'
import { type Decoder, finalRows, stream, writeLogits } from '../nn/decoder.ts'
import { linear } from '../nn/layers.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import { type WholeText, wholeTexts } from './whole-texts.ts'

/** A text of which some tokens are scored. */
export interface ScoredText {
  readonly tokens: ArrayLike<number>
  /** What follows each token; below 0: it is not scored. */
  readonly targets: ArrayLike<number>
}

/** Of each text, the rows that are read out. */
export type RowsOfText = 'all' | 'first' | 'last'

/** Rows whose logits are held at a time. */
const LOGIT_ROWS = 256

/** What is made of the rows x [n, D] that are read out, and of the numbers i32 [m] that a call gave beside them. */
type Finish = (x: Tensor, numbers: Tensor) => Tensor
const NONE = new Int32Array(0)

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
    this.#arena = new Arena(kernels.memory)
  }

  /** Final hidden states of the texts' rows, f32 [n, D], in their order. Each layer is a turn of its own. */
  hidden(texts: readonly WholeText[], rows: RowsOfText, turn: Turn): Promise<Float32Array> {
    return this.#run(texts, rowsRead(texts, rows), turn, x => x)
  }

  /** -ln p of the texts' targets, f32 [n], in their order, by kernels that have the operations of training. Throws TypeError for an encoder. */
  losses(texts: readonly ScoredText[], turn: Turn): Promise<Float32Array> {
    const { config, weights } = this.#model
    const { output } = weights
    if (!output) throw new TypeError(`TextReader: ${config.modelType} is an encoder and has no output`)
    const all = texts.flatMap(({ targets }) => Array.from(targets))
    const targets = Int32Array.from(all.filter(target => target >= 0))
    const rows = Int32Array.from(all.flatMap((target, row) => (target >= 0 ? row : [])))
    const finish = (x: Tensor, wanted: Tensor): Tensor => {
      const ops = this.#kernels
      const scratch = this.#arena
      const n = targets.length
      const losses = scratch.take([n])
      const logits = scratch.take([Math.min(LOGIT_ROWS, n), output.weight.rows])
      for (let row = 0; row < n; row += LOGIT_ROWS) {
        const count = Math.min(LOGIT_ROWS, n - row)
        const part = rowsOf(logits, 0, count)
        writeLogits({ ops, scratch }, part, rowsOf(x, row, count), output, config)
        ops.crossEntropy(rowsOf(losses, row, count), part, part, rowsOf(wanted, row, count), { scale: 1 })
      }
      return losses
    }
    return this.#run(texts, rows, turn, finish, targets)
  }

  /** What an encoder's head makes of each text's first row, f32 [texts, scores]. Throws TypeError without a head. */
  scores(texts: readonly WholeText[], turn: Turn): Promise<Float32Array> {
    const head = this.#model.weights.encoder?.head
    if (!head) throw new TypeError(`TextReader: ${this.#model.config.modelType} has no head`)
    const { dense, out } = head
    return this.#run(texts, rowsRead(texts, 'first'), turn, first => {
      const ops = this.#kernels
      const at = { ops, scratch: this.#arena }
      const n = first.shape[0] as number
      const hidden = dense ? this.#arena.take([n, dense.weight.rows]) : first
      if (dense) {
        linear(at, hidden, first, dense)
        ops.activate(hidden, hidden, 'tanh')
      }
      const scores = this.#arena.take([n, out.weight.rows])
      linear(at, scores, hidden, out)
      return scores
    })
  }

  dispose(): void {
    this.#arena.dispose()
  }

  async #run(
    texts: readonly WholeText[],
    rows: Int32Array,
    turn: Turn,
    finish: Finish,
    numbers = NONE,
  ): Promise<Float32Array> {
    const layers = this.#layers(texts, rows, finish, numbers)
    for (;;) {
      const values = await turn(async () => {
        const { done, value } = layers.next()
        await this.#kernels.submit()
        return done ? ((await this.#kernels.memory.read(value)) as Float32Array) : null
      })
      if (values) return values
    }
  }

  *#layers(
    texts: readonly WholeText[],
    rows: Int32Array,
    finish: Finish,
    numbers: Int32Array,
  ): Generator<number, Tensor, void> {
    const kernels = this.#kernels
    const scratch = this.#arena
    scratch.reset()
    const { backend, step } = wholeTexts(kernels, scratch, this.#model, texts)
    const wanted = scratch.take([rows.length], 'i32')
    kernels.memory.upload(wanted, rows)
    // Uploaded first, too: a layer's memory may be given again before its operations have run.
    const beside = scratch.take([numbers.length], 'i32')
    kernels.memory.upload(beside, numbers)
    const x = yield* stream(backend, this.#model, step)
    return finish(finalRows(backend, this.#model, x, wanted), beside)
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
