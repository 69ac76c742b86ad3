/** The layers of a text as they were run for the last questions, so that the next one about them is quick. */
import { ownIndexer } from '../nn/attention/config.ts'
import type { AttentionPath } from '../nn/attention/path.ts'
import type { Decoder } from '../nn/decoder.ts'
import type { Sharing } from './sharing.ts'
import type { States } from './state.ts'
import { type CrossRun, watchCross } from './watched-cross.ts'
import { type LayerRun, type WatchedLayer, watchLayer } from './watched-layer.ts'

/** Which attention of a layer, and how computed. */
export interface Part {
  readonly path?: AttentionPath | undefined
  /** That to the source. */
  readonly cross?: boolean
}

/** Layers that are kept. */
const MAX_WATCHED = 2

/** What is run. `source`: f32 [S, D], what the encoder of an encoder-decoder made of the source. */
interface WatchedText extends Pick<LayerRun, 'kernels' | 'decoder' | 'text'> {
  readonly states: States
  readonly source: CrossRun['source'] | null
}

export class WatchedLayers {
  readonly #of: WatchedText
  /** What the indexer that was asked for last has chosen. */
  #choice: { readonly layer: number; readonly keys: Int32Array | undefined } | null = null
  /** The last one first. */
  #kept: { readonly name: string; readonly layer: WatchedLayer }[] = []

  constructor(of: WatchedText) {
    this.#of = of
  }

  async at(index: number, { path, cross = false }: Part, work: Sharing): Promise<WatchedLayer> {
    const name = `${index} ${path} ${cross}`
    const known = this.#kept.find(one => one.name === name)
    if (known) {
      this.#kept = [known, ...this.#kept.filter(one => one !== known)]
      return known.layer
    }
    const chosen = cross ? undefined : await this.#chosen(index, work)
    while (this.#kept.length >= MAX_WATCHED) this.#kept.pop()?.layer.dispose()
    const { kernels, decoder, text, states, source } = this.#of
    const run = { kernels, decoder, text, index }
    const layer = await work.turn(() =>
      cross && source
        ? watchCross({ ...run, queries: states.crossQueries[index] as Float32Array, source }, work.pause)
        : watchLayer({ ...run, ...this.#run(index), path, chosen, keysOf: this.#keysOf(index) }, work.pause),
    )
    this.#kept.unshift({ name, layer })
    return layer
  }

  dispose(): void {
    for (const { layer } of this.#kept.splice(0)) layer.dispose()
  }

  #run(index: number): Pick<LayerRun, 'index' | 'stream' | 'stored'> {
    const { states, stored } = this.#of.states
    return { index, stream: states[index] as Float32Array, stored: stored.get(index) }
  }

  #keysOf(index: number): LayerRun['keysOf'] {
    const attention = attentionsOf(this.#of.decoder)[index]
    const keysOf = attention?.kind === 'grouped' ? attention.keysOf : undefined
    return keysOf === undefined ? undefined : this.#run(keysOf)
  }

  /** The keys that the layer attends to, where an earlier one has chosen them for it. */
  async #chosen(index: number, work: Sharing): Promise<Int32Array | undefined> {
    const attentions = attentionsOf(this.#of.decoder)
    const attention = attentions[index]
    if (attention?.kind !== 'latent' || !attention.indexer?.shared) return undefined
    const chooser = attentions.slice(0, index).findLastIndex(ownIndexer)
    if (this.#choice?.layer === chooser) return this.#choice.keys
    const { chosen } = await this.at(chooser, {}, work)
    const keys = chosen ? ((await this.#of.kernels.memory.read(chosen)) as Int32Array) : undefined
    this.#choice = { layer: chooser, keys }
    return keys
  }
}

function attentionsOf({ config }: Decoder) {
  return config.layers.map(({ attention }) => attention)
}
