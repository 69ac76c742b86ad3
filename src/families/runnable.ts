/** From what a model is to what this engine computes: the one place that says no to a descriptor. */
import type { ConfigReader } from '../checkpoint/config-reader.ts'
import { quote } from '../checkpoint/quote.ts'
import { readTokenIds } from '../checkpoint/token-ids.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { Activation, GateClamp } from '../kernels/contract/operation-options.ts'
import {
  type AttentionConfig,
  type GroupedAttentionConfig,
  type IndexerConfig,
  LATENT_NORM_EPS,
} from '../nn/attention/config.ts'
import { type Growth, type RopeConfig, yarnSoftmaxFactor } from '../nn/attention/rope.ts'
import type { BlockOrder, LayerConfig, MlpConfig, ModelConfig, MoeConfig } from '../nn/config.ts'
import type { StateConfig } from '../nn/states/config.ts'
import type { AttentionShape, LatentShape, LayerDescriptor, ModelDescriptor } from './descriptor.ts'
import { isRead, rowsRead } from './shared-rows.ts'

export type Routing = Pick<
  MoeConfig,
  'scoring' | 'groups' | 'topkGroups' | 'groupScore' | 'zeroLosers' | 'normalise' | 'scale'
>

/** What a family's arithmetic is, beside the sizes that a descriptor has. */
export interface Arithmetic {
  readonly attention: AttentionConfig['kind']
  /** Of layers that carry a state in place of keys. Default: there are none. */
  readonly state?: StateConfig
  /** Of all norms but those of latents. */
  readonly eps: number
  readonly activation: Activation
  /** Default `pre`. */
  readonly blockOrder?: BlockOrder
  /** The ropes for heads that rotate `dim` numbers. Default: no rotary positions. */
  readonly ropes?: (dim: number) => readonly RopeConfig[]
  /** Which of them a layer has; null: none. Default: the first. */
  readonly ropeOf?: (layer: LayerDescriptor, index: number) => number | null
  /** Part of a head that rope turns, its first numbers. Default 1. */
  readonly rotary?: number
  /** Queries grow with their position. Default: they do not. */
  readonly queryGrowth?: Growth
  /** Factor of q·k. Default: width of a head's key ^ -0.5, times YaRN's factor for latents. */
  readonly softmaxScale?: number
  /** RMSNorm of q and k: over each head, before rope or (`late`) behind it, or over all heads at once. Default: none. */
  readonly qkNorm?: 'head' | 'late' | 'wide'
  /** An indexer chooses keys, whose rope rotates neighbours or halves. Default: a model with one is refused. */
  readonly indexer?: { readonly interleaved: boolean }
  /**
   * What heads find is multiplied by the sigmoid of a gate that comes with their queries; in MLA from one matrix, of both of the query's latents.
   * Default false.
   */
  readonly gated?: boolean
  /** Heads of MLA have a gate each. Default false. */
  readonly headGate?: boolean
  /** Weights of single families that it computes with, by the descriptor's names. Default: none. */
  readonly own?: readonly string[]
  /** Layers may have windows; other families' code leaves `sliding_window` alone. Default false. */
  readonly windows?: boolean
  /** How experts are chosen. Default: there are none. */
  readonly routing?: Routing
  /** Some of them may return their input. Default false. */
  readonly idleExperts?: boolean
  /** Factors of MLA's latents, the query's and the other, behind their norms. Default 1. */
  readonly latentScales?: (shape: LatentShape) => { readonly query: number; readonly keyValue: number }
  /** Gates of experts stay within a limit. Default: the activation alone. */
  readonly clamp?: GateClamp
  /** Norms of latents are a constant factor, for readers whose eps is this. Default: they are norms. */
  readonly constantLatentNorm?: number
  /** Default: as `max_position_embeddings` says. */
  readonly maxPositions?: number
  readonly embeddingScale?: number
  readonly residualScale?: number
  readonly logitScale?: number
  /** Bound of logits, which `tanh` keeps. Default: there is none. */
  readonly logitCap?: number | undefined
  /** Values are normed, each head by itself. Default false. */
  readonly valueNorm?: boolean
  /** Values may be the keys' projection. Default false. */
  readonly keysAreValues?: boolean
  /** Layers may read the keys and values of earlier ones. Default false. */
  readonly sharedRows?: boolean
  /** Experts beside MLPs read the stream itself. Default: what the MLP reads. */
  readonly ofStream?: boolean
}

