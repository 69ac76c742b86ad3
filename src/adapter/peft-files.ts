/** Reads adapter_config.json and adapter_model.safetensors, as PEFT 0.5 to 0.19 write them. */
import { type JsonObject, readJson } from '../checkpoint/json-file.ts'
import { listed, quote } from '../checkpoint/quote.ts'
import { readSafetensorsHeader } from '../checkpoint/safetensors/safetensors.ts'
import type { CheckpointFiles } from '../checkpoint/source/checkpoint-files.ts'
import { type TensorEntry, weightTypeOf } from '../checkpoint/tensor-entry.ts'
import { CheckpointError, UnsupportedModelError } from '../errors.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import { show } from '../options/show.ts'
import type { AdaptedModule, Adapter } from './adapter.ts'

export const ADAPTER_CONFIG = 'adapter_config.json'
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors'
/** Before the names of modules. */
export const PEFT_PREFIX = 'base_model.model.'
/** Bytes. */
const MAX_CONFIG = 8 << 20

/**
 * Reads the adapter's config and the header of its weights, no weights. Throws CheckpointError for files that are missing or damaged,
 * UnsupportedModelError for kinds of adapters that are not computed here, by their name.
 */
export async function openPeft(files: CheckpointFiles): Promise<Adapter> {
  if (!files.names.has(ADAPTER_CONFIG)) {
    const met = files.names.has('config.json') ? 'is a model' : `has no ${ADAPTER_CONFIG}`
    throw new CheckpointError(
      `${files.name} ${met}; expected the folder of a LoRA adapter, as PEFT writes it, or its GGUF file`,
    )
  }
  const config = await readJson(await files.open(ADAPTER_CONFIG), MAX_CONFIG)
  const fail = (met: string): never => {
    throw new UnsupportedModelError(`${files.name}/${ADAPTER_CONFIG}: ${met}`)
  }
  refuseKinds(config, fail)
  if (!files.names.has(ADAPTER_WEIGHTS)) {
    const pickled = files.names.has('adapter_model.bin')
    const advice = pickled ? '; adapter_model.bin is in the form of PyTorch: save the adapter again with PEFT' : ''
    throw new CheckpointError(`${files.name} has no ${ADAPTER_WEIGHTS}${advice}`)
  }
  const { tensors } = await readSafetensorsHeader(await files.open(ADAPTER_WEIGHTS))
  const scaleOf = scales(config, fail)
  const modules = pairs(files.name, tensors).map(({ module, down, up }): AdaptedModule => {
    return { module, down, up, scale: scaleOf(module, down.rows) }
  })
  if (modules.length === 0) throw new CheckpointError(`${files.name}/${ADAPTER_WEIGHTS} changes no module`)
  return { name: files.name, modules }
}

function refuseKinds(config: JsonObject, fail: (met: string) => never): void {
  const { peft_type: kind, bias = 'none', init_lora_weights: init } = config
  if (kind !== 'LORA') fail(`peft_type is ${show(kind)}; latentkit computes LORA`)
  for (const key of ['use_dora', 'use_qalora', 'use_bdlora']) {
    if (config[key] === true) fail(`${key} is true; latentkit computes plain LoRA and rsLoRA`)
  }
  if (bias !== 'none' || config.lora_bias === true) fail('it has biases of its own (bias, lora_bias); expected none')
  for (const key of [
    'modules_to_save',
    'trainable_token_indices',
    'target_parameters',
    'layer_replication',
    'alora_invocation_tokens',
    'kasa_config',
    'monteclora_config',
    'velora_config',
    'arrow_config',
  ]) {
    const value = config[key]
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue
    fail(`${key} is ${show(value)}; latentkit applies low-rank changes of matrices only`)
  }
  if (typeof init === 'string' && /^(pissa|olora|corda|loftq|lora_ga)/i.test(init)) {
    fail(
      `init_lora_weights is ${show(init)}, which changes the base model too; convert it in PEFT (path_initial_model_for_weight_conversion)`,
    )
  }
}

