/** Attention of an encoder-decoder's layer to its source, watched as `watched-layer.ts` watches that to its own text. */
import type { AttentionArgs } from '../kernels/contract/attention-args.ts'
import type { GroupedAttentionConfig } from '../nn/attention/config.ts'
import { type CrossWeights, crossAttention } from '../nn/attention/cross.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import type { LayerConfig } from '../nn/config.ts'
import { layerStep } from '../nn/decoder.ts'
import { prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { diverted } from './diverted.ts'
import { unrotated } from './rotations.ts'
import { withSource } from './source-keys.ts'
import { callOf, kept, type LayerRun, type WatchedLayer } from './watched-layer.ts'

/** What cross-attention is run on. */
export interface CrossRun extends Pick<LayerRun, 'kernels' | 'decoder' | 'text' | 'index'> {
  /** What is projected to queries, f32 [T, D]. */
  readonly queries: Float32Array
  /** What the encoder made of the source, f32 [S, D]. */
  readonly source: Float32Array
}

export function watchCross(run: CrossRun, pause: () => Promise<void>): Promise<WatchedLayer> {
  const { kernels, decoder, text, index } = run
  const { hiddenSize: D } = decoder.config
  const attention = (decoder.config.layers[index] as LayerConfig).cross as GroupedAttentionConfig
  const by = (decoder.weights.layers[index] as LayerWeights).cross as CrossWeights
  return kept(kernels, async scratch => {
    const args: AttentionArgs[] = []
    const stored = new Map<string, Tensor>()
    const ops = diverted(kernels, { attention: call => void args.push(call) })
    const upload = (values: Float32Array) => {
      const x = scratch.take([values.length / D, D])
      kernels.memory.upload(x, values)
      return x
    }
    const states = upload(run.source)
    const at = { ops, scratch }
    const keys = withSource(contiguousKeys(ops, scratch), at, decoder, states, stored)
    const step = prepareStep(kernels.memory, scratch, [text.input], keys, decoder)
    crossAttention(layerStep({ ...at, keys }, decoder, step, index), by, attention, upload(run.queries))
    await kernels.submit(pause)
    const [call] = args as [AttentionArgs]
    const keyCount = states.shape[0] as number
    return {
      index,
      attention,
      window: null,
      causal: false,
      keyCount,
      out: by.out,
      up: null,
      // Positions of its queries lie behind the source's end.
      calls: [await callOf(kernels, call, 'grouped', 0)],
      stored,
      input: states,
      queries: unrotated(call.q),
      keys: unrotated(stored.get('key') as Tensor),
      interleaved: false,
      gate: null,
      chosen: null,
      path: undefined,
    }
  })
}
