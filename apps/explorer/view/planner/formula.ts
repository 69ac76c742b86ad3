/** The cache's formula with the model's own numbers, as TeX. */
import type { Plan } from '../../../../src/planning/index.ts'

/** undefined where layers differ, or what is stored has scales of its own: no one line says it then. */
export function formulaOf({ model, cache, batch, context }: Plan): string | undefined {
  const [layer, ...others] = model.layers.filter(({ attention }) => attention.kind !== 'state')
  const width = { bf16: 2, f16: 2, fp8: 1, f32: 4 }[cache.dtype]
  const alike = others.every(other => JSON.stringify(other.attention) === JSON.stringify(layer?.attention))
  const plain = model.layers.every(({ window, indexer }) => window === null && indexer === null)
  if (layer === undefined || width === undefined || !alike || !plain) return undefined
  const { attention } = layer
  const tail = `${width}\\,\\text{bytes} \\cdot ${grouped(context)}\\,\\text{tokens}${batch > 1 ? ` \\cdot ${grouped(batch)}\\,\\text{users}` : ''}`
  if (attention.kind === 'latent') {
    const { kvLoraRank, qkRopeHeadDim } = attention
    return `${cache.layers}\\,\\text{layers} \\cdot (\\underbrace{${kvLoraRank}}_{\\text{latent}} + \\underbrace{${qkRopeHeadDim}}_{\\text{rope key}}) \\cdot ${tail}`
  }
  if (attention.kind !== 'grouped' || attention.keyDim !== attention.valueDim) return undefined
  return `${cache.layers}\\,\\text{layers} \\cdot \\underbrace{2}_{\\text{key, value}} \\cdot ${attention.nKvHeads}\\,\\text{heads} \\cdot ${attention.keyDim} \\cdot ${tail}`
}

function grouped(n: number): string {
  return n.toLocaleString('en-GB').replaceAll(',', '{,}')
}
