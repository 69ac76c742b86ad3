import { describe, expect, it } from 'vitest'
import { OutOfMemoryError } from '../../src/errors.ts'
import type { CoreHost } from '../../src/kernels/core/host.ts'
import { Pieces } from '../../src/kernels/core/pieces.ts'

const MB = 1 << 20

/** A host that counts what it gave, and what was zeroed. */
function open(room = Number.POSITIVE_INFINITY) {
  const held = new Set<number>()
  const cleared: number[] = []
  let next = 1 << 30
  const host = {
    allocate: (bytes: number) => {
      if (bytes > room) throw new OutOfMemoryError('no room')
      next += 2 * bytes
      held.add(next)
      return next
    },
    release: (address: number) => {
      if (!held.delete(address)) throw new Error(`nothing at ${address}`)
    },
    write: (_: number, bytes: Uint8Array) => cleared.push(bytes.length),
  } as unknown as CoreHost
  return { pieces: new Pieces(host), held, cleared }
}

describe('parts of large pieces', () => {
  it('lie side by side, and a piece goes back when nothing of it is in use', () => {
    const { pieces, held, cleared } = open()
    const parts = Array.from({ length: 20 }, () => pieces.allocate(6 * MB))
    expect(held.size).toBe(2)
    expect(parts[1]).toBe((parts[0] as number) + 6 * MB)
    for (const part of parts.slice(1)) pieces.release(part)
    expect(held.size).toBe(1)
    expect(cleared).toEqual([])
    // What was used before is zeroed.
    expect(pieces.allocate(3 * MB)).toBe(parts[1])
    expect(cleared).toEqual([3 * MB])
    pieces.release(parts[0] as number)
    pieces.release(parts[1] as number)
    expect(held.size).toBe(0)
    expect(() => pieces.release(parts[0] as number)).toThrow('nothing at')
  })

  it('come by themselves where there is no room for a whole piece', () => {
    const { pieces, held } = open(8 * MB)
    const part = pieces.allocate(MB)
    expect(held).toEqual(new Set([part]))
    pieces.release(part)
    expect(held.size).toBe(0)
    expect(() => pieces.allocate(9 * MB)).toThrow(OutOfMemoryError)
  })
})