/** What the descriptor calls norms over all heads of q and of k. */
const WIDE_NORMS = 'q, k norms'
const WINDOW = { min: 1, max: 1 << 28 } as const

/** Throws UnsupportedModelError, or ConfigError for sizes that no kernel takes. */
export function runnable(raw: ConfigReader, model: ModelDescriptor, a: Arithmetic): ModelConfig {
  refuseQuirks(raw, a)
  refuseTypes(raw)
  const ropes: RopeConfig[] = []
  const placed = new Map<number, { readonly at: readonly number[]; readonly all: readonly RopeConfig[] }>()
  /** Ropes of heads of this size, and where they are: those of other sizes have others, or the same. */
  const ropesOf = (dim: number) => {
    const known = placed.get(dim)
    if (known) return known
    const all = a.ropes?.(dim) ?? []
    const written = ropes.map(rope => JSON.stringify(rope))
    const at = all.map(rope => {
      const same = written.indexOf(JSON.stringify(rope))
      return same >= 0 ? same : ropes.push(rope) - 1
    })
    const made = { at, all }
    placed.set(dim, made)
    return made
  }
  const queryRopes = new Map<string, NonNullable<LayerConfig['queryRope']>>()
  const grown = (growth: Growth, shape: AttentionShape, rope: RopeConfig | undefined) => {
    const still = shape.kind === 'latent' ? shape.qkNopeHeadDim : null
    const key = `${rope?.dim} ${still}`
    const known = queryRopes.get(key)
    if (known) return known
    if (still !== null && still % 2 !== 0) raw.fail('qk_nope_head_dim', 'an even number, for queries that grow')
    const rotated = ropes.push({ ...(rope as RopeConfig), growth }) - 1
    const quiet: RopeConfig[] =
      still === null
        ? []
        : [{ dim: still, theta: 1, interleaved: false, scaling: { kind: 'none' }, still: true, growth }]
    ropes.push(...quiet)
    const made = { rotated, still: still === null ? null : rotated + 1 }
    queryRopes.set(key, made)
    return made
  }
  const layers = model.layers.map((layer, index): LayerConfig => {
    if (layer.attention.kind === 'state' && a.state) {
      return { attention: a.state, rope: null, window: null, mlp: mlpOf(raw, layer.mlp, model, a) }
    }
    const shape = attended(raw, layer, model, a)
    const found = a.ropes && ropesOf(rotated(raw, shape, a))
    const which = a.ropeOf ? a.ropeOf(layer, index) : 0
    return {
      attention: {
        ...attentionOf(shape, model, a, which === null ? undefined : found?.all[which]),
        ...(layer.sharesRows && { keysOf: rowsRead(raw, model, index) }),
        ...indexerOf(raw, layer, index, model, a),
      },
      rope: found && which !== null ? (found.at[which] as number) : null,
      ...(a.queryGrowth && found && which !== null && { queryRope: grown(a.queryGrowth, shape, found.all[which]) }),
      window: a.windows && layer.window !== null ? checkedWindow(raw, layer.window) : null,
      ...(layer.cross && { cross: attentionOf(layer.cross, model, a, undefined) as GroupedAttentionConfig }),
      mlp: mlpOf(raw, layer.mlp, model, a),
      ...(layer.beside && { beside: mlpOf(raw, layer.beside, model, a) as MoeConfig }),
    }
  })
  const { qkv, attentionOut, mlp } = model.bias
  return {
    modelType: raw.string('model_type', { default: '' }),
    vocabSize: model.vocabSize,
    hiddenSize: model.hiddenSize,
    nLayers: layers.length,
    maxPositions: a.maxPositions ?? raw.int('max_position_embeddings', { min: 1, max: 1 << 28, default: 2048 }),
    ropes,
    layers: layers.map((layer, i) => (isRead(layers, i) ? { ...layer, isRead: true } : layer)),
    blockOrder: a.blockOrder ?? 'pre',
    norm: { kind: model.norm.kind, eps: a.eps },
    embeddingScale: a.embeddingScale ?? 1,
    residualScale: a.residualScale ?? 1,
    logitScale: a.logitScale ?? 1,
    ...(a.logitCap && { logitCap: a.logitCap }),
    learnedPositions: model.learnedPositions > 0,
    finalNorm: model.norm.final,
    bias: { qkv, attentionOut, mlp },
    tiedEmbeddings: model.tiedEmbeddings,
    // What is no token id (-1, null in a list) counts as not given: the checkpoint has warned of it.
    bosTokenId: readTokenIds(raw.raw('bos_token_id'))[0] ?? null,
    eosTokenIds: readTokenIds(raw.raw('eos_token_id')),
  }
}

