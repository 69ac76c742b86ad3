/** What a design document wants to know, as rows; terminal, markdown and CSV print the same ones. */
import type { Comparison, Plan } from '../../../src/planning/index.ts'
import { count, duration, integer, plural } from '../output/format.ts'
import { bothUnits } from './amounts.ts'
import {
  attentionName,
  deviceOf,
  flopsOf,
  layersOf,
  parametersOf,
  perSecond,
  speedOf,
  timesOf,
  tokensOf,
} from './facts.ts'

export type Fact = readonly [what: string, value: string]

export function factsOf(p: Plan): Fact[] {
  return [
    ...modelFacts(p),
    ...cacheFacts(p),
    ...memoryFacts(p),
    ...timeFacts(p),
    ...trainingFacts(p),
    ['Sizes from', p.model.source],
  ]
}

function modelFacts(p: Plan): Fact[] {
  return [
    ['Model', `${p.model.name}, ${p.model.modelType}`],
    ['Parameters', parametersOf(p)],
    ['Attention', layersOf(p)],
    ...(p.attentionPatterns > 0 ? [['Attention patterns', patternsOf(p)] as const] : []),
    ['Weights', `${bothUnits(p.weights.bytes)}, ${p.weights.dtype}`],
    ...held(p),
  ]
}

/** `61 layers × 128 heads = 7,808` */
function patternsOf({ model, attentionPatterns: all }: Plan): string {
  const heads = new Map<number, number>()
  for (const { attention, count: n } of model.layers) {
    if (attention.kind !== 'state') heads.set(attention.nHeads, n + (heads.get(attention.nHeads) ?? 0))
  }
  const parts = [...heads].map(([n, layers]) => `${plural(layers, 'layer')} × ${plural(n, 'head')}`)
  return `${parts.join(' + ')} = ${integer(all)}`
}

function cacheFacts(p: Plan): Fact[] {
  const { cache, batch, context, blockTokens } = p
  const { bytesPerToken, bytesPerTokenBeyondWindows: beyond, elementsPerLayer: elements, dtype } = cache
  const state = cache.stateBytesPerSequence
  const numbers = elements === null ? '' : `, ${integer(elements)} numbers in each of ${plural(cache.layers, 'layer')}`
  const later = beyond === bytesPerToken ? '' : `; ${integer(beyond)} B beyond all windows`
  const paged = blockTokens === 1 ? '' : `, in blocks of ${plural(blockTokens, 'token')}`
  return [
    ['Cache per token', `${integer(bytesPerToken)} B${later}, ${dtype}${numbers}`],
    ...formulasOf(p),
    ...eachLayer(p),
    ...(state === 0 ? [] : [['State of a sequence', `${bothUnits(state)}, whatever its length, in f32`] as const]),
    [`Cache of ${plural(context, 'token')}`, `${bothUnits(cache.bytesPerSequence)}${paged}`],
    ...(batch > 1 ? [[`Cache of ${plural(batch, 'user')}`, bothUnits(cache.bytes)] as const] : []),
  ]
}

function formulasOf({ formulas, equivalentGroups: equivalent }: Plan): Fact[] {
  const one = formulas.length === 1
  return [
    ...formulas.map(
      ({ letters, numbers, bytes }): Fact => [
        letters,
        `${numbers} = ${integer(bytes)} B${one ? '' : ' in these layers'}`,
      ],
    ),
    ...(equivalent
      ? [['As much as GQA with', `${decimal(equivalent.groups)} groups: ${equivalent.numbers}`] as const]
      : []),
  ]
}

/** Up to three digits after the point. */
function decimal(n: number): string {
  return n.toLocaleString('en-GB', { maximumFractionDigits: 3 })
}

