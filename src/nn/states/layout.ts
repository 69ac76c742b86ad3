import type { StatePart } from '../../cache/layout.ts'
import type { StateConfig } from './config.ts'

/** What a layer carries from token to token, in f32. */
export function stateParts(c: StateConfig): StatePart[] {
  if (c.kind === 'convolution') return [{ name: 'convolution', numbers: (c.kernel - 1) * c.channels }]
  const [keys, values] = [c.nKeyHeads * c.keyDim, c.nHeads * c.valueDim]
  const channels = c.projections === 'apart' ? [keys, keys, values] : [2 * keys + values]
  return [
    ...channels.map((n, i) => ({ name: `convolution ${i}`, numbers: (c.kernel - 1) * n })),
    { name: 'delta', numbers: c.nHeads * c.keyDim * c.valueDim },
  ]
}
