/** From changes as they are asked for to what each layer takes; what comes from other texts is read out of their readings. */
import type { AttentionConfig } from '../nn/attention/config.ts'
import type { Changes, LayerChanges } from './changes.ts'
import type { Change, Span } from './questions.ts'
import type { Sharing } from './sharing.ts'
import { segmentOf } from './spectrum.ts'
import type { HiddenStates, ReadingInfo } from './types.ts'

/** Another text, of the same model. */
interface Source {
  readonly info: ReadingInfo
  hidden(question: { readonly layer: number; readonly rows: Span }): HiddenStates
  waiting(layer: number, rows: Span): Float32Array | null
  headOutput(layer: number, head: number, rows: Span, work: Sharing): Promise<Float32Array>
}

export async function layerChanges(
  changes: readonly Change<Source>[],
  /** Of layers that attend; the others null. */
  kinds: readonly (AttentionConfig['kind'] | null)[],
  work: Sharing,
): Promise<Changes> {
  const byLayer = new Map<number, Mutable<LayerChanges>>()
  const of = (layer: number) => {
    const known = byLayer.get(layer) ?? { heads: [], states: [], ranks: [] }
    byLayer.set(layer, known)
    return known
  }
  for (const change of changes) {
    const { layer } = change
    switch (change.kind) {
      case 'off':
        of(layer).heads.push({ head: change.head, rows: change.rows, values: null })
        break
      case 'head': {
        const { head, row, from, fromRow, count } = change
        const values = await from.headOutput(layer, head, [fromRow, fromRow + count], work)
        of(layer).heads.push({ head, rows: [row, row + count], values })
        break
      }
      case 'state': {
        const { row, from, fromRow, count } = change
        const rows: Span = [fromRow, fromRow + count]
        of(layer).states.push({
          row,
          values: from.hidden({ layer, rows }).values,
          waiting: from.waiting(layer, rows),
        })
        break
      }
      case 'rank':
        of(layer).ranks.push({
          segment: segmentOf(kinds[layer] as AttentionConfig['kind'], change.of, layer),
          rank: change.rank,
        })
    }
  }
  return byLayer
}

type Mutable<T> = { readonly [K in keyof T]: T[K] extends readonly (infer I)[] ? I[] : T[K] }
