/**
 * What a config.json says of a model, wider than what the engine runs: a model is described by the fields it has, not by
 * its name. Only what decides bytes and multiplications is read.
 */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { ConfigError, UnsupportedModelError } from '../../errors.ts'
import type { LayerDescriptor, ModelDescriptor } from '../descriptor.ts'
import { completeTraits, type FamilyTraits } from '../traits.ts'
import { readAttention } from './attention.ts'
import { first, firstInt, HEADS, HIDDEN, optionalFirstInt, SIZE } from './fields.ts'
import { readLayers } from './layers.ts'
import { describeSides } from './sides.ts'
import { readStates } from './states.ts'
import { readTraits } from './traits.ts'
import { type LayerVariant, readVariant } from './variants.ts'

/**
 * `family`: undefined for one that is not known, which is read like Llama; `variant`: what else its layers have. Throws ConfigError or
 * UnsupportedModelError.
 */
export function describe(
  raw: ConfigReader,
  modelType: string,
  family: FamilyTraits | undefined,
  variant: LayerVariant | undefined,
): ModelDescriptor {
  if (family?.sides) return describeSides(raw, modelType, completeTraits(family), family.sides)
  refuseOthers(raw, modelType)
  const states = readStates(raw, modelType)
  requireHeads(raw)
  const traits = completeTraits(family)
  const attention = readAttention(raw, modelType, traits)
  const { layers, own } = readVariant(raw, variant, readLayers(raw, modelType, traits, attention, states.of))
  const positions = first(raw, ['max_position_embeddings', 'n_positions', 'max_seq_len', 'model_max_length'])
  return {
    modelType,
    hiddenSize: firstInt(raw, HIDDEN, SIZE),
    vocabSize: raw.int('vocab_size', SIZE),
    maxPositions: positions ? raw.int(positions, { min: 1, max: 2 ** 40 }) : null,
    layers,
    draftLayers: readDraft(raw, layers),
    ...readTraits(raw, modelType, traits),
    learnedPositions: traits.learnedPositions && positions ? raw.int(positions, SIZE) : 0,
    own,
    unknown: states.unknown,
  }
}

/**
 * Layers for multi-token prediction, by DeepSeek's name or Qwen's: like the last that attends, with experts if a layer has some, but each chooses
 * for itself.
 */
function readDraft(raw: ConfigReader, layers: readonly LayerDescriptor[]): LayerDescriptor[] {
  const count =
    optionalFirstInt(raw, ['num_nextn_predict_layers', 'mtp_num_hidden_layers', 'mtp_num_layers'], {
      min: 0,
      max: 64,
    }) ?? 0
  const last = layers.findLast(l => l.attention.kind !== 'state')
  if (!last) return []
  const { mlp } = layers.findLast(l => l.mlp.kind === 'moe') ?? last
  return Array.from({ length: count }, () => ({ ...last, mlp, ...ownIndexer(last) }))
}

function ownIndexer({ indexer }: LayerDescriptor): Pick<LayerDescriptor, 'indexer'> {
  if (!indexer) return { indexer }
  const { shared: _, ...own } = indexer
  return { indexer: own }
}

function refuseOthers(raw: ConfigReader, modelType: string): void {
  const name = JSON.stringify(modelType.slice(0, 60))
  const refuse = (why: string): never => {
    throw new UnsupportedModelError(`${raw.file}: ${why}`)
  }
  if (modelType === 'deepseek_v4' || raw.has('compress_ratios')) {
    refuse(compressedAttention(name))
  }
  if (raw.optionalBool('is_encoder_decoder')) {
    refuse(`${name} is an encoder-decoder, whose cache depends on two lengths; latentkit plans decoders.`)
  }
}

function requireHeads(raw: ConfigReader): void {
  if (!first(raw, HEADS)) {
    throw new ConfigError(
      `${raw.file}: there are no attention fields; expected num_attention_heads (with num_key_value_heads where heads ` +
        'share keys, or kv_lora_rank and qk_rope_head_dim for MLA), as in the config.json that the hub has beside the weights.',
    )
  }
}

export function compressedAttention(name: string): string {
  return (
    `${name} has no kv_lora_rank but compressed sparse attention (compress_ratios), whose cache follows other rules; ` +
    'latentkit plans MLA, MHA, GQA and MQA, among them DeepSeek-V2, V3 and V3.2.'
  )
}
