/**
 * Attention of one layer as the model's own text computes it, with all that passes by kept: what is projected, rotated and stored,
 * and the calls of attention, which are not run but remembered, so that one head or some queries of them can be.
 */
import type { AttentionArgs } from '../kernels/contract/attention-args.ts'
import { SEQUENCE_FIELDS } from '../kernels/contract/cached-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { OPERATIONS, type Operations } from '../kernels/operations/table.ts'
import { contiguousKeys, type KeyStore } from '../nn/attention/keys.ts'
import { attendFrom } from '../nn/block.ts'
import type { LayerConfig } from '../nn/config.ts'
import { type Decoder, layerStep } from '../nn/decoder.ts'
import { KeepingScratch } from '../nn/scratch.ts'
import { prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { WholeText } from './whole-text.ts'

/** A call of attention: of queries first .. first + count of the text, over some of the keys. */
export interface WatchedCall {
  readonly args: AttentionArgs
  readonly first: number
  readonly count: number
  /** Of the first query, for the mask. */
  readonly position: number
  readonly keyStart: number
  readonly keyCount: number
}

/** Something rotated: before and after. */
export interface Rotation {
  readonly before: Tensor
  readonly after: Tensor
}

export class WatchedLayer {
  readonly index: number
  readonly config: LayerConfig
  /** In their order. Those that `carry` go on where the one before them ended. */
  readonly calls: readonly WatchedCall[]
  /** What was stored, by segment: f32 [T, heads, width]. */
  readonly stored: ReadonlyMap<string, Tensor>
  /** Queries, then keys. */
  readonly rotations: readonly Rotation[]
  readonly #scratch: KeepingScratch

  private constructor(
    index: number,
    config: LayerConfig,
    scratch: KeepingScratch,
    seen: Pick<WatchedLayer, 'calls' | 'stored' | 'rotations'>,
  ) {
    this.index = index
    this.config = config
    this.#scratch = scratch
    this.calls = seen.calls
    this.stored = seen.stored
    this.rotations = seen.rotations
  }

  /** From the stream that enters the layer, [T, D]. */
  static async of(
    kernels: Kernels,
    decoder: Decoder,
    text: WholeText,
    index: number,
    stream: Float32Array,
    pause: () => Promise<void>,
  ): Promise<WatchedLayer> {
    const scratch = new KeepingScratch(kernels)
    try {
      const config = decoder.config.layers[index] as LayerConfig
      const args: AttentionArgs[] = []
      const rotations: Rotation[] = []
      const stored = new Map<string, Tensor>()
      const ops = diverted(kernels, {
        attention: call => void args.push(call),
        rope: (y, x, cosSin, interleaved) => {
          rotations.push({ before: x, after: y })
          kernels.rope(y, x, cosSin, interleaved)
        },
      })
      const keys = watchedKeys(contiguousKeys(ops, scratch), stored)
      const step = prepareStep(kernels, scratch, [text.input], keys, decoder.ropes)
      const x = scratch.take([text.tokens.length, decoder.config.hiddenSize])
      kernels.upload(x, stream)
      const seen = layerStep({ ops, scratch, keys }, decoder, step, index)
      attendFrom(seen, decoder.config, config, decoder.weights.layers[index] as LayerWeights, x)
      await kernels.submit(pause)
      const calls: WatchedCall[] = []
      for (const call of args) {
        const row = (await kernels.read(call.sequences.rows)) as Int32Array
        if (row.length !== SEQUENCE_FIELDS) throw new TypeError('WatchedLayer: a call of several sequences')
        const [, count, position, keyStart, keyCount] = row as unknown as [number, number, number, number, number]
        // Where queries see all keys, all of them are in one call, whose positions lie behind the text.
        const first = position < text.tokens.length ? position : 0
        calls.push({ args: call, first, count, position, keyStart, keyCount })
      }
      return new WatchedLayer(index, config, scratch, { calls, stored, rotations })
    } catch (error) {
      scratch.dispose()
      throw error
    }
  }

  dispose(): void {
    this.#scratch.dispose()
  }
}

/** The kernel set's operations, some of them others. */
export function diverted(kernels: Kernels, others: Partial<Operations>): Operations {
  const own = Object.keys(OPERATIONS).map(name => {
    const operation = kernels[name as keyof Operations] as (...args: never[]) => void
    return [name, operation.bind(kernels)]
  })
  return { ...(Object.fromEntries(own) as Operations), ...others }
}

function watchedKeys(keys: KeyStore, stored: Map<string, Tensor>): KeyStore {
  return {
    groups: keys.groups,
    groupOf: layer => keys.groupOf(layer),
    apart: keys.apart,
    put: (layer, segment, x, group) => {
      stored.set(segment, x)
      return keys.put(layer, segment, x, group)
    },
  }
}
