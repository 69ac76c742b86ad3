import type { GgufTensor } from '../../checkpoint/gguf/header.ts'
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { TensorNaming } from '../../checkpoint/gguf/tensor-naming.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { AttentionConfig } from '../../nn/attention/config.ts'
import type { ModelConfig } from '../../nn/config.ts'
import type { BiasGroup } from '../biases.ts'
import type { LatentYarn } from './latent-yarn.ts'

/** What a file says of its model, as far as a config is made of it. */
export interface GgufModel {
  readonly metadata: Metadata
  readonly tensors: ReadonlyMap<string, GgufTensor>
  readonly ropeTensors: RopeTensors
}

/** Divisors of the rope's frequencies, one each. They are tensors in GGUF and settings on the hub. */
export interface RopeTensors {
  readonly frequencies?: readonly number[]
  readonly long?: readonly number[]
  readonly short?: readonly number[]
}

/** How one of llama.cpp's architectures becomes a model as the hub writes it, and the other way round. */
export interface Architecture {
  /** `general.architecture` */
  readonly name: string
  /** Reading: the fields of config.json that the family reads. */
  readonly config: (model: GgufModel) => JsonObject
  readonly naming: TensorNaming
  /** Writing: the attention whose sizes the common keys have, where layers differ. Default: they must not. */
  readonly shownAttention?: (config: ModelConfig) => AttentionConfig | undefined
  /** Writing: keys that other architectures do not have; `predictions`: how many modules of multi-token prediction are written. */
  readonly addKeys?: (keys: GgufKeys, config: ModelConfig, predictions: number) => void
  /** Writing: with modules of multi-token prediction, layers past the last. Default false. */
  readonly predictions?: boolean
  /** Biases that llama.cpp reads; it refuses a file with any other. Default: none. */
  readonly biases?: readonly BiasGroup[]
  /** Rope rotates neighbours, so rows of q and k are permuted. Default false. */
  readonly interleaves?: boolean
  /** Files have the decay rates of states, times this sign, where the hub's have their logarithms. Default: there are none. */
  readonly decayRates?: 1 | -1
  /** Divisors of the rope's frequencies that llama.cpp reads: one set, or LongRoPE's two; it refuses a file with any other. Default: none. */
  readonly ropeDivisors?: 'one' | 'two'
  /** Latent attention: what llama.cpp stretches under YaRN, beside what is rotated. Default: nothing. */
  readonly latentYarn?: LatentYarn
  /** Heads of values lie as they take those of keys by turns; on the hub neighbours share one. Default false. */
  readonly keysByTurns?: boolean
  /** W_UK and W_UV are apart, since llama.cpp computes on the latent. Default false. */
  readonly splitsKeyValueUp?: boolean
  /** Files from before llama.cpp computed on the latent had them in one. Default false. */
  readonly onceJoined?: boolean
  /** Where llama.cpp goes by other rules than a file's keys, one sentence each. */
  readonly warnings?: (config: ModelConfig) => readonly string[]
}
