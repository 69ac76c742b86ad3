/** How the layers of a model attend, in sentences: heads that share, windows, layers without rope. */
import type { TextReading } from '../numbers/numbers.ts'

type Facts = Pick<TextReading, 'layers' | 'causal' | 'layersInOne'>

/** `only`: of this layer alone. */
export function attentionNotes({ layers: all, causal, layersInOne }: Facts, only?: number): string[] {
  const layers = only === undefined ? all : all.filter(({ layer }) => layer === only)
  const attending = layers.filter(({ heads }) => heads > 0)
  const differ = (of: (layer: Layer) => unknown) => new Set(attending.map(of)).size > 1
  return [
    ...(causal ? [] : ['An encoder: every token sees the whole text, also what comes after it.']),
    ...(layersInOne > 1 ? [halves(layersInOne)] : []),
    ...sentences(layers, layers, sharing),
    ...(attending.some(({ window }) => window !== null) ? sentences(attending, layers, windowOf) : []),
    // What all layers do alike the view of one number shows.
    ...(differ(({ ropeSize }) => ropeSize > 0) ? sentences(attending, layers, ropeOf) : []),
    ...sentences(
      attending.filter(({ topK }) => topK !== null),
      layers,
      choiceOf,
    ),
    ...sentences(
      attending.filter(({ keysOf }) => keysOf !== null),
      layers,
      sourceOf,
    ),
  ]
}

/** Of a model whose layers are several here. */
export function halves(layersInOne: number): string {
  const members = Array.from({ length: layersInOne }, (_, i) => String(i))
  const first = new Intl.ListFormat('en-GB').format(members)
  return `A layer of this model has ${layersInOne} attentions, and each counts as a layer here: layers ${first} are its layer 0.`
}

type Layer = TextReading['layers'][number]

const STATES = { delta: 'the gated delta rule', convolution: 'a short convolution' } as const

function sharing({ kind, heads, keyHeads, latentSize, ropeSize }: Layer): string {
  if (kind === 'delta' || kind === 'convolution')
    return `no token looks at another: a state that is carried from token to token (${STATES[kind]}) stands in place of keys, so there is no pattern`
  if (kind === 'latent')
    return `all ${heads} heads raise their keys and values from one latent of ${latentSize} numbers${ropeSize > 0 ? ` and share a rope key of ${ropeSize}` : ''} (MLA)`
  if (keyHeads === heads) return 'each head has its own keys and values (MHA)'
  if (keyHeads === 1) return `all ${heads} heads share one key and one value (MQA)`
  return `groups of ${heads / keyHeads} heads share one key and one value (GQA)`
}

function windowOf({ window }: Layer): string {
  return window === null
    ? 'tokens see the whole text before them'
    : `tokens see the last ${window} tokens only, themselves included`
}

function ropeOf({ ropeSize }: Layer): string {
  return ropeSize > 0 ? 'rope rotates queries and keys' : 'nothing is rotated, so positions are not known there'
}

function choiceOf({ topK }: Layer): string {
  return `each token chooses at most ${topK} of the tokens that it sees, by an indexer, and looks at no other`
}

function sourceOf({ keysOf }: Layer): string {
  return `no keys and values are made: those of layer ${keysOf} are read`
}

/** One for all of `layers` that is said something about, or for each group of them that is alike; `all`: among which they are named. */
function sentences(layers: readonly Layer[], all: readonly Layer[], say: (layer: Layer) => string): string[] {
  return [...new Set(layers.map(say))].map(what => {
    const members = layers.filter(layer => say(layer) === what)
    const whole = members.length === all.length
    const where = whole ? (all.length === 1 ? 'In this layer' : 'In every layer') : `In ${named(members)},`
    return `${where} ${what}.`
  })
}

/** `layers 0 to 2 and 4`. */
function named(layers: readonly Layer[]): string {
  const runs: [number, number][] = []
  for (const { layer } of layers) {
    const run = runs.at(-1)
    if (run !== undefined && run[1] === layer - 1) run[1] = layer
    else runs.push([layer, layer])
  }
  const parts = runs.flatMap(([from, to]) =>
    to - from > 1 ? `${from} to ${to}` : [...new Set([from, to])].map(String),
  )
  return `${layers.length === 1 ? 'layer' : 'layers'} ${new Intl.ListFormat('en-GB').format(parts)}`
}
