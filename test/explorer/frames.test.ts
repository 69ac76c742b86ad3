/** Values cross between Node and the page without losing a bit. */
import { describe, expect, it } from 'vitest'
import { encodeFrame, readFrames } from '../../apps/explorer/numbers/frames.ts'

const VALUE = {
  layer: 3,
  score: Number.NEGATIVE_INFINITY,
  list: [-0, Number.NaN, 0.1, null, 'ü', true],
  probabilities: Float32Array.of(0.1, -0, Number.NEGATIVE_INFINITY),
  inner: { errors: Float64Array.of(1 / 3), bytes: Uint8Array.of(0xf0, 0x9f), ids: Int32Array.of(-1, 2) },
  empty: new Float32Array(0),
}

/** The stream in pieces of `size` bytes. */
function reading(pieces: readonly Uint8Array[], size: number) {
  const all = Buffer.concat(pieces)
  let at = 0
  return async () => {
    const from = at
    at += size
    return from < all.length ? all.subarray(from, at) : undefined
  }
}

describe('frames', () => {
  it('come out as they went in, wherever a stream is cut into pieces', async () => {
    // A view into something longer, at an odd place.
    const part = new Uint8Array([9, 8, 7, 6, 5, 4, 3]).subarray(1, 4)
    const sent = [VALUE, part, 7, null, [], VALUE]
    for (const size of [1, 2, 3, 7, 8, 64, 1 << 20]) {
      const found: unknown[] = []
      for await (const value of readFrames(reading(sent.flatMap(encodeFrame), size))) found.push(value)
      expect(found).toStrictEqual(sent.map(value => (value === part ? Uint8Array.from(part) : value)))
    }
  })

  it('that are cut off are refused', async () => {
    const whole = Buffer.concat(encodeFrame(VALUE))
    for (const length of [1, 7, 8, 20, whole.length - 1]) {
      const cut = readFrames(reading([whole.subarray(0, length)], 1 << 20))
      await expect(cut.next()).rejects.toThrow('ended before it was whole')
    }
  })
})
