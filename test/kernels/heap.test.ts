import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap } from '../../src/kernels/core/heap.ts'

const BASE = 100
const LIMIT = 64 * 64

function open() {
  const cleared: [number, number][] = []
  const heap = new Heap(
    BASE,
    end => end <= LIMIT,
    (address, bytes) => cleared.push([address, bytes]),
  )
  return { heap, cleared }
}

describe('the heap of the WebAssembly memory', () => {
  it('gives whole cache lines, and none beyond the limit', () => {
    const { heap } = open()
    expect(heap.allocate(1)).toBe(128)
    expect(heap.allocate(65)).toBe(192)
    expect(heap.allocate(0)).toBe(320)
    expect(heap.bytes).toBe(64 + 128 + 64)
    expect(heap.allocate(LIMIT)).toBe(0)
    expect(heap.allocate(LIMIT - 384)).toBe(384)
    expect(heap.allocate(1)).toBe(0)
  })

  it('clears what was used before, and joins neighbours', () => {
    const { heap, cleared } = open()
    const [a, b, c] = [heap.allocate(64), heap.allocate(64), heap.allocate(64)]
    heap.release(a)
    heap.release(c)
    heap.release(b)
    expect(heap.bytes).toBe(0)
    expect(heap.allocate(192)).toBe(a)
    expect(cleared).toEqual([[a, 192]])
  })

  it('refuses what it did not give', () => {
    const { heap } = open()
    const a = heap.allocate(10)
    heap.release(a)
    expect(() => heap.release(a)).toThrow(RangeError)
  })

  it('never gives the same byte twice', () => {
    const step = fc.record({ bytes: fc.integer({ min: 0, max: 900 }), release: fc.boolean(), which: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const { heap } = open()
        const held: { address: number; bytes: number }[] = []
        for (const { bytes, release, which } of steps) {
          if (release && held.length > 0) {
            const [block] = held.splice(which % held.length, 1)
            heap.release(block!.address)
            continue
          }
          const address = heap.allocate(bytes)
          if (address === 0) continue
          expect(address % 64).toBe(0)
          expect(address).toBeGreaterThanOrEqual(BASE)
          expect(address + bytes).toBeLessThanOrEqual(LIMIT)
          for (const other of held) {
            expect(address + bytes <= other.address || other.address + other.bytes <= address).toBe(true)
          }
          held.push({ address, bytes })
        }
        for (const { address } of held) heap.release(address)
        expect(heap.bytes).toBe(0)
        expect(heap.allocate(LIMIT - 128)).toBe(128)
      }),
      { seed: 7, numRuns: 200 },
    )
  })
})
