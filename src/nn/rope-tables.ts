/** The angles of a step, by rope of the model. */
import type { KernelMemory } from '../kernels/contract/memory.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import { longropeLimit, type RopeConfig, ropeFrequencies } from './attention/rope.ts'
import type { Backend } from './attention/step.ts'
import type { Step } from './step.ts'

interface Frequencies {
  /** f64 [dim / 2] */
  readonly tensor: Tensor
  readonly factor: number
}

/** A rope's frequencies in the kernels' memory; `long` are LongRoPE's from position `limit` on. */
export interface RopeTables {
  readonly short: Frequencies
  readonly long: Frequencies
  /** Infinity for every other scaling. */
  readonly limit: number
  readonly interleaved: boolean
}

/** Lives as long as the kernels. */
export function ropeTables(memory: KernelMemory, rope: RopeConfig): RopeTables {
  const put = (long: boolean): Frequencies => {
    const { frequencies, factor } = ropeFrequencies(rope, long)
    const tensor = memory.alloc('f64', [frequencies.length])
    memory.upload(tensor, frequencies)
    return { tensor, factor }
  }
  const short = put(false)
  const limit = longropeLimit(rope) ?? Number.POSITIVE_INFINITY
  const long = limit === Number.POSITIVE_INFINITY ? short : put(true)
  return { short, long, limit, interleaved: rope.interleaved }
}

/** cos and sin of every token, f32 [T, dim]. */
export function stepAngles({ ops, scratch }: Backend, { short, long, limit }: RopeTables, step: Step): Tensor {
  const table = scratch.take([step.tokens, 2 * (short.tensor.shape[0] as number)])
  let row = 0
  for (const { tokens, cache, prompt } of step.inputs) {
    // A prompt that goes beyond the original positions takes the long factors throughout; generated tokens take
    // them from there on: what transformers does with a cache, decided by position instead of by call.
    const from = prompt ? (prompt.end > limit ? 0 : Number.POSITIVE_INFINITY) : limit
    const shorts = Math.min(Math.max(from - cache.length, 0), tokens.length)
    const write = (start: number, count: number, { tensor, factor }: Frequencies) => {
      if (count === 0) return
      ops.ropeTable(rowsOf(table, start, count), rowsOf(step.positions, start, count), tensor, factor)
    }
    write(row, shorts, short)
    write(row + shorts, tokens.length - shorts, long)
    row += tokens.length
  }
  return table
}
