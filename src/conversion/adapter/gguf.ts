/** An adapter as llama.cpp's GGUF file. */
import { basename } from 'node:path'
import type { AdaptedModule, Adapter } from '../../adapter/adapter.ts'
import { ADAPTER_TYPE, ALPHA, rotatedHeadDim } from '../../adapter/gguf-file.ts'
import { refuseOrderedHeads } from '../../adapter/ordered-heads.ts'
import { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import { computed, reordered } from '../../checkpoint/recode/derived.ts'
import { recoded } from '../../checkpoint/recode/recoded.ts'
import { hubRow } from '../../checkpoint/recode/rotated-rows.ts'
import { readRows } from '../../checkpoint/recode/weight-rows.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { architectureFor } from '../../families/architectures.ts'
import type { Architecture } from '../../families/gguf/architecture.ts'
import { attendingOf } from '../../families/gguf/states.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import { layerOf } from '../../model/load.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import type { TensorToWrite } from '../gguf/plan-tensors.ts'
import { ggufNames } from '../gguf/tensor-names.ts'
import { ggufHeader, ggufSize, writeGguf } from '../gguf/write-gguf.ts'
import type { HubType } from '../hub/plan-tensors.ts'
import { checkRoom, type OutputOptions, writeWhole } from '../output.ts'
import { moduleIn } from '../value-heads.ts'
import { summarise, type Written } from '../written.ts'

/** Throws UnsupportedModelError for a module that llama.cpp cannot change. */
export function prepareAdapterGguf(adapter: Adapter, base: OpenedModel, weights: HubType | undefined) {
  const architecture = architectureFor(base.config.modelType)
  const nameOf = ggufNames(architecture.naming, layer => base.config.layers[layer]?.attention.kind === 'delta')
  const alpha = alphaOf(adapter.modules)
  const tensors = adapter.modules.flatMap(module => {
    refuseOrderedHeads(adapter.name, module.module, base)
    const found = nameOf(`${module.module}.weight`)
    if (!found || isTakenApart(module.module, base, architecture)) {
      const why = found ? 'has it in two parts, which no adapter changes' : 'has no name for it'
      throw new UnsupportedModelError(
        `${adapter.name} changes ${module.module}; llama.cpp ${why}. Merge the adapter into the model with --lora`,
      )
    }
    const up = scaled(inGgufOrder(module, base), (module.scale * module.down.rows) / alpha)
    return [tensorOf(`${found.name}.lora_a`, module.down, weights), tensorOf(`${found.name}.lora_b`, up, weights)]
  })
  const keys = new GgufKeys(architecture.name)
  keys.string('general.type', ADAPTER_TYPE)
  keys.string('general.name', basename(adapter.name).replace(/\.gguf$/i, ''))
  keys.string('adapter.type', 'lora')
  keys.f32(ALPHA, alpha)
  const header = ggufHeader(keys, tensors)
  const types = summarise(tensors)
  const bytes = ggufSize(header, tensors)
  return {
    bytes,
    warnings: ignoredByLlamaCpp(adapter, base),
    write: async (path: string, options: OutputOptions): Promise<Written> => {
      await checkRoom(path, bytes)
      await writeWhole(path, output => writeGguf(output, header, tensors), options)
      return { files: [path], types }
    },
  }
}

/** What is one matrix on the hub and two in llama.cpp. */
function isTakenApart(module: string, { config, family }: OpenedModel, { splitsKeyValueUp }: Architecture): boolean {
  if (splitsKeyValueUp && module.endsWith('.kv_b_proj')) return true
  const { delta } = family.names
  const carriesState = config.layers[layerOf(module)]?.attention.kind === 'delta'
  return carriesState && delta?.apart !== undefined && moduleIn(module, delta.qkv) !== undefined
}

/** llama.cpp multiplies by the matrices of latents, and by those of states in such models, as they are, and says nothing of their changes. */
function ignoredByLlamaCpp({ modules }: Adapter, { config }: OpenedModel): string[] {
  if (attendingOf(config)?.kind !== 'latent') return []
  const ends = modules.flatMap(({ module }) => {
    const end = /\.(?:self_attn|attention)\.(\w+)$/.exec(module)?.[1]
    const isKept = config.layers[layerOf(module)]?.attention.kind === 'latent' && /^(o_proj|dense)$/.test(end ?? '')
    return end === undefined || isKept ? [] : [end]
  })
  if (ends.length === 0) return []
  const names = [...new Set(ends)].join(', ')
  return [
    `llama.cpp leaves out what an adapter changes of ${names} in models with latents; merge it with --lora for llama.cpp`,
  ]
}

/** One for the whole file, where PEFT's adapters may have one for each module: the first, and others in their matrices. 0 would be none. */
function alphaOf(modules: readonly AdaptedModule[]): number {
  const [first] = modules.flatMap(({ scale, down }) => (scale === 0 ? [] : [scale * down.rows]))
  return Math.fround(first ?? 1)
}

function inGgufOrder({ module, up }: AdaptedModule, base: OpenedModel): WeightSource {
  const headDim = rotatedHeadDim(module, base)
  return headDim === null ? up : reordered(up, up.rows, row => hubRow(row, headDim))
}

/** Rounding of the file's alpha to f32 needs no other matrix. */
const SAME = 1e-6

function scaled(source: WeightSource, factor: number): WeightSource {
  if (Math.abs(factor - 1) < SAME) return source
  return computed(source, source.rows, source.cols, async (start, count) =>
    (await readRows(source, start, count)).map(value => value * factor),
  )
}

function tensorOf(name: string, source: WeightSource, weights: HubType | undefined): TensorToWrite {
  const part = weights ? recoded(source, weights) : source
  const { dtype: type, rows, cols } = part
  return { name, type, shape: [rows, cols], bytes: weightBytes(type, rows, cols), parts: [part] }
}
