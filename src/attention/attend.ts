import { OptionError } from '../errors.ts'
import { groupedAttention } from '../nn/attention/grouped.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import { latentAttention } from '../nn/attention/mla.ts'
import type { AttentionPath } from '../nn/attention/path.ts'
import type { StepGroup } from '../nn/attention/runs.ts'
import type { AttentionStep } from '../nn/attention/step.ts'
import { linear } from '../nn/layers.ts'
import { NO_PAST, prepareStep } from '../nn/step.ts'
import { choice, flag, whole } from '../options/kinds.ts'
import { readArgument } from '../options/read-options.ts'
import { elementCount, type Tensor } from '../tensor/tensor.ts'
import type { AttentionCache } from './cache.ts'
import type { AttentionLayer } from './layers.ts'
import { expectShape } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** Options of `attend`. */
export interface AttendOptions {
  /** Where the tokens' keys go, behind those of earlier calls. Default: none, the tokens see one another only. */
  readonly cache?: AttentionCache
  /**
   * How MLA is computed: latents are expanded to keys and values, or queries are absorbed into the latents' space. Default: as the engine does,
   * expanded where 128 tokens of a call fill a cell of the grid, else absorbed.
   */
  readonly path?: AttentionPath
  /** Return the probabilities, too. Default false. */
  readonly pattern?: boolean
  /** Tokens of each of several texts in x, one after the other, which see nothing of one another; without a cache. Default: one text. */
  readonly lengths?: readonly number[]
}

/** Result of `attend`. */
export interface Attended {
  /** What the layer adds to each token, [T, D]: after the output projection. */
  readonly y: Tensor
  /** Probabilities [H, T, S] of every key for every query; null unless asked for. */
  readonly pattern: Tensor | null
}

/**
 * One layer of attention over tokens x [T, D], each of which sees itself and those before it. Throws OptionError for a shape, a cache or a
 * path that does not suit the layer.
 */
export function attend(bench: Workbench, layer: AttentionLayer, x: Tensor, options: AttendOptions = {}): Attended {
  const { cache, path: givenPath, pattern: wanted = false } = options
  const [T] = expectShape('x', x, [
    ['T', null],
    ['D', layer.hiddenSize],
  ]) as [number]
  readArgument(flag, 'pattern', wanted)
  const lengths = lengthsOf(T, options)
  const path = givenPath && readArgument<AttentionPath>(choice(['expanded', 'absorbed']), 'path', givenPath)
  if (path && layer.kind === 'grouped') {
    throw new OptionError(`path is ${path}, and the layer has no latents; expected none, or a layer of MLA`)
  }
  const { ops, scratch, kernels } = bench
  const place = cache?.begin(layer, T)
  const { index, past, keys } = place ?? { index: 0, past: NO_PAST, keys: contiguousKeys(ops, scratch) }
  const latent = layer.kind === 'latent'
  const step = prepareStep(
    kernels.memory,
    scratch,
    lengths.map(length => ({
      tokens: new Int32Array(length),
      cache: past,
      prompt: { start: past.length, end: past.length + length },
      logits: 'none',
      ...((path ?? (bench.learns && latent)) && { path: path ?? 'expanded' }),
    })),
    keys,
    { ropes: layer.ropes, rowRules: { latent, ropeLimit: Number.POSITIVE_INFINITY } },
  )
  const [rope] = layer.ropes
  const [angles] = step.angles
  const pattern = wanted ? hidden(bench, [layer.config.nHeads, T, past.length + T]) : null
  const seen: AttentionStep = {
    ops,
    scratch,
    keys,
    layer: index,
    tokens: T,
    group: step.groups[keys.groupOf(index)] as StepGroup,
    window: layer.window,
    rope:
      angles && rope ? { cosSin: angles, queryCosSin: angles, stillCosSin: null, interleaved: rope.interleaved } : null,
    pattern,
    selected: null,
  }
  const heads =
    layer.kind === 'latent'
      ? latentAttention(seen, layer.weights, layer.config, x)
      : groupedAttention(seen, layer.weights, layer.config, x)
  place?.written()
  const y = scratch.take([T, layer.hiddenSize])
  linear(seen, y, heads, layer.weights.out)
  return { y, pattern }
}

function lengthsOf(T: number, { lengths, cache, pattern }: AttendOptions): readonly number[] {
  if (!lengths) return [T]
  if (cache || pattern)
    throw new OptionError('lengths are for texts without a cache and without a pattern; expected one text')
  for (const [i, length] of lengths.entries()) readArgument(whole(0), `lengths[${i}]`, length)
  if (lengths.reduce((n, length) => n + length, 0) !== T) {
    throw new OptionError(`lengths has ${lengths.join(' + ')} tokens; expected ${T}, those of x`)
  }
  return lengths
}

/** Scores of which none is seen yet. */
export function hidden(bench: Workbench, shape: readonly number[]): Tensor {
  const scores = bench.scratch.take(shape)
  const n = elementCount(shape)
  if (n > 0) bench.kernels.memory.upload(scores, new Float32Array(n).fill(Number.NEGATIVE_INFINITY))
  return scores
}
