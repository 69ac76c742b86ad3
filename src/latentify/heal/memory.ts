/** What healing takes of memory, said before anything is read. */
import { totalmem } from 'node:os'
import type { SourceModel } from '../../conversion/source-model.ts'
import { OptionError } from '../../errors.ts'
import { isBlockType } from '../../tensor/dtype.ts'
import { rowsAtATime } from '../../training/loss.ts'
import type { Plan, Sizes } from '../plan.ts'

/** Of f32. */
const BYTES = 4

/** Bytes that are touched, about: weights, gradients and moments, and what a text of `tokens` leaves for the backward pass. */
export function healingBytes(
  { config, weights }: Pick<SourceModel, 'config' | 'weights'>,
  { layers, inputs: D, heads: H, groups: G, width: d }: Plan,
  { rank: C, rope: R }: Sizes,
  tokens: number,
): number {
  const numbers = weights.reduce((sum, { rows, cols }) => sum + rows * cols, 0)
  // Mapped files are read in place; blocks are decoded.
  const original = weights.reduce((sum, { dtype, rows, cols }) => sum + (isBlockType(dtype) ? rows * cols : 0), 0)
  const learned = layers * (D * H * (d + R) + D * (C + R) + C * H * 2 * d + H * d * D)
  const grouped = layers * (2 * D * H * d + 2 * D * G * d)
  const gate = weights.find(({ name }) => name.endsWith('.mlp.gate_proj.weight'))
  const activations = 6 * D + 3 * (gate?.rows ?? 0) + 3 * H * (d + R) + H * 2 * d + H * d + 3 * C + 2 * R
  // Of the teacher and of the gradients of the streams.
  const streams = 2 * D
  const logits = 2 * rowsAtATime(tokens, config.vocabSize) * config.vocabSize
  const values = numbers - grouped + learned
  return BYTES * (values + 3 * learned + original + layers * tokens * (activations + streams) + logits)
}

/** `memory`: bytes that this process may have. Throws OptionError where healing takes more. */
export function checkMemory(bytes: number, memory = memoryHere()): void {
  if (bytes <= memory) return
  const [needed, there] = [bytes, memory].map(n => (n / 2 ** 30).toFixed(1))
  throw new OptionError(
    `Healing would take about ${needed} GiB of memory, and there are ${there}; leave heal out, or take a machine with more`,
  )
}

function memoryHere(): number {
  // 0: no limit.
  const limit = process.constrainedMemory()
  return Math.min(totalmem(), limit > 0 ? limit : Number.POSITIVE_INFINITY)
}
