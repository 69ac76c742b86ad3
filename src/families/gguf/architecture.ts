import type { GgufTensor } from '../../checkpoint/gguf/header.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { TensorNaming } from '../../checkpoint/gguf/tensor-naming.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'

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

/** How one of llama.cpp's architectures becomes a model as the hub writes it. */
export interface Architecture {
  /** The fields of config.json that the family reads. */
  readonly config: (model: GgufModel) => JsonObject
  readonly naming: TensorNaming
}
