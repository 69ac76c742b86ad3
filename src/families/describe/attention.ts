import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { AttentionShape, IndexerShape } from '../descriptor.ts'
import type { Traits } from '../traits.ts'
import { COUNT, firstInt, HEADS, HIDDEN, optionalFirstInt, SIZE } from './fields.ts'
import { isFalcon } from './traits.ts'

/** What most layers have. MLA is recognised by its fields, never by a name. */
export function readAttention(raw: ConfigReader, modelType: string, traits: Traits): AttentionShape {
  const nHeads = firstInt(raw, HEADS, COUNT)
  if (raw.has('kv_lora_rank') && raw.has('qk_rope_head_dim')) {
    return {
      kind: 'latent',
      nHeads,
      qLoraRank: raw.optionalInt('q_lora_rank', SIZE) ?? null,
      kvLoraRank: raw.int('kv_lora_rank', SIZE),
      qkRopeHeadDim: raw.int('qk_rope_head_dim', SIZE),
      qkNopeHeadDim: raw.int('qk_nope_head_dim', SIZE),
      vHeadDim: raw.int('v_head_dim', SIZE),
    }
  }
  const hiddenSize = firstInt(raw, HIDDEN, SIZE)
  const nKvHeads = readKvHeads(raw, modelType, nHeads, traits)
  if (nHeads % nKvHeads !== 0) {
    raw.fail('num_key_value_heads', `a divisor of the ${nHeads} attention heads`)
  }
  const given = raw.optionalInt('head_dim', SIZE) ?? traits.headDim
  if (given === undefined && hiddenSize % nHeads !== 0) {
    raw.fail(HEADS.find(k => raw.has(k)) as string, `a divisor of the hidden size, which is ${hiddenSize}`)
  }
  const headDim = given ?? hiddenSize / nHeads
  const valueDim = raw.optionalInt('v_head_dim', SIZE) ?? headDim
  return { kind: 'grouped', nHeads, nKvHeads, keyDim: headDim, valueDim }
}

function readKvHeads(raw: ConfigReader, modelType: string, nHeads: number, { kvHeads }: Traits): number {
  // Falcon writes num_kv_heads also where multi_query makes it one head.
  const falcon = isFalcon(modelType)
  const perHead = falcon && raw.bool('new_decoder_architecture', { default: modelType === 'RefinedWeb' })
  if (!perHead && raw.bool('multi_query', { default: falcon || modelType === 'gpt_bigcode' })) return 1
  const written = optionalFirstInt(raw, ['num_key_value_heads', 'num_kv_heads', 'n_head_kv'], COUNT)
  return written ?? (raw.keys().includes('num_key_value_heads') ? nHeads : (kvHeads ?? nHeads))
}

/** Of each layer. Some layers take the choice of the one before (GLM-5.2): `full` and `shared`, `F` and `S`, or a frequency. */
export function readIndexers(raw: ConfigReader, nLayers: number): (layer: number) => IndexerShape | null {
  if (!raw.has('index_topk')) return () => null
  const full: IndexerShape = {
    nHeads: raw.int('index_n_heads', COUNT),
    headDim: raw.int('index_head_dim', SIZE),
    topK: raw.int('index_topk', SIZE),
  }
  const shared = { ...full, shared: true }
  const types = raw.optionalStrings('indexer_types', { length: nLayers })
  if (types) return i => (types[i] === 'shared' ? shared : full)
  const pattern = raw.optionalString('index_topk_pattern')
  if (pattern !== undefined) {
    if (pattern.length !== nLayers || /[^FS]/.test(pattern)) {
      raw.fail('index_topk_pattern', `a letter F or S for each of the ${nLayers} layers`)
    }
    return i => (pattern[i] === 'S' ? shared : full)
  }
  const frequency = raw.int('index_topk_freq', { ...COUNT, default: 1 })
  const offset = raw.int('index_skip_topk_offset', { max: 4096, default: 2 })
  return i => (Math.max(i - offset + 1, 0) % frequency === 0 ? full : shared)
}