function trainingFacts({ training: t, machine, model }: Plan): Fact[] {
  if (!t) return []
  const texts = `${tokenCount(t.tokens)} in texts of ${integer(t.context)}`
  const hours = t.deviceHours === null ? null : integer(Math.round(t.deviceHours))
  return [
    ['Training', `${texts}: ${flopsOf(t.flops)}, ${flopsOf(t.attentionFlops)} of it attention`],
    ['6 × N × D', `${flopsOf(t.sixNd)}, N the weights that a token of ${model.name} uses, without attention`],
    ...(hours === null
      ? []
      : ([
          [
            'Device hours',
            `${hours} h of ${machine?.title}, at ${decimal(100 * (t.utilisation ?? 0))} % of its 16-bit peak`,
          ],
        ] as const)),
    ...(t.cost === null
      ? []
      : ([['Cost', `${integer(Math.round(t.cost))} at ${decimal(t.hourPrice ?? 0)} an hour`]] as const)),
  ]
}

/** `14.8 T tokens` */
function tokenCount(tokens: number): string {
  return tokens < 1e6 ? plural(tokens, 'token') : `${count(tokens)} tokens`
}

/** One layer's share, which is often taken for the whole; of layers that differ, one of each kind. */
function eachLayer({ cache, context }: Plan): Fact[] {
  const shares = cache.kinds
    .filter(kind => kind.rowBytes > 0)
    .map(({ rowBytes, window }) => {
      const rows = Math.min(context, window ?? context)
      return `${integer(rowBytes)} B per token, ${bothUnits(rowBytes * rows)}`
    })
  return [['In one layer', [...new Set(shares)].join('; ')]]
}

function memoryFacts(p: Plan): Fact[] {
  const { memory, perRank, ranks, weights, cache, crossover, batch } = p
  const each = batch > 1 ? ' each' : ''
  const total: Fact =
    ranks.total === 1
      ? ['Weights and cache', bothUnits(weights.bytes + cache.bytes)]
      : [
          p.stages ? 'On the fullest stage' : `Each of ${plural(ranks.total, 'rank')}`,
          `${bothUnits(perRank.bytes)}: weights ${bothUnits(perRank.weightBytes)}, cache ${bothUnits(perRank.cacheBytes)}`,
        ]
  const crossing = (tokens: number | null) => (tokens === null ? 'never' : `${integer(tokens)} tokens${each}`)
  const room = (context: number, sequences: number) =>
    context === 0
      ? 'nothing'
      : `${tokensOf(context)} tokens${each}${sequences > 0 ? `, or ${plural(sequences, 'user')}` : ''}`
  return [
    total,
    ['Cache read = weights read', crossing(crossover.read)],
    ['Cache = all weights', crossing(crossover.stored)],
    ...(memory === null
      ? []
      : ([
          ['Memory', deviceOf(p)],
          ['Fits beside the weights', room(memory.largestContext, memory.largestBatch)],
          ['Fits without weights', room(memory.largestContextAlone, memory.largestBatchAlone)],
        ] as const)),
  ]
}

function timeFacts(p: Plan): Fact[] {
  const { decode, prefill, paths, machine, context, batch, ranks } = p
  const { work, time } = decode
  const flops = ({ linearFlops, attentionFlops }: typeof work) => flopsOf(linearFlops + attentionFlops)
  const users = batch > 1 ? ` for ${plural(batch, 'user')}` : ''
  const rank = p.stages ? ', in all stages' : ranks.total > 1 ? ', on each rank' : ''
  return [
    ['A decoding step reads', `weights ${bothUnits(work.weightBytes)}, cache ${bothUnits(work.cacheBytes)}${rank}`],
    ['and computes', `${flops(work)}${users}${rank}`],
    ...(time
      ? [
          [
            machine?.measured ? 'Decodes at about' : 'Decodes at best',
            `${speedOf(p, time.seconds)}, limited by ${time.limit}`,
          ] as const,
        ]
      : []),
    [
      `A prompt of ${plural(context, 'token')}`,
      `${flops(prefill.work)}${users}${paths ? `, ${prefill.path}` : ''}${rank}`,
    ],
    ...(prefill.time
      ? [
          [
            machine?.measured ? 'Prefills in about' : 'Prefills at best in',
            `${duration(1000 * prefill.time.seconds)}, limited by ${prefill.time.limit}`,
          ] as const,
        ]
      : []),
    ...(paths
      ? ([
          ['Attention of a token', byPath(paths.absorbed.decodeFlops, paths.expanded.decodeFlops)],
          ['Attention of a prompt', byPath(paths.absorbed.promptFlops, paths.expanded.promptFlops)],
        ] as const)
      : []),
    ...(paths && Number.isFinite(paths.breakEvenQueries)
      ? [['Expanding pays from', `${Math.round(paths.breakEvenQueries)} queries at once`] as const]
      : []),
    ...(machine
      ? [['Machine', `${machine.title}, reads ${integer(machine.bandwidth / 1e9)} GB/s (${machine.source})`] as const]
      : []),
  ]
}