/** Of a module and its rank, which is what the config says of it. */
function scales(config: JsonObject, fail: (met: string) => never): (module: string, rank: number) => number {
  const alpha = config.lora_alpha ?? 8
  if (typeof alpha !== 'number' || !Number.isFinite(alpha))
    return fail(`lora_alpha is ${show(alpha)}; expected a number`)
  const alphaOf = numbersOfModules(config, 'alpha_pattern', fail)
  const rankOf = numbersOfModules(config, 'rank_pattern', fail)
  const root = config.use_rslora === true
  return (module, rank) => {
    const told = rankOf(module) ?? config.r ?? rank
    if (told !== rank) fail(`it says rank ${show(told)} of ${quote(module)}, whose matrices have rank ${rank}`)
    return (alphaOf(module) ?? alpha) / (root ? Math.sqrt(rank) : rank)
  }
}

/** What a pattern of the config says of a module. It counts as in PEFT: the module's name, or its end after a dot. */
function numbersOfModules(config: JsonObject, field: string, fail: (met: string) => never) {
  const given = config[field] ?? {}
  const patterns =
    typeof given === 'object' && !Array.isArray(given) ? Object.entries(given) : fail(`${field} is no object`)
  const known = patterns.map(([pattern, own]) => {
    if (!/^\^?[\w.-]+$/.test(pattern)) fail(`${field} has ${show(pattern)}, an expression; expected names of modules`)
    if (typeof own !== 'number' || !Number.isFinite(own)) fail(`${field} has ${show(own)}; expected numbers`)
    return { name: pattern.replace('^', ''), whole: pattern.startsWith('^'), own: own as number }
  })
  return (module: string): number | undefined =>
    known.find(({ name, whole }) => module === name || (!whole && module.endsWith(`.${name}`)))?.own
}

const PART = /^(.*)\.lora_([AB])(?:\.default)?\.weight$/

/** Both matrices of every module. Throws for tensors of other kinds, and for a module that has one only. */
function pairs(name: string, tensors: ReadonlyMap<string, TensorEntry>) {
  const found = new Map<string, { down?: WeightSource; up?: WeightSource }>()
  const others: string[] = []
  for (const entry of tensors.values()) {
    const [, path, side] = PART.exec(entry.name) ?? []
    const dtype = weightTypeOf(entry.dtype)
    const [rows, cols, ...more] = entry.shape
    const isMatrix = rows !== undefined && cols !== undefined && more.length === 0
    if (path === undefined || !isMatrix || (dtype !== 'f32' && dtype !== 'f16' && dtype !== 'bf16')) {
      others.push(entry.name)
      continue
    }
    const module = path.startsWith(PEFT_PREFIX) ? path.slice(PEFT_PREFIX.length) : path
    const source: WeightSource = { name: entry.name, dtype, rows, cols, bytes: entry.bytes }
    const part = side === 'A' ? 'down' : 'up'
    const known = found.get(module)
    if (known?.[part]) {
      throw new CheckpointError(
        `${name}/${ADAPTER_WEIGHTS}: ${quote(module)} has two matrices lora_${side}; expected one`,
      )
    }
    found.set(module, { ...known, [part]: source })
  }
  if (others.length > 0) {
    throw new UnsupportedModelError(
      `${name}/${ADAPTER_WEIGHTS} has ${listed(others)}; expected pairs of matrices lora_A and lora_B in F32, F16 or BF16`,
    )
  }
  return [...found].map(([module, { down, up }]) => {
    if (!down || !up)
      throw new CheckpointError(`${name}/${ADAPTER_WEIGHTS}: ${quote(module)} has no ${down ? 'lora_B' : 'lora_A'}`)
    if (up.cols !== down.rows) {
      throw new CheckpointError(
        `${name}/${ADAPTER_WEIGHTS}: ${quote(module)} has a lora_A of rank ${down.rows} and a lora_B of rank ${up.cols}; expected one rank`,
      )
    }
    if (down.rows === 0)
      throw new CheckpointError(`${name}/${ADAPTER_WEIGHTS}: ${quote(module)} has rank 0; expected 1 or more`)
    return { module, down, up }
  })
}
