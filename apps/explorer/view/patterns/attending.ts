/** Attention of a text to itself; of an encoder-decoder also that of its source, and that of the text to the source. */
import type { TextReading } from '../../numbers/numbers.ts'

export type Direction = 'cross' | 'text' | 'source'

/** A reading as pictures of attention see it: which tokens look at which. */
export interface Attending extends Pick<TextReading, 'tokens' | 'layers' | 'causal' | 'attention' | 'cell'> {
  readonly direction: Direction
  /** What is looked at. */
  readonly keys: TextReading['tokens']
}

/** What an encoder-decoder's attentions are called. */
export const DIRECTIONS: Readonly<Record<Direction, string>> = {
  cross: 'what it writes, at the source',
  text: 'what it writes, at itself',
  source: 'the source, at itself',
}

/** `direction`: of an encoder-decoder. Default: that to the source. */
export function attendingOf(reading: TextReading, direction: string | undefined): Attending {
  const { source, tokens, layers } = reading
  if (source === null || direction === 'text') return itself(reading, 'text')
  if (direction === 'source') return itself(source, 'source')
  return {
    direction: 'cross',
    tokens,
    keys: source.tokens,
    causal: false,
    layers: layers.map(layer => ({ ...layer, heads: layer.crossHeads })),
    attention: options => reading.attention({ ...options, cross: true }),
    cell: options => reading.cell({ ...options, cross: true }),
  }
}

function itself(reading: TextReading, direction: Direction): Attending {
  const { tokens, layers, causal } = reading
  return {
    direction,
    tokens,
    keys: tokens,
    causal,
    layers,
    attention: options => reading.attention(options),
    cell: options => reading.cell(options),
  }
}