function attended(raw: ConfigReader, layer: LayerDescriptor, model: ModelDescriptor, a: Arithmetic): AttentionShape {
  const { attention: shape } = layer
  if (shape.kind === 'state') return refuse(raw, 'layers that keep a state in place of keys')
  if (layer.indexer && (!a.indexer || shape.kind !== 'latent' || shape.qLoraRank === null)) {
    return refuse(raw, a.indexer ? 'a sparse indexer and no latent of the query (q_lora_rank)' : 'a sparse indexer')
  }
  if (layer.sharesRows && !a.sharedRows) return refuse(raw, 'layers that read the keys of others')
  const known = [...(a.own ?? []), ...(a.qkNorm === 'wide' ? [WIDE_NORMS] : [])]
  const foreign = (layer.own ?? []).map(w => w.name).filter(name => !known.includes(name))
  if (foreign.length > 0) return refuse(raw, `weights that are not known here (${foreign.join(', ')})`)
  if (shape.kind !== a.attention) {
    return refuse(raw, shape.kind === 'latent' ? 'multi-head latent attention' : 'attention without latents')
  }
  if (shape.kind === 'latent') return shape
  if (shape.keyDim !== shape.valueDim) return refuse(raw, 'keys and values of different widths')
  if (shape.oneProjection && !a.keysAreValues) return refuse(raw, 'one projection for keys and values')
  if (model.norm.qk !== (a.qkNorm === 'head' || a.qkNorm === 'late'))
    return refuse(raw, 'norms over the heads of q and k')
  return shape
}

/** How many numbers of a head rope rotates. */
function rotated(raw: ConfigReader, shape: AttentionShape, { rotary = 1 }: Arithmetic): number {
  const [key, size] =
    shape.kind === 'latent'
      ? (['qk_rope_head_dim', shape.qkRopeHeadDim] as const)
      : (['head_dim', shape.keyDim] as const)
  if (size % 2 !== 0) return raw.fail(key, 'an even number, for rotary positions')
  // Rounded down, but a third of 96 is 32 in whatever digits it is written.
  const dim = Math.floor(size * rotary + 1e-6)
  return dim > 0 && dim % 2 === 0
    ? dim
    : raw.fail('partial_rotary_factor', `a part of ${key}, ${size}, that is an even number`)
}