function byPath(absorbed: number, expanded: number): string {
  return `${flopsOf(absorbed)} absorbed, ${flopsOf(expanded)} expanded`
}

export interface PlanTable {
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Of a pipeline what each stage holds; neighbours that hold the same are one row. */
export function stagesOf({ stages }: Plan): PlanTable | null {
  if (stages === null) return null
  const runs: { from: number; to: number; stage: NonNullable<Plan['stages']>[number] }[] = []
  for (const [i, stage] of stages.entries()) {
    const run = runs.at(-1)
    const same = run?.stage.weightBytes === stage.weightBytes && run.stage.cacheBytes === stage.cacheBytes
    if (run && same) run.to = i
    else runs.push({ from: i, to: i, stage })
  }
  const span = (from: number, to: number) => (from === to ? `${from + 1}` : `${from + 1}–${to + 1}`)
  return {
    heads: ['Stage', 'Layers', 'Weights', 'Cache', 'Together'],
    rows: runs.map(({ from, to, stage: s }) => [
      span(from, to),
      from === to ? span(s.firstLayer, s.firstLayer + s.layers - 1) : `${integer(s.layers)} each`,
      bothUnits(s.weightBytes),
      bothUnits(s.cacheBytes),
      bothUnits(s.bytes),
    ]),
  }
}

/** The model's own attention first. */
export function comparisonOf(p: Plan): PlanTable | null {
  if (p.compare.length === 0) return null
  const { memory, machine, batch, context } = p
  const heads = [
    'Attention',
    'B per token',
    'Times',
    'Outweighs weights at',
    batch > 1 ? `Cache of ${plural(batch, 'user')}` : `Cache of ${plural(context, 'token')}`,
    ...(memory ? ['Longest in memory alone'] : []),
    ...(machine ? [`Tokens/s at best${batch > 1 ? ', each' : ''}`] : []),
  ]
  const row = (c: Comparison) => [
    c.title,
    integer(c.bytesPerToken),
    timesOf(c.ratio),
    c.crossover === null ? 'never' : integer(c.crossover),
    bothUnits(c.bytes),
    ...(memory ? [tokensOf(c.largestContextAlone ?? 0)] : []),
    ...(c.decodeTime ? [perSecond(1 / c.decodeTime.seconds)] : []),
  ]
  return { heads, rows: [ownRow(p), ...p.compare].map(row) }
}

/** The model itself as a row of the comparison. */
export function ownRow({ model, cache, perRank, memory, decode, crossover }: Plan): Comparison {
  const names = [...new Set(model.layers.map(l => attentionName(l.attention)))]
  return {
    title: `${names.join(', ')}, as it is`,
    dtype: cache.dtype,
    bytesPerToken: cache.bytesPerToken,
    ratio: 1,
    bytesPerSequence: cache.bytesPerSequence,
    bytes: cache.bytes,
    rankBytes: perRank.cacheBytes,
    largestContextAlone: memory?.largestContextAlone ?? null,
    crossover: crossover.read,
    decodeTime: decode.time,
  }
}

/** What the engine holds, where it is not the file's size. */
function held({ weights }: Plan): Fact[] {
  const { bytes, engineBytes } = weights
  return engineBytes === null || engineBytes === bytes
    ? []
    : [['Weights as latentkit holds them', bothUnits(engineBytes)]]
}
