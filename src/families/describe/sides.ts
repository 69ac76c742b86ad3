/** What the config.json of an encoder-decoder says, of a family that is known: its fields have other names, one set for each stack. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { GroupedShape, LayerDescriptor, ModelDescriptor, OwnWeight } from '../descriptor.ts'
import { DISTANCES, type SideFields, type Sides, type Traits } from '../traits.ts'
import { COUNT, first, SIZE } from './fields.ts'
import { readTraits } from './traits.ts'

const LAYERS = { min: 1, max: 4096 } as const

/** All fields that a family of encoder-decoders has for itself. */
export function sideFields({
  encoder,
  decoder,
  headDim,
  gatedBy,
  distances,
  targetVocab,
  share,
  tiedBy,
  others = [],
}: Sides): string[] {
  const stacks = [encoder, decoder].flatMap(({ layers, heads, mlp }) => [...layers, heads, mlp])
  const single = [headDim, gatedBy, distances, targetVocab, share, tiedBy].filter(field => field !== undefined)
  return [...stacks, ...single, ...others]
}

export function describeSides(raw: ConfigReader, modelType: string, traits: Traits, sides: Sides): ModelDescriptor {
  const hiddenSize = raw.int('d_model', SIZE)
  const sourceVocab = raw.int('vocab_size', SIZE)
  const sharedEmbedding = sides.share === undefined || raw.bool(sides.share, { default: true })
  const target = sides.targetVocab === undefined ? undefined : raw.optionalInt(sides.targetVocab, SIZE)
  const vocabSize = sharedEmbedding ? sourceVocab : (target ?? sourceVocab)
  const gated = sides.gatedBy && raw.has(sides.gatedBy) ? /^gated-/.test(raw.string(sides.gatedBy)) : traits.gated
  const logitsBias: OwnWeight[] = sides.logitsBias
    ? [{ name: 'bias of logits', role: 'vector', rows: 1, cols: vocabSize }]
    : []
  const shape = readTraits(raw, modelType, { ...traits, gated })
  const tied = sides.tiedBy === undefined ? undefined : raw.optionalBool(sides.tiedBy)
  const positions = first(raw, ['max_position_embeddings', 'n_positions'])
  return {
    modelType,
    hiddenSize,
    vocabSize,
    maxPositions: positions ? raw.int(positions, { min: 1, max: 2 ** 40 }) : (sides.positions ?? null),
    layers: stack(raw, hiddenSize, sides, sides.decoder).map(layer => ({
      ...layer,
      cross: layer.attention as GroupedShape,
    })),
    source: { layers: stack(raw, hiddenSize, sides, sides.encoder), vocabSize: sourceVocab, sharedEmbedding },
    draftLayers: [],
    ...shape,
    tiedEmbeddings: tied ?? shape.tiedEmbeddings,
    learnedPositions: 0,
    own: logitsBias,
    unknown: [],
  }
}

function stack(raw: ConfigReader, hiddenSize: number, sides: Sides, fields: SideFields): LayerDescriptor[] {
  const nLayers = raw.int(first(raw, fields.layers) ?? (fields.layers[0] as string), LAYERS)
  const nHeads = raw.int(fields.heads, COUNT)
  const headDim = sides.headDim ? raw.int(sides.headDim, { ...SIZE, default: 64 }) : hiddenSize / nHeads
  if (!Number.isInteger(headDim)) raw.fail(fields.heads, `a divisor of d_model, which is ${hiddenSize}`)
  const layer: LayerDescriptor = {
    attention: { kind: 'grouped', nHeads, nKvHeads: nHeads, keyDim: headDim, valueDim: headDim },
    window: null,
    indexer: null,
    mlp: { kind: 'dense', size: raw.int(fields.mlp, SIZE) },
  }
  const { distances } = sides
  const rows = distances ? raw.int(distances, { ...COUNT, default: 32 }) : 0
  const table: OwnWeight[] = rows > 0 ? [{ name: DISTANCES, role: 'vector', rows, cols: nHeads }] : []
  return Array.from({ length: nLayers }, (_, i) => (i === 0 && rows > 0 ? { ...layer, own: table } : layer))
}
