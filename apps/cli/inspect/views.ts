/** An inspection for people. Each view is a text without a line break at its end. */
import type { Inspection } from '../../../src/tools.ts'
import type { Colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { pairs, table } from '../output/table.ts'

type Config = Inspection['config']
const right = (head: string) => ({ head, align: 'right' as const })

export function modelView(inspection: Inspection, c: Colours): string {
  const { name, config, parameters, weights, tensors } = inspection
  const { total, active } = parameters
  const rows: [string, string][] = [
    [
      'Architecture',
      `${config.modelType}, ${format.plural(config.nLayers, 'layer')}${encoderOf(config)}, ${format.integer(config.hiddenSize)} wide`,
    ],
    ['Attention', attentionOf(config)],
    ['Positions', positionsOf(config)],
    ['MLP', mlpOf(config)],
    ...expertsRow(config),
    ['Block', blockOf(config)],
    ['Vocabulary', `${format.integer(config.vocabSize)} tokens, ${outputOf(config)}`],
    ['Context', `${format.integer(config.trainedPositions ?? config.maxPositions)} tokens`],
    ...(config.encoder ? [] : [['Drawing', drawingOf(inspection.sampling)] satisfies [string, string]]),
    ...(config.source ? [] : [['Vectors', vectorsOf(inspection.embedding)] satisfies [string, string]]),
    [
      'Parameters',
      `${format.count(total)} (${format.integer(total)})${active < total ? `, ${format.count(active)} active per token` : ''}`,
    ],
    ['Weights', `${format.bytes(weights.bytes)} in ${format.plural(tensors.filter(t => t.used).length, 'tensor')}`],
  ]
  const dtypes = weights.dtypes.map(d => [
    d.dtype,
    format.integer(d.tensors),
    format.integer(d.elements),
    format.bytes(d.bytes),
  ])
  const columns = [{ head: 'type' }, right('tensors'), right('elements'), right('bytes')]
  return `${c.bold(name)}\n${pairs(rows, c.dim)}\n\n${table(columns, dtypes, { style: c.dim })}`
}

/** Of an encoder-decoder, whose other numbers are the decoder's. */
function encoderOf({ source }: Config): string {
  return source ? ` behind an encoder of ${format.integer(source.encoder.nLayers)}` : ''
}

function outputOf({ encoder, tiedEmbeddings }: Config): string {
  if (!encoder) return tiedEmbeddings ? 'embeddings tied' : 'an output matrix of its own'
  return encoder.head?.scores === 1 ? 'no output: it scores pairs of texts' : 'no output: an encoder writes no texts'
}

function vectorsOf({ dimensions, pooling, normalize, maxTokens, prompts }: Inspection['embedding']): string {
  const named = Object.keys(prompts)
  return [
    `${format.integer(dimensions)} numbers, pooled by ${pooling}${normalize ? ', normalised' : ''}`,
    `texts of up to ${format.plural(maxTokens, 'token')}`,
    ...(named.length > 0 ? [`prompts ${named.join(', ')}`] : []),
  ].join('; ')
}

export function memoryView({ cache, config }: Inspection, c: Colours): string {
  if (config.encoder) return 'An encoder keeps nothing of a text: it has no cache.'
  const { elementsPerTokenAndLayer: row, expanded, bytesPerToken, type } = cache
  const saved = expanded.bytesPerToken / bytesPerToken
  const latent = config.layers.some(layer => layer.attention.kind === 'latent')
  const what = latent ? 'latent and rope key' : 'keys and values'
  const each = latent ? 'expanded keys and values' : 'keys and values of every head'
  // Layers that differ have a whole number by chance only.
  const mean = Number.isInteger(row) ? '' : 'on average '
  const lines = [
    `A token costs ${c.bold(exactly(bytesPerToken))}: ${mean}${format.integer(row)} numbers (${what}) in each of ${format.plural(config.nLayers, 'layer')}, ${type}.`,
    saved > 1
      ? `With ${each} it would be ${format.bytes(expanded.bytesPerToken)} (${format.integer(expanded.elementsPerTokenAndLayer)} numbers), ${c.bold(format.times(saved))} as much.`
      : 'Every head has keys and values of its own: nothing is saved.',
  ]
  const { sourceBytesPerToken: ofSource } = cache
  if (ofSource > 0) lines.push(`A token of the source costs ${c.bold(exactly(ofSource))} more, once for each prompt.`)
  const rows = cache.contexts.map(({ tokens, bytes, expandedBytes, beyondModel }) => [
    format.integer(tokens),
    format.bytes(bytes),
    ...(saved > 1 ? [format.bytes(expandedBytes), format.times(expandedBytes / bytes)] : []),
    beyondModel ? c.dim(`beyond the model's ${format.integer(config.maxPositions)}`) : '',
  ])
  const columns = [
    right('context'),
    right('cache'),
    ...(saved > 1 ? [right('expanded'), right('saved')] : []),
    { head: '' },
  ]
  return [...lines, '', table(columns, rows, { style: c.dim })].join('\n')
}

/** `2,304 bytes (2.25 KiB)` */
function exactly(bytes: number): string {
  const exact = `${format.integer(bytes)} bytes`
  return bytes < 1024 ? exact : `${exact} (${format.bytes(bytes)})`
}

export function tensorsView({ tensors, leftOut }: Inspection, c: Colours): string {
  const files = new Set(tensors.map(t => t.file)).size > 1
  const left = new Set(leftOut)
  const rows = tensors.map(t => [
    t.used ? t.name : c.dim(t.name),
    t.dtype,
    t.shape.join(' × ') || 'scalar',
    format.bytes(t.bytes),
    ...(files ? [t.file] : []),
    t.used ? '' : left.has(t.name) ? c.dim('left out') : c.yellow('unused'),
  ])
  const columns = [
    { head: 'tensor' },
    { head: 'type' },
    right('shape'),
    right('bytes'),
    ...(files ? [{ head: 'file' }] : []),
    { head: '' },
  ]
  return table(columns, rows, { style: c.dim })
}

/** Warnings; empty if there are none. */
export function problemsView({ unused, leftOut, warnings }: Inspection, c: Colours): string {
  const some = (names: readonly string[]) => names.slice(0, 4).join(', ') + (names.length > 4 ? ', …' : '')
  return [
    ...(leftOut.length > 0
      ? [c.dim(`${format.plural(leftOut.length, 'tensor')} left out in plain decoding: ${some(leftOut)}`)]
      : []),
    ...(unused.length > 0
      ? [c.yellow(`${format.plural(unused.length, 'tensor')} that nothing uses: ${some(unused)}`)]
      : []),
    ...warnings.map(w => c.yellow(w)),
  ].join('\n')
}

function attentionOf({ layers }: Config): string {
  const windows = [...new Set(layers.map(l => l.window))].filter(w => w !== null)
  const windowed = layers.filter(l => l.window !== null).length
  const where = windowed === layers.length ? 'all layers' : `${windowed} of ${layers.length} layers`
  const window = windows.length > 0 ? `; window of ${windows.map(format.integer).join(' or ')} in ${where}` : ''
  return [...new Set(layers.map(l => headsOf(l.attention)))].join('; ') + window
}

function headsOf(a: Config['layers'][number]['attention']): string {
  if (a.kind === 'latent') {
    const { indexer } = a
    const choice = indexer?.shared
      ? 'those of the layer before'
      : `by ${indexer?.nHeads} index heads of ${indexer?.headDim}`
    const indexed = indexer ? `, ${format.plural(indexer.topK, 'key')} a query, ${choice}` : ''
    const query = a.qLoraRank === null ? 'query direct' : `query rank ${a.qLoraRank}`
    return `MLA, ${a.nHeads} heads: latent ${a.kvLoraRank} (C), rope ${a.qkRopeHeadDim} (R), nope ${a.qkNopeHeadDim} (N), value ${a.vHeadDim} (V), ${query} (Q)${indexed}`
  }
  if (a.kind === 'convolution') return `short convolutions over ${a.kernel} tokens`
  if (a.kind === 'delta')
    return `gated delta rule, ${a.nHeads} heads of ${a.keyDim} x ${a.valueDim}, a decay for each ${a.decay}`
  const kind = a.nKvHeads === 1 ? 'MQA' : a.nKvHeads === a.nHeads ? 'MHA' : 'GQA'
  const kv = kind === 'MHA' ? '' : ` over ${format.plural(a.nKvHeads, 'key-value head')}`
  return `${kind}, ${a.nHeads} heads${kv} of ${a.headDim}${a.qkNormEps === null ? '' : ', queries and keys normed'}`
}

/** `temperature 0.7, top-p 0.95, as the model says` */
function drawingOf({ by, temperature, topP, topK, minP, typicalP, repetitionPenalty }: Inspection['sampling']): string {
  const whose = by === 'model' ? 'as the model says' : 'as latentkit does where a model says nothing'
  if (temperature === 0) return `the likeliest token, ${whose}`
  const parts = [
    `temperature ${temperature}`,
    ...(topP < 1 ? [`top-p ${topP}`] : []),
    ...(topK > 0 ? [`top-k ${topK}`] : []),
    ...(minP > 0 ? [`min-p ${minP}`] : []),
    ...(typicalP < 1 ? [`typical-p ${typicalP}`] : []),
    ...(repetitionPenalty === 1 ? [] : [`repetition penalty ${repetitionPenalty}`]),
  ]
  return `${parts.join(', ')}, ${whose}`
}

function positionsOf({ ropes, learnedPositions, sinusoidalPositions, distanceBias }: Config): string {
  if (learnedPositions) return 'learned'
  if (sinusoidalPositions) return 'sines and cosines, added to the embedding'
  if (distanceBias) return `biases of scores by distance, in ${format.integer(distanceBias.buckets)} buckets`
  const each = ropes.map(({ theta, dim, interleaved, scaling }) => {
    const stretch =
      'factor' in scaling ? `, ${scaling.kind} × ${scaling.factor}` : scaling.kind === 'none' ? '' : `, ${scaling.kind}`
    return `rope of ${dim}, base ${format.integer(theta)}, ${interleaved ? 'interleaved' : 'half-split'}${stretch}`
  })
  return each.join('; ')
}

function mlpOf({ layers }: Config): string {
  const dense = layers.flatMap(({ mlp }) => (mlp.kind === 'dense' ? [mlp] : []))
  if (dense.length === 0) return 'none dense'
  const where = dense.length < layers.length ? ` in ${format.plural(dense.length, 'layer')}` : ''
  const each = dense.map(mlp => `${format.integer(mlp.size)} wide, ${mlp.gated ? 'gated ' : ''}${mlp.activation}`)
  return [...new Set(each)].join('; ') + where
}

function expertsRow({ layers }: Config): [string, string][] {
  const experts = layers.flatMap(({ mlp, beside }) => beside ?? (mlp.kind === 'moe' ? [mlp] : []))
  const [moe] = experts
  if (!moe) return []
  const { nExperts, topK, expertSize, sharedSize, groups, topkGroups, scoring, idle = 0 } = moe
  const shared = sharedSize > 0 ? `, shared ${format.integer(sharedSize)} wide` : ''
  const grouped = groups > 1 ? `, ${topkGroups} of ${groups} groups` : ''
  const returning = idle > 0 ? ` and ${idle} that return their input` : ''
  const routed = `${topK} of ${nExperts}${returning}, ${format.integer(expertSize)} wide${shared}`
  return [['Experts', `${routed}; ${scoring} scores${grouped}; in ${format.plural(experts.length, 'layer')}`]]
}

function blockOf({ blockOrder, norm }: Config): string {
  const order = {
    pre: 'norm before attention and MLP',
    sandwich: 'norm before and after attention and MLP',
    parallel: 'attention beside MLP, one norm',
    post: 'norm after attention and MLP',
    after: 'norm after attention and MLP, before they join the stream',
  }[blockOrder]
  return `${order}, ${norm.kind === 'rms' ? 'RMSNorm' : 'LayerNorm'} (eps ${norm.eps.toExponential()})`
}
