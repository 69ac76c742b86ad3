/** Sequences on a small random model without tokenizer or threads: every logit that was sampled from is kept. */
import type { Sequence } from '../../src/engine/loop/sequence.ts'
import { StepLoop, type StepModel } from '../../src/engine/loop/step-loop.ts'
import { type Rolling, type TextResult, TextRun } from '../../src/engine/loop/text-run.ts'
import { TokenWriter } from '../../src/engine/loop/token-writer.ts'
import { createEnginePast, type EnginePast } from '../../src/engine/past/engine-past.ts'
import { Timeline } from '../../src/engine/past/timeline.ts'
import { Outbox } from '../../src/engine/wire/outbox.ts'
import type { Completion } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { BetweenLayers, Model } from '../../src/model/model.ts'
import { TokenHistory } from '../../src/sampling/penalties.ts'
import type { Proposer } from '../../src/speculation/proposer.ts'
import { Speculation } from '../../src/speculation/speculation.ts'

export interface Run extends Completion {
  /** Logits [vocab] of every token that was sampled. */
  readonly rows: readonly Float32Array[]
}

export interface RunOptions {
  readonly maxTokens?: number
  readonly strict?: boolean
  readonly contextLength?: number
  readonly path?: 'expanded' | 'absorbed'
  readonly priority?: number
  readonly proposer?: Proposer
  /** Sees the sequence before it runs. */
  readonly rolling?: Rolling
  readonly started?: (sequence: Sequence) => void
  readonly onToken?: (count: number, sequence: Sequence) => void
}

export class Lab {
  readonly model: Model
  readonly #past: EnginePast
  readonly steps: number[][] = []
  /** Told of each layer of a step that reads a prompt, but the last. */
  onLayer: (done: number) => unknown = () => {}
  readonly #loop: StepLoop
  readonly #running = new Set<Sequence>()

  constructor(model: Model, kernels: Kernels, chunkSize = 512, aloneSize = chunkSize) {
    this.model = model
    this.#past = createEnginePast(model, null, model)
    const told = (between: BetweenLayers | undefined): BetweenLayers | undefined =>
      between &&
      (async done => {
        this.onLayer(done)
        await between(done)
      })
    const watched: StepModel = {
      kernels,
      forward: (inputs, capture, between) => {
        this.steps.push(inputs.map(i => i.tokens.length))
        return model.forward(inputs, capture, told(between))
      },
      forwardStates: (inputs, between) => {
        this.steps.push(inputs.map(i => i.tokens.length))
        return model.forwardStates(inputs, told(between))
      },
    }
    const outbox = new Outbox(
      () => {},
      () => 0,
    )
    const pause = () => {
      for (const sequence of this.#running) checkRows(sequence)
      return new Promise<void>(resolve => setImmediate(resolve))
    }
    // Every step is a second long to this clock, so that each is followed by a pause.
    let clock = 0
    const now = () => (clock += 1000)
    this.#loop = new StepLoop({ model: watched, chunkSize, aloneSize, outbox, pause, now })
  }

  /** Shares nothing: what it computes is cold. */
  timeline(contextLength = 2048): Timeline {
    return new Timeline(this.model.sequence(contextLength), { ...this.#past, prefixes: null })
  }

  /** Shares its blocks with all others that were made by this. */
  sharing(contextLength = 2048): Timeline {
    return new Timeline(this.model.sequence(contextLength), this.#past)
  }

  /** Greedy; rejects with what ended the sequence. */
  async run(timeline: Timeline, prompt: readonly number[], options: RunOptions = {}): Promise<Run> {
    const { maxTokens = 4, strict = false, path, contextLength = timeline.cache.maxTokens } = options
    const rows: Float32Array[] = []
    const continues = prompt.length === timeline.tokens.length && timeline.endsGenerated
    const reuse = timeline.reuse(prompt, { strict, ...(path && { path }) })
    const result = await new Promise<TextResult>(ended => {
      const { sequence }: TextRun = new TextRun({
        timeline,
        prompt,
        extent: continues && reuse.rows === prompt.length - 1 ? null : reuse.extent,
        path,
        contextLength,
        rolling: options.rolling ?? null,
        priority: options.priority ?? 0,
        speculation: options.proposer ? new Speculation(options.proposer) : null,
        writer: new TokenWriter({
          eos: new Set(),
          maxTokens,
          sampler: {
            seed: 0,
            sample: logits => {
              rows.push(logits.slice())
              options.onToken?.(rows.length, sequence)
              return logits.indexOf(Math.max(...logits))
            },
            follow: () => {},
          },
          rules: [],
          history: new TokenHistory(),
          text: {
            push: () => ({ text: '', stopped: false }),
            end: () => ({ text: '', stopped: false }),
            flush: () => '',
            release: () => '',
            stopSequence: undefined,
            tokensOf: () => ({ keep: 0, tail: [] }),
          },
          now: () => performance.now(),
          asked: performance.now(),
          emit: () => {},
        }),
        ended: result => {
          this.#running.delete(sequence)
          ended(result)
        },
      })
      options.started?.(sequence)
      this.#running.add(sequence)
      this.#loop.add(sequence)
    })
    if ('error' in result) throw result.error
    return { ...result.completion, rows }
  }
}

/** Between steps the cache has no row that the text has not, such as one of a wrong guess: nothing would end the sequence. */
function checkRows(sequence: Sequence): void {
  if (sequence.demand.pending < 0) sequence.fail(new Error('the cache has rows beyond the text'))
}

/** Whether two runs were sampled from the same bits. */
export function sameBits(a: Run, b: Run): boolean {
  return (
    a.rows.length === b.rows.length &&
    a.rows.every((row, i) => Buffer.from(row.buffer).equals(Buffer.from((b.rows[i] as Float32Array).buffer)))
  )
}
