/** How the layers of a model attend, in sentences: heads that share, windows, layers without rope. */
import type { TextReading } from '../numbers/numbers.ts'

type Facts = Pick<TextReading, 'layers' | 'causal'>

/** `only`: of this layer alone. */
export function attentionNotes({ layers: all, causal }: Facts, only?: number): string[] {
  const layers = only === undefined ? all : all.filter(({ layer }) => layer === only)
  return [
    ...(causal ? [] : ['An encoder: every token sees the whole text, also what comes after it.']),
    ...sentences(layers, sharing),
    ...(layers.some(({ window }) => window !== null) ? sentences(layers, windowOf) : []),
    // What all layers do alike the view of one number shows.
    ...(new Set(layers.map(({ ropeSize }) => ropeSize > 0)).size > 1 ? sentences(layers, ropeOf) : []),
  ]
}

type Layer = TextReading['layers'][number]

function sharing({ kind, heads, keyHeads, latentSize, ropeSize }: Layer): string {
  if (kind === 'latent')
    return `all ${heads} heads raise their keys and values from one latent of ${latentSize} numbers${ropeSize > 0 ? ` and share a rope key of ${ropeSize}` : ''} (MLA)`
  if (keyHeads === heads) return 'each head has its own keys and values (MHA)'
  if (keyHeads === 1) return `all ${heads} heads share one key and one value (MQA)`
  return `${heads / keyHeads} heads each share a key and a value (GQA)`
}

function windowOf({ window }: Layer): string {
  return window === null
    ? 'tokens see the whole text before them'
    : `tokens see the last ${window} tokens only, themselves included`
}

function ropeOf({ ropeSize }: Layer): string {
  return ropeSize > 0 ? 'rope rotates queries and keys' : 'nothing is rotated, so positions are not known there'
}

/** One for all layers, or for each group of them that is alike. */
function sentences(layers: readonly Layer[], say: (layer: Layer) => string): string[] {
  return [...new Set(layers.map(say))].map(what => {
    const members = layers.filter(layer => say(layer) === what)
    const whole = members.length === layers.length
    const where = whole ? (layers.length === 1 ? 'In this layer' : 'In every layer') : `In ${named(members)}`
    return `${where} ${what}.`
  })
}

/** `layers 0 to 2, 4`. */
function named(layers: readonly Layer[]): string {
  const runs: [number, number][] = []
  for (const { layer } of layers) {
    const run = runs.at(-1)
    if (run !== undefined && run[1] === layer - 1) run[1] = layer
    else runs.push([layer, layer])
  }
  const parts = runs.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`))
  return `${layers.length === 1 ? 'layer' : 'layers'} ${parts.join(', ')}`
}
