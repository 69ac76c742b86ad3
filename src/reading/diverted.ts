/** The seams of the decoder's text: operations and stores of keys, some of them others. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { KernelMemory } from '../kernels/contract/memory.ts'
import { OPERATIONS, type Operations } from '../kernels/operations/table.ts'
import type { KeyStore } from '../nn/attention/keys.ts'
import type { Scratch } from '../nn/scratch.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Rows that a layer stores, by segment: f32 [T, heads * width]. */
export type StoredRows = ReadonlyMap<string, Float32Array>

/** The kernel set's operations, some of them others. */
export function diverted(kernels: Kernels, others: Partial<Operations>): Operations {
  const own = Object.keys(OPERATIONS).map(name => {
    const operation = kernels[name as keyof Operations] as (...args: never[]) => void
    return [name, operation.bind(kernels)]
  })
  return { ...(Object.fromEntries(own) as Operations), ...others }
}

/** Stores `rows` in place of what comes, where there are some; `seen` hears what was stored. */
export function replacedKeys(
  keys: KeyStore,
  memory: Pick<KernelMemory, 'upload'>,
  scratch: Scratch,
  rows: StoredRows | undefined,
  seen: Map<string, Tensor> = new Map(),
): KeyStore {
  return {
    groups: keys.groups,
    groupOf: layer => keys.groupOf(layer),
    apart: keys.apart,
    state: (layer, part) => keys.state(layer, part),
    stored: (layer, segment, group) => keys.stored(layer, segment, group),
    put: (layer, segment, x, group) => {
      const others = rows?.get(segment)
      const stored = others ? scratch.take(x.shape) : x
      if (others) memory.upload(stored, others)
      seen.set(segment, stored)
      return keys.put(layer, segment, stored, group)
    },
  }
}
