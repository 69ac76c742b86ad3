/** Low-rank adapters that are learned (LoRA, arXiv 2106.09685), beside a model that stays as it is. */
import { withoutPrefix } from '../adapter/adapter.ts'
import { lazyMatrix } from '../checkpoint/recode/lazy-matrix.ts'
import { ggufRow } from '../checkpoint/recode/rotated-rows.ts'
import { OptionError } from '../errors.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import type { Adapters } from '../model/load/loader.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import type { LowRank } from '../nn/layers.ts'
import { nearest } from '../options/nearest.ts'
import { Rng } from '../sampling/rng.ts'
import { seedOf } from './fresh.ts'

export interface LoraOptions {
  /** r: rows of the smaller matrix. */
  readonly rank: number
  /** What is added counts alpha / r. Default 2 r. */
  readonly alpha?: number
  /** Ends of the names of modules that get one: `q_proj`. Default: all matrices of attention and MLPs, but routers and single experts. */
  readonly targets?: readonly string[]
  /** alpha / sqrt(r) instead (rsLoRA, arXiv 2312.03732). Default false. */
  readonly rankStabilised?: boolean
}

/** A module that has an adapter. */
export interface LearnedModule {
  /** As the hub's code calls it. */
  readonly module: string
  /** Names of its two parameters. */
  readonly down: string
  readonly up: string
  /** Row r of the hub's lora_B is this row of ours. */
  readonly rowOf: (row: number) => number
}

/** Gives modules fresh adapters: A is drawn as PEFT does, uniformly within 1 / sqrt(cols), and B is 0, so that the model begins as it was. */
export class LearnedAdapters implements Adapters {
  readonly modules: LearnedModule[] = []
  readonly options: LoraOptions
  readonly #seed: number
  readonly #names: OpenedModel['family']['names']
  readonly #prepare: (source: WeightSource) => Promise<LowRank['down']>
  /** Ends of the names of modules that could have one, and of those that were left out. */
  readonly #possible = new Set<string>()
  readonly #left = new Set<string>()

  constructor(
    options: LoraOptions,
    { family }: OpenedModel,
    seed: number,
    prepare: (source: WeightSource) => Promise<LowRank['down']>,
  ) {
    this.options = options
    this.#names = family.names
    this.#seed = seed
    this.#prepare = prepare
  }

  get scale(): number {
    const { rank, rankStabilised } = this.options
    return this.alpha / (rankStabilised ? Math.sqrt(rank) : rank)
  }

  get alpha(): number {
    return this.options.alpha ?? 2 * this.options.rank
  }

  async of(name: string, rows: number, cols: number, headDim?: number): Promise<LowRank | undefined> {
    const { prefixes, output, moe } = this.#names
    if (name === output || (moe && name.endsWith(`.${moe.router}`))) return undefined
    this.#possible.add(endOf(name))
    const { rank, targets } = this.options
    if (targets && !targets.some(target => name === target || name.endsWith(`.${target}`))) {
      this.#left.add(endOf(name))
      return undefined
    }
    const module = (prefixes[0] as string) + withoutPrefix(name, prefixes)
    const [down, up] = [`${module}.lora_A.weight`, `${module}.lora_B.weight`]
    const bound = 1 / Math.sqrt(cols)
    const seed = this.#seed
    const drawn = lazyMatrix(
      { name: down, dtype: 'f32', rows: rank, cols },
      'a fresh adapter',
      async (start, count) => {
        const numbers = new Float32Array(count * cols)
        for (let row = 0; row < count; row++) {
          const rng = Rng.seeded(seedOf(`${seed} ${start + row} ${down}`))
          for (let k = 0; k < cols; k++) numbers[row * cols + k] = bound * (2 * rng.next() - 1)
        }
        return new Uint8Array(numbers.buffer)
      },
    )
    const zeros = lazyMatrix({ name: up, dtype: 'f32', rows, cols: rank }, 'a fresh adapter', async (_, count) => {
      return new Uint8Array(4 * count * rank)
    })
    const rowOf = headDim === undefined ? (row: number) => row : (row: number) => ggufRow(row, headDim)
    this.modules.push({ module, down, up, rowOf })
    return { down: await this.#prepare(drawn), up: await this.#prepare(zeros), scale: this.scale }
  }

  /** PEFT's target_modules: ends of names, or whole names where an end would name others too. */
  targets(): string[] {
    const names = this.modules.map(({ module }) => module)
    if (this.#names.moe || names.some(name => this.#left.has(endOf(name)))) return names
    return [...new Set(names.map(endOf))]
  }

  /** Throws OptionError for a target that no module has. */
  check(): void {
    for (const target of this.options.targets ?? []) {
      if (this.modules.some(({ module }) => module === target || module.endsWith(`.${target}`))) continue
      const possible = [...this.#possible]
      const near = nearest(target, possible)
      const meant = near === undefined ? `it has ${possible.join(', ')}` : `did you mean ${near}?`
      throw new OptionError(
        `loraTargets has ${JSON.stringify(target)}, which no matrix of this model is called; ${meant}`,
      )
    }
  }
}

function endOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/** Whether a parameter is of an adapter. */
export function isOfAdapter(name: string): boolean {
  return /\.lora_[AB]\.weight$/.test(name)
}
