/** Attention as pixels: one for each pair of query and key, or for a rectangle of pairs. */
import { VIRIDIS } from './colours.ts'

export interface PatternPixels {
  readonly height: number
  readonly width: number
  /** Probabilities, a row for each query or group of queries. */
  readonly values: Float32Array
}

/** Colours follow the square root, so that a twentieth of the attention can still be seen. */
export function level(probability: number): number {
  return Math.min(255, Math.round(Math.sqrt(probability) * 255))
}

/** A picture of its own size; keys that a query cannot see are left empty. `tokens`: rows and columns of the whole pattern. */
export function patternImage(
  { height, width, values }: PatternPixels,
  tokens: number,
  causal: boolean,
): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')!
  const image = context.createImageData(width, height)
  const pixels = new Uint32Array(image.data.buffer)
  for (let i = 0; i < height; i++) {
    const lastQuery = Math.ceil(((i + 1) * tokens) / height) - 1
    for (let j = 0; j < width; j++) {
      if (causal && Math.ceil((j * tokens) / width) > lastQuery) break
      pixels[i * width + j] = VIRIDIS[level(values[i * width + j] as number)] as number
    }
  }
  context.putImageData(image, 0, 0)
  return canvas
}
