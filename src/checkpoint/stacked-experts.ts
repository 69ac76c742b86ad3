/** Experts that a file of the hub has in one tensor for all, as separate matrices under the names that others give them. */
import { CheckpointError } from '../errors.ts'
import { quote } from './quote.ts'
import type { TensorEntry } from './tensor-entry.ts'

/** [E, 2 F, D], gate in front of up, and [E, D, F]; scales of FP8 beside them, one for all or one for each. */
const STACK = /^(.*\.experts\.)(gate_up_proj|down_proj)$/
const SCALES = ['_scale_inv', '_scale'] as const

/** The tensors with stacks cut; the others as they are, in their order. Throws CheckpointError for scales of blocks. */
export function cutStackedExperts(tensors: ReadonlyMap<string, TensorEntry>): ReadonlyMap<string, TensorEntry> {
  const stacks = [...tensors.values()].filter(({ name, shape }) => STACK.test(name) && shape.length === 3)
  if (stacks.length === 0) return tensors
  const cut = new Map<string, readonly TensorEntry[]>()
  for (const stack of stacks) {
    const suffix = SCALES.find(s => tensors.has(stack.name + s))
    const scales = suffix && tensors.get(stack.name + suffix)
    cut.set(stack.name, [...matricesOf(stack, scales)])
    if (scales) cut.set(scales.name, [])
  }
  return new Map(
    [...tensors.values()].flatMap(entry => (cut.get(entry.name) ?? [entry]).map(e => [e.name, e] as const)),
  )
}

function* matricesOf(stack: TensorEntry, scales: TensorEntry | undefined): Generator<TensorEntry> {
  const [, before, module] = STACK.exec(stack.name) as unknown as [string, string, string]
  const [experts, allRows, cols] = stack.shape as [number, number, number]
  const modules = module === 'gate_up_proj' ? ['gate_proj', 'up_proj'] : [module]
  const { source, offset, length } = stack.bytes
  const part = length / (experts * modules.length)
  const count = scales ? scaleCount(scales, experts) : 0
  for (let e = 0; e < experts; e++) {
    for (const [i, name] of modules.entries()) {
      const module = `${before}${e}.${name}`
      const at = offset + (e * modules.length + i) * part
      const shape = [allRows / modules.length, cols]
      yield { name: `${module}.weight`, dtype: stack.dtype, shape, bytes: { source, offset: at, length: part } }
      if (!scales) continue
      const each = scales.bytes.length / count
      const one = count === experts ? e : 0
      const bytes = { ...scales.bytes, offset: scales.bytes.offset + one * each, length: each }
      yield { name: `${module}.weight_scale_inv`, dtype: scales.dtype, shape: [], bytes }
    }
  }
}

function scaleCount({ name, shape }: TensorEntry, experts: number): number {
  const count = shape.reduce((n, d) => n * d, 1)
  if (count === 1 || count === experts) return count
  throw new CheckpointError(
    `Tensor ${quote(name)} has shape [${shape.join(', ')}]; expected a factor for each of ${experts} experts, or one for all`,
  )
}