function attentionOf(
  shape: AttentionShape,
  { sinks }: ModelDescriptor,
  a: Arithmetic,
  rope: RopeConfig | undefined,
): AttentionConfig {
  if (shape.kind === 'grouped') {
    const { nHeads, nKvHeads, keyDim } = shape
    const softmaxScale = a.softmaxScale ?? keyDim ** -0.5
    return {
      ...{ kind: 'grouped', nHeads, nKvHeads, headDim: keyDim, softmaxScale, qkNormEps: a.qkNorm ? a.eps : null },
      ...(sinks && { sinks }),
      ...(a.qkNorm === 'wide' && { qkNormWide: true }),
      ...(a.qkNorm === 'late' && { qkNormLate: true }),
      ...(a.gated && { gated: true }),
      ...(a.valueNorm && { valueNorm: true }),
      ...(shape.oneProjection && { keysAreValues: true }),
    }
  }
  const factor = rope ? yarnSoftmaxFactor(rope.scaling) : 1
  const softmaxScale = (shape.qkNopeHeadDim + shape.qkRopeHeadDim) ** -0.5 * factor
  const constant = a.constantLatentNorm
  const norm =
    constant === undefined ? { latentNormEps: LATENT_NORM_EPS } : { latentNormEps: constant, constantNorm: true }
  const scales = a.latentScales?.(shape)
  return {
    ...shape,
    softmaxScale: softmaxScale * (scales?.query ?? 1),
    ...norm,
    ...(scales && { latentScale: scales.keyValue }),
    ...(a.gated && { gated: true }),
    ...(a.headGate && { headGate: true }),
  }
}

function indexerOf(
  raw: ConfigReader,
  { indexer, attention }: LayerDescriptor,
  index: number,
  { layers }: ModelDescriptor,
  { indexer: own }: Arithmetic,
): { readonly indexer?: IndexerConfig } {
  if (!indexer || !own || attention.kind !== 'latent') return {}
  const { shared = false, headDim } = indexer
  if (headDim < attention.qkRopeHeadDim) {
    raw.fail('index_head_dim', `at least qk_rope_head_dim, ${attention.qkRopeHeadDim}, which rope rotates`)
  }
  if (shared && !layers.slice(0, index).some(layer => layer.indexer && !layer.indexer.shared)) {
    raw.fail('indexer_types', `"full" for a layer before layer ${index}, which shares a choice`)
  }
  return { indexer: { ...indexer, shared, interleaved: own.interleaved } }
}

function mlpOf(raw: ConfigReader, mlp: LayerDescriptor['mlp'], model: ModelDescriptor, a: Arithmetic): MlpConfig {
  const { activation, clamp } = a
  const { gated, bias } = model
  if (mlp.kind === 'dense') return { kind: 'dense', size: mlp.size, activation, gated }
  if (!a.routing) return refuse(raw, 'experts')
  if (mlp.idle && !a.idleExperts) return refuse(raw, 'experts without weights')
  const more = { ...(a.ofStream && { ofStream: true }), ...(clamp && { clamp }), ...(bias.router && { biased: true }) }
  const { groups, topkGroups } = a.routing
  // Groups that are all taken choose nothing, and llama.cpp ends its process at a file that has them.
  const ungrouped = groups === topkGroups && { groups: 1, topkGroups: 1 }
  return { ...mlp, ...a.routing, ...ungrouped, activation, ...more }
}

function checkedWindow(raw: ConfigReader, window: number): number {
  return window <= WINDOW.max ? window : raw.fail('sliding_window', `an integer from ${WINDOW.min} to ${WINDOW.max}`)
}

function refuse(raw: ConfigReader, what: string): never {
  const name = quote(raw.string('model_type', { default: '' }), 60)
  throw new UnsupportedModelError(`${raw.file}: ${name} with ${what} is not supported.`)
}

const LAYER_TYPES = /^(full|sliding|linear|indexed)_attention$|^(short_)?conv$|^attention$/

/** A layer of a type that is not known would attend to everything without a word. */
function refuseTypes(raw: ConfigReader): void {
  const type = raw.optionalStrings('layer_types')?.find(type => !LAYER_TYPES.test(type))
  if (type !== undefined) refuse(raw, `layers of type ${quote(type, 60)} (layer_types)`)
}

/** Fields whose presence changes the arithmetic in ways no family here implements. */
function refuseQuirks(raw: ConfigReader, { logitCap }: Arithmetic): void {
  for (const key of ['attn_logit_softcapping', 'final_logit_softcapping', 'logit_softcapping']) {
    if (key === 'final_logit_softcapping' && logitCap) continue
    if (raw.optionalNumber(key)) throw new UnsupportedModelError(`${raw.file}: "${key}" is not supported.`)
  }
}
