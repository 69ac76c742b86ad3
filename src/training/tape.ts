import type { RowSlice } from '../kernels/contract/cached-rows.ts'
import type { RouteOptions } from '../kernels/contract/operation-options.ts'
import { OPERATIONS, type Operations } from '../kernels/operations/table.ts'
import { elementCount, lastOf, reshape, type Tensor, view } from '../tensor/tensor.ts'
import type { Parameters } from './parameters.ts'
import type { Activation, TrainingScratch } from './scratch.ts'

interface Entry {
  /** Adds to the gradients of the operation's inputs, from those of its outputs. */
  readonly backward: () => void
  /** Activations that no earlier operation has written: their gradients are of no use afterwards. */
  readonly made: readonly Activation[]
}

/** A layer's choice of experts. */
export interface Route {
  /** i32 [T, K] */
  readonly indices: Tensor
  /** f32 [T, E] */
  readonly logits: Tensor
  readonly options: RouteOptions
}

/**
 * The operations of a forward pass, each with its backward rule (reverse-mode differentiation). `ops` runs an operation and writes
 * its rule down; `backward` runs the rules from the last to the first. Activations must be the scratch's, each written once, and
 * keys must lie in contiguous rows.
 */
export class Tape {
  /** For the decoder. An operation without a rule throws TypeError. */
  readonly ops: Operations
  readonly #kernels: Operations
  readonly #parameters: Parameters
  readonly #scratch: TrainingScratch
  readonly #entries: Entry[] = []
  readonly #made = new Set<Activation>()
  readonly #routes: Route[] = []
  #borrowed: Tensor[] = []

  /** `kernels`: what computes, forward and backward. */
  constructor(kernels: Operations, parameters: Parameters, scratch: TrainingScratch) {
    this.#kernels = kernels
    this.#parameters = parameters
    this.#scratch = scratch
    this.ops = this.#operations()
  }

  /** Begins a forward pass. */
  clear(): void {
    this.#entries.length = 0
    this.#made.clear()
    this.#routes.length = 0
  }

  /** The choices of experts of this forward pass, in the order of layers. */
  get routes(): readonly Route[] {
    return this.#routes
  }

  /** The gradient of an activation: the last ones are to be written before `backward`. */
  gradient(t: Tensor): Tensor {
    return this.#scratch.gradient(t)
  }

  backward(): void {
    this.#unwind(0)
    this.#made.clear()
  }

