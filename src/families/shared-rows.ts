/** Layers that read the keys and values of earlier ones. */
import type { ConfigReader } from '../checkpoint/config-reader.ts'
import type { LayerConfig } from '../nn/config.ts'
import type { LayerDescriptor, ModelDescriptor } from './descriptor.ts'

/** The layer whose keys and values layer `index` reads: the last before those that share which has a window too, or none. */
export function rowsRead(raw: ConfigReader, { layers }: ModelDescriptor, index: number): number {
  const { attention, window } = layers[index] as LayerDescriptor
  const source = layers.findLastIndex((l, i) => i < index && !l.sharesRows && (l.window === null) === (window === null))
  const found = layers[source]?.attention
  const sizes = (a: LayerDescriptor['attention'] | undefined) => a?.kind === 'grouped' && [a.keyDim, a.nKvHeads].join()
  if (!found || layers[source]?.window !== window || sizes(found) !== sizes(attention)) {
    const kind = window === null ? 'without a window' : `with a window of ${window}`
    raw.fail(
      'num_kv_shared_layers',
      `a layer ${kind} and with the same heads of keys before those that share, for layer ${index}`,
    )
  }
  return source
}

/** Whether later layers read the keys of layer `index`. */
export function isRead(layers: readonly LayerConfig[], index: number): boolean {
  return layers.some(({ attention: a }) => a.kind === 'grouped' && a.keysOf === index)
}
