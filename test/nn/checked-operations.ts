/**
 * A decorator of the operations, as a tape is one: it sees every call with its inputs and outputs, counts it, and checks that
 * what is read was written before and that nothing is written twice. So a backward pass finds every input as it was.
 */
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { KernelMemory } from '../../src/kernels/contract/memory.ts'
import type { Operations } from '../../src/kernels/operations/table.ts'
import { DTYPE_BYTES } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

type Name = keyof Operations

interface Effects {
  readonly reads: readonly Tensor[]
  readonly writes: readonly Tensor[]
  /** Written before, and merged into. */
  readonly updates?: readonly Tensor[]
}

/** What the operations of a decoder without a cache read and write of activations; weights are not among them. */
const EFFECTS: { readonly [K in Name]?: (...args: Parameters<Operations[K]>) => Effects } = {
  embed: (y, _w, ids) => ({ reads: [ids], writes: [y] }),
  gatherRows: (y, x, index) => ({ reads: [x, index], writes: [y] }),
  copy: (y, x) => ({ reads: [x], writes: [y] }),
  axpby: (y, _a, x, _b, z) => ({ reads: z ? [x, z] : [x], writes: [y] }),
  rmsNorm: (y, x) => ({ reads: [x], writes: [y] }),
  layerNorm: (y, x) => ({ reads: [x], writes: [y] }),
  matmul: (y, x, _w, options) => ({ reads: options?.residual ? [x, options.residual] : [x], writes: [y] }),
  headMatmul: (y, x) => ({ reads: [x], writes: [y] }),
  activate: (y, x) => ({ reads: [x], writes: [y] }),
  gate: (y, gate, up) => ({ reads: [gate, up], writes: [y] }),
  rope: (y, x, cosSin) => ({ reads: [x, cosSin], writes: [y] }),
  attention: ({ out, q, keys, values, sequences, lse, carry }) => {
    const rows = [...keys, values].map(slice => slice.rows)
    if (!rows.every((r): r is Tensor => 'address' in r)) throw new Error('attention: keys are in a cache')
    const results = lse ? [out, lse] : [out]
    return { reads: [q, sequences.rows, ...rows], ...(carry ? { writes: [], updates: results } : { writes: results }) }
  },
  probabilities: (p, scores, lse) => ({ reads: [scores, lse], writes: [p] }),
  route: (indices, weights, logits) => ({ reads: [logits], writes: [indices, weights] }),
  groupByExpert: (plan, indices) => ({ reads: [indices], writes: [plan] }),
  expertMatmul: (y, x, _w, plan) => ({ reads: [x, plan], writes: [y] }),
  combineExperts: (y, part, weights, plan, residual) => ({ reads: [part, weights, plan, residual], writes: [y] }),
}

export class CheckedOperations {
  readonly counts = new Map<string, number>()
  readonly ops: Operations
  /** Memory whose uploads count as written. */
  readonly memory: KernelMemory
  /** Addresses of elements. */
  readonly #written = new Set<number>()

  constructor(kernels: Kernels) {
    this.ops = Object.fromEntries(
      Object.entries(EFFECTS).map(([name, effects]) => [
        name,
        (...args: never[]) => {
          this.#check(name, (effects as (...args: never[]) => Effects)(...args))
          ;(kernels[name as Name] as (...args: never[]) => void)(...args)
        },
      ]),
    ) as unknown as Operations
    this.memory = {
      alloc: (dtype, shape) => kernels.memory.alloc(dtype, shape),
      free: tensor => kernels.memory.free(tensor),
      allocBlock: bytes => kernels.memory.allocBlock(bytes),
      freeBlock: block => kernels.memory.freeBlock(block),
      read: tensor => kernels.memory.read(tensor),
      upload: (tensor, data) => {
        this.#write('upload', tensor)
        kernels.memory.upload(tensor, data)
      },
      get allocatedBytes() {
        return kernels.memory.allocatedBytes
      },
    }
  }

  #check(name: string, { reads, writes, updates = [] }: Effects): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    for (const t of [...reads, ...updates]) {
      if (words(t).some(word => !this.#written.has(word))) throw new Error(`${name} reads what nobody has written`)
    }
    for (const t of writes) this.#write(name, t)
  }

  #write(name: string, t: Tensor): void {
    for (const word of words(t)) {
      if (this.#written.has(word)) throw new Error(`${name} writes over what was written before`)
      this.#written.add(word)
    }
  }
}

/** Addresses of all elements. */
function words({ address, dtype, shape, strides }: Tensor): number[] {
  const size = DTYPE_BYTES[dtype]
  let places = [address]
  for (const [axis, n] of shape.entries()) {
    const step = (strides[axis] as number) * size
    places = places.flatMap(place => Array.from({ length: n }, (_, i) => place + i * step))
  }
  return places
}
