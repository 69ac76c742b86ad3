import type { Kernels } from '../../kernels/contract/kernels.ts'
import { Model } from '../../model/model.ts'
import { RowRunner } from '../../model/row-runner.ts'
import type { Decoder } from '../../nn/decoder.ts'
import { Sampler } from '../../sampling/sampler.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'

/** Writes texts with the weights as they are while they are learned: nothing is copied, and learning notices nothing. */
export class Samples {
  readonly #model: Model
  readonly #tokenizer: Tokenizer
  readonly #tokens: number
  readonly #seed: number

  constructor(kernels: Kernels, { config, weights }: Decoder, tokenizer: Tokenizer, tokens: number, seed: number) {
    this.#model = new Model(config, weights, kernels, { cacheType: 'f32' })
    this.#tokenizer = tokenizer
    this.#tokens = tokens
    this.#seed = seed
  }

  /** How the model goes on, until its text ends. The same seed and weights give the same text. */
  async write(prompt: string): Promise<string> {
    const { config } = this.#model
    const ids = this.#tokenizer.encodePrompt(prompt).slice(0, config.maxPositions - 1)
    const total = Math.min(config.maxPositions, ids.length + this.#tokens)
    const cache = this.#model.sequence(total)
    try {
      const rows = new RowRunner({ cache, ids, extent: { start: 0, end: ids.length } })
      const sampler = new Sampler({ seed: this.#seed, temperature: 0.8, topP: 0.95 })
      const found: number[] = []
      for (let logits = await rows.step(this.#model, ids.length, 'last'); ; ) {
        const id = sampler.sample(logits)
        if (config.eosTokenIds.includes(id) || id === this.#tokenizer.eosId) break
        found.push(id)
        if (ids.length + found.length >= total) break
        rows.push(id)
        logits = await rows.step(this.#model, 1, 'last')
      }
      return this.#tokenizer.decode(found)
    } finally {
      cache.dispose()
    }
  }

  dispose(): void {
    this.#model.dispose()
  }
}
