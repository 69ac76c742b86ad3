import { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { GgufTensor } from '../../checkpoint/gguf/header.ts'
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import { Metadata } from '../../checkpoint/gguf/metadata.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Architecture, RopeTensors } from '../../families/gguf/architecture.ts'
import { parseConfig } from '../../families/index.ts'
import { ropeFrequencies } from '../../nn/attention/rope.ts'
import type { LayerConfig, ModelConfig } from '../../nn/config.ts'
import type { TensorToWrite } from './plan-tensors.ts'
import { ropeTensors } from './rope-keys.ts'

/**
 * Reads the keys as a reader of the file will, and throws UnsupportedModelError where another model comes out: llama.cpp
 * takes for granted what a config.json may set, such as the softmax scale, an activation, or which layers have experts.
 */
export function checkKeys(
  config: ModelConfig,
  architecture: Architecture,
  keys: GgufKeys,
  tensors: readonly TensorToWrite[],
): void {
  const metadata = new Metadata(keys.asRead(), 'the GGUF file')
  const named = new Map(tensors.map(tensor => [tensor.name, described(tensor)]))
  const raw = architecture.config({ metadata, tensors: named, ropeTensors: readBack(config) })
  const read = parseConfig(new ConfigReader(raw, 'the GGUF file'))
  const found = difference(meaning(config), meaning(read), '')
  if (found === null) return
  const { path, was, is } = found
  throw new UnsupportedModelError(
    `GGUF's architecture ${architecture.name} cannot express this model: ${path} is ${show(was)}, and would be read as ${show(is)}`,
  )
}

function described({ name, shape }: TensorToWrite): GgufTensor {
  const source = { name, size: 0, read: async () => new Uint8Array() }
  return { name, type: 'F32', shape, bytes: { source, offset: 0, length: 0 } }
}

function readBack(config: ModelConfig): RopeTensors {
  const tensors = ropeTensors(config)
  const list = (name: string) => tensors.get(name) && [...(tensors.get(name) as Float32Array)]
  const [frequencies, long, short] = ['rope_freqs', 'rope_factors_long', 'rope_factors_short'].map(n =>
    list(`${n}.weight`),
  )
  return { ...(frequencies && { frequencies }), ...(long && { long }), ...(short && { short }) }
}

/** What a model computes: not what it is called, nor how rows are ordered. Biases are read where there are tensors. */
function meaning({ modelType, bosTokenId, eosTokenIds, bias, ropes, layers, ...config }: ModelConfig): object {
  return {
    ...config,
    layers: layers.map(({ attention: { keysByTurns: _, ...attention }, ...layer }: LayerOfAnyKind) => ({
      ...layer,
      attention,
    })),
    ropes: ropes.map(rope => {
      const [within, beyond] = [ropeFrequencies(rope), ropeFrequencies(rope, true)]
      return { dim: rope.dim, within: plain(within), beyond: plain(beyond), growth: rope.growth }
    }),
  }
}

function plain({ frequencies, factor }: ReturnType<typeof ropeFrequencies>) {
  return { frequencies: [...frequencies], factor }
}

type LayerOfAnyKind = Omit<LayerConfig, 'attention'> & {
  readonly attention: LayerConfig['attention'] & { readonly keysByTurns?: true }
}

interface Difference {
  readonly path: string
  readonly was: unknown
  readonly is: unknown
}

/** Numbers went through f32. */
const CLOSE = 1e-6

function difference(was: unknown, is: unknown, path: string): Difference | null {
  if (typeof was === 'number' && typeof is === 'number') {
    return Math.abs(was - is) <= CLOSE * Math.abs(was) ? null : { path, was, is }
  }
  if (typeof was !== 'object' || typeof is !== 'object' || was === null || is === null) {
    return was === is ? null : { path, was, is }
  }
  for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const at = path === '' ? key : `${path}.${key}`
    const found = difference(was[key as never], is[key as never], at)
    if (found) return found
  }
  return null
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'absent'
}