  /**
   * A part of a forward pass, from x to a result of its shape, of which only the result is kept: `plain` runs it with the kernels, and
   * the backward pass runs `taped`, the same with `ops`.
   */
  recomputed(x: Tensor, plain: (x: Tensor) => Tensor, taped: (x: Tensor) => Tensor): Tensor {
    const scratch = this.#scratch
    const y = scratch.take(x.shape)
    scratch.forgetting(() => this.#kernels.copy(y, plain(x)))
    this.#record([y], () => {
      scratch.forgetting(() => {
        const first = this.#entries.length
        const again = taped(x)
        scratch.moveGradient(y, again)
        this.#unwind(first)
      })
    })
    return y
  }

  /** Runs the rules from the last one down to `first`, and forgets them. */
  #unwind(first: number): void {
    while (this.#entries.length > first) {
      const { backward, made } = this.#entries.pop() as Entry
      backward()
      for (const memory of this.#borrowed) this.#scratch.giveBack(memory)
      this.#borrowed = []
      for (const activation of made) this.#scratch.dropGradient(activation)
    }
  }

  #record(outputs: readonly Tensor[], backward: () => void): void {
    const made = new Set(outputs.map(t => this.#scratch.activation(t)))
    const first = [...made].filter(activation => !this.#made.has(activation))
    for (const activation of first) this.#made.add(activation)
    this.#entries.push({ backward, made: first })
  }

  /** Memory for one rule. */
  #borrow(...shape: readonly number[]): Tensor {
    const memory = this.#scratch.borrow(elementCount(shape))
    this.#borrowed.push(memory)
    return reshape(memory, shape)
  }

  /** d += scale * from */
  #add(to: Tensor, from: Tensor, scale = 1): void {
    const d = this.gradient(to)
    this.#kernels.axpby(d, 1, d, scale, from)
  }

  /** dnumbers [n] += scale * the sum of rows, where they are learned. */
  #addToVector(vector: Tensor, rows: Tensor, scale: number): void {
    const parameter = this.#parameters.of(vector)
    if (parameter) this.#kernels.sumRows(parameter.gradient, rows, scale)
  }

  #norm(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, eps: number, centred: boolean): void {
    const k = this.#kernels
    const stats = this.#borrow(elementCount(x.shape.slice(0, -1)), 2)
    const dy = this.gradient(y)
    k.normBackward(this.gradient(x), stats, dy, x, weight, eps, centred)
    const learned = this.#parameters.of(weight)
    if (learned)
      k.normWeightBackward(learned.gradient, (bias && this.#parameters.of(bias)?.gradient) ?? null, dy, x, stats)
  }

  /** The vectors of a slice of contiguous rows in their gradient: [S, heads, width]. */
  #vectors({ rows, offset, heads, width, headStride }: RowSlice): Tensor {
    if ('blockTokens' in rows) throw new TypeError('Tape: keys are in a cache, not in contiguous rows')
    const [S, row] = [rows.shape[0] as number, rows.strides[0] as number]
    return view(this.gradient(rows), offset / 4, [S, heads, width], [row, headStride, 1])
  }

  #operations(): Operations {
    const k = this.#kernels
    const d = (t: Tensor) => this.gradient(t)
    const learned = this.#parameters
    const without = Object.keys(OPERATIONS).map(name => [
      name,
      () => {
        throw new TypeError(`Tape: ${name} has no backward rule`)
      },
    ])
    const taped: Partial<Operations> = {
      embed: (y, w, ids, scale) => {
        k.embed(y, w, ids, scale)
        this.#record([y], () => {
          const parameter = learned.of(w)
          if (parameter) k.scatterRows(parameter.gradient, d(y), ids, scale)
        })
      },
      gatherRows: (y, x, index) => {
        k.gatherRows(y, x, index)
        this.#record([y], () => k.scatterRows(d(x), d(y), index))
      },
      copy: (y, x) => {
        k.copy(y, x)
        this.#record([y], () => this.#add(x, d(y)))
      },
      axpby: (y, a, x, b = 1, z) => {
        k.axpby(y, a, x, b, z)
        this.#record([y], () => {
          this.#add(x, d(y), a)
          if (z) this.#add(z, d(y), b)
        })
      },
      rmsNorm: (y, x, weight, eps) => {
        k.rmsNorm(y, x, weight, eps)
        this.#record([y], () => this.#norm(y, x, weight, null, eps, false))
      },
      layerNorm: (y, x, weight, bias, eps) => {
        k.layerNorm(y, x, weight, bias, eps)
        this.#record([y], () => this.#norm(y, x, weight, bias, eps, true))
      },
      matmul: (y, x, w, options = {}) => {
        k.matmul(y, x, w, options)
        this.#record([y], () => {
          const { bias, residual, scale = 1 } = options
          const dy = d(y)
          if (residual) this.#add(residual, dy)
          if (bias) this.#addToVector(bias, dy, scale)
          const fresh = this.#scratch.freshGradient(x)
          k.matmulBackward(fresh ?? d(x), dy, w, scale, undefined, fresh === null)
          const parameter = learned.of(w)
          if (parameter) k.weightBackward(parameter.gradient, dy, x, scale)
        })
      },
      activate: (y, x, activation) => {
        k.activate(y, x, activation)
        this.#record([y], () => k.activateBackward(d(x), d(y), x, activation))
      },
      gate: (y, gates, up, activation) => {
        k.gate(y, gates, up, activation)
        this.#record([y], () => {
          const dy = d(y)
          const fresh = this.#scratch.freshGradient(gates)
          const freshUp = fresh && this.#scratch.freshGradient(up)
          // One of two that has numbers already: the other begins with zeros.
          if (fresh && !freshUp) k.fill(fresh, 0)
          k.gateBackward(d(gates), d(up), dy, gates, up, activation, freshUp === null)
        })
      },
      rope: (y, x, cosSin, interleaved) => {
        k.rope(y, x, cosSin, interleaved)
        this.#record([y], () => k.ropeBackward(d(x), d(y), cosSin, interleaved))
      },
      attention: given => {
        const { q, out, keys, values, sequences, scale, window, sinkLogits, bias, scores } = given
        if (sinkLogits || bias || scores)
          throw new TypeError('Tape: attention with sink logits, a bias or scores has no backward rule')
        const [T, H, width] = q.shape as [number, number, number]
        const lse = given.lse ?? this.#scratch.take([T, H])
        k.attention({ ...given, lse })
        this.#record([out], () => {
          const S = (values.rows as Tensor).shape[0] as number
          const dkeys = this.#borrow(S, H, width)
          const dvalues = this.#borrow(S, H, values.width)
          const limits = { sequences, scale, ...(window !== undefined && { window }) }
          k.attentionBackward({ q, out, keys, values, lse, dq: d(q), dout: d(out), dkeys, dvalues, ...limits })
          let at = 0
          for (const slice of keys) {
            k.sumHeads(this.#vectors(slice), lastOf(dkeys, at, slice.width))
            at += slice.width
          }
          k.sumHeads(this.#vectors(values), dvalues)
        })
      },
      route: (indices, weights, logits, options) => {
        k.route(indices, weights, logits, options)
        this.#routes.push({ indices, logits, options })
        this.#record([indices, weights], () => k.routeBackward(d(logits), d(weights), logits, indices, options))
      },
      groupByExpert: (plan, indices, experts) => k.groupByExpert(plan, indices, experts),
      expertMatmul: (y, x, w, plan, gather) => {
        k.expertMatmul(y, x, w, plan, gather)
        this.#record([y], () => {
          const dy = d(y)
          const parameter = learned.of(w)
          if (parameter) k.expertWeightBackward(parameter.gradient, dy, x, plan, gather)
          if (!gather) return k.expertMatmulBackward(d(x), dy, w, plan)
          // Each token's share: the sum over its experts, with weights of 1.
          const [assignments, T] = [y.shape[0] as number, x.shape[0] as number]
          const grouped = this.#borrow(assignments, w.cols)
          const ones = this.#borrow(T, assignments / T)
          k.fill(grouped, 0)
          k.fill(ones, 1)
          k.expertMatmulBackward(grouped, dy, w, plan)
          k.combineExperts(d(x), grouped, ones, plan, d(x))
        })
      },
      combineExperts: (y, part, weights, plan, residual) => {
        k.combineExperts(y, part, weights, plan, residual)
        this.#record([y], () => {
          k.combineExpertsBackward(d(part), d(weights), d(y), part, weights, plan)
          this.#add(residual, d(y))
        })
      },
    }
    return { ...Object.fromEntries(without), ...taped }
  }
}
