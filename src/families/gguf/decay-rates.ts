/** Decay rates of states: llama.cpp's files have the rates themselves, some with the sign that its graphs multiply by; the hub's their logarithms. */

import { quote } from '../../checkpoint/quote.ts'
import { computed } from '../../checkpoint/recode/derived.ts'
import { readRows } from '../../checkpoint/recode/weight-rows.ts'
import { type TensorEntry, weightTypeOf } from '../../checkpoint/tensor-entry.ts'
import { CheckpointError } from '../../errors.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import { isBlockType } from '../../tensor/dtype.ts'
import type { Architecture } from './architecture.ts'

const MODULE = 'ssm_a'

/** Reading: a file's tensors under the hub's names, with logarithms in place of rates. Reading one throws CheckpointError for other signs. */
export function withLogarithms(
  tensors: ReadonlyMap<string, TensorEntry>,
  { naming, decayRates: sign }: Architecture,
): ReadonlyMap<string, TensorEntry> {
  const name = naming.inLayer[MODULE]
  if (!sign || name === undefined) return tensors
  const logarithms = (entry: TensorEntry) => (entry.name.endsWith(`.${name}`) ? logarithmsOf(entry, sign) : entry)
  return new Map([...tensors].map(([key, entry]) => [key, logarithms(entry)]))
}

function logarithmsOf(entry: TensorEntry, sign: number): TensorEntry {
  const { name, shape, bytes } = entry
  const dtype = weightTypeOf(entry.dtype)
  // A type that no vector has is refused where the vector is read.
  if (dtype === undefined || dtype === 'e4m3' || isBlockType(dtype)) return entry
  const cols = shape.reduce((a, b) => a * b, 1)
  const source = mapped({ name, dtype, rows: 1, cols, bytes }, rate => {
    if (sign * rate >= 0) return Math.log(sign * rate)
    const where = `${bytes.source.path ?? bytes.source.name}: tensor ${quote(name)}`
    throw new CheckpointError(`${where} holds ${rate}; expected rates of decay, ${sign < 0 ? 'at most' : 'at least'} 0`)
  })
  return { ...entry, dtype: 'F32', bytes: source.bytes }
}

/** Writing: the rates whose logarithms `source` has. */
export function ratesOf(source: WeightSource, sign: number): WeightSource {
  return mapped(source, logarithm => sign * Math.exp(logarithm))
}

function mapped(source: WeightSource, change: (value: number) => number): WeightSource {
  const { rows, cols } = source
  return computed(source, rows, cols, async (start, count) => (await readRows(source, start, count)).map(change))
}
