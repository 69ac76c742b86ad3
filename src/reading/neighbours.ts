/** Tokens whose embeddings point the same way. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Decoder } from '../nn/decoder.ts'
import { withMemory } from './heads.ts'
import type { Sharing } from './sharing.ts'

/** Numbers of embeddings that are read at once. */
const AT_ONCE = 1 << 22

export interface Near {
  readonly id: number
  readonly similarity: number
}

/** The nearest `top` tokens by cosine, the token itself left out; those without any number but 0 are near nothing. */
export async function nearestTokens(
  kernels: Kernels,
  { config, weights }: Decoder,
  id: number,
  top: number,
  work: Sharing,
): Promise<Near[]> {
  const { hiddenSize: D, vocabSize } = config
  const rows = (from: number, count: number) =>
    work.turn(() =>
      withMemory(kernels, async take => {
        const ids = take([count], 'i32')
        const x = take([count, D])
        kernels.memory.upload(
          ids,
          Int32Array.from({ length: count }, (_, i) => from + i),
        )
        kernels.embed(x, weights.embedding, ids)
        await kernels.submit(work.pause)
        return (await kernels.memory.read(x)) as Float32Array
      }),
    )
  const own = await rows(id, 1)
  const length = Math.sqrt(dot(own, own, 0, D))
  if (!(length > 0)) return []
  const best: Near[] = []
  const atOnce = Math.max(1, Math.floor(AT_ONCE / D))
  for (let from = 0; from < vocabSize; from += atOnce) {
    const count = Math.min(atOnce, vocabSize - from)
    const all = await rows(from, count)
    for (let i = 0; i < count; i++) {
      const other = Math.sqrt(dot(all, all.subarray(i * D), i * D, D))
      if (from + i === id || !(other > 0)) continue
      const similarity = dot(all, own, i * D, D) / (length * other)
      let at = best.length
      while (at > 0 && similarity > (best[at - 1] as Near).similarity) at--
      if (at < top) best.splice(at, 0, { id: from + i, similarity })
      if (best.length > top) best.pop()
    }
    await work.pause()
  }
  return best
}

/** The sum of a[at + i] b[i]. */
function dot(a: Float32Array, b: Float32Array, at: number, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += (a[at + i] as number) * (b[i] as number)
  return sum
}
