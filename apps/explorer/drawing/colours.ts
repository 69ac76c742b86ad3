/** The one table of colours. Each can be told from the others by people who confuse red and green, or blue and yellow. */
import { interpolateViridis } from 'd3-scale-chromatic'

/**
 * Kinds of things, by Okabe and Ito (2008); the second of a pair is for dark pages. Never the only mark: lines also have a
 * dash and a label.
 */
export const KINDS = {
  mha: { colour: ['#d55e00', '#ee8a3d'], dash: '' },
  gqa: { colour: ['#b4578f', '#cc79a7'], dash: '7 3' },
  mqa: { colour: ['#0072b2', '#56b4e9'], dash: '2 3' },
  mla: { colour: ['#00805e', '#2fbf94'], dash: '' },
} as const

export type Kind = keyof typeof KINDS

/** For `style`: the theme chooses. */
export function kindColour(kind: Kind): string {
  const [light, dark] = KINDS[kind].colour
  return `light-dark(${light}, ${dark})`
}

/** Viridis in 256 steps, as `0xAABBGGRR` for canvases. */
export const VIRIDIS: Uint32Array = Uint32Array.from({ length: 256 }, (_, i) => {
  const [r = 0, g = 0, b = 0] = rgb(interpolateViridis(i / 255))
  return (255 << 24) | (b << 16) | (g << 8) | r
})

function rgb(colour: string): number[] {
  const hex = /^#(..)(..)(..)$/.exec(colour)
  return hex ? hex.slice(1).map(digits => Number.parseInt(digits, 16)) : (colour.match(/\d+/g) ?? []).map(Number)
}
