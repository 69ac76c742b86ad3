import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Weight } from '../../src/kernels/contract/weights.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import type { DType, WeightType } from '../../src/tensor/dtype.ts'
import type { Tensor, TypedArray } from '../../src/tensor/tensor.ts'
import { expectClose, type Tolerance } from './compare.ts'
import { type FixtureTensor, readSafetensors } from './safetensors.ts'
import { type Scales, weightSource } from './weights.ts'

/** LATENTKIT_FIXTURES: another set of the same form, in `attention`. Default: the project's own. */
const GIVEN =
  process.env.LATENTKIT_FIXTURES && pathToFileURL(`${resolve(process.env.LATENTKIT_FIXTURES, 'attention')}/`)
const OWN = new URL('../fixtures/attention/', import.meta.url)
const DTYPES: Readonly<Record<string, DType>> = { F32: 'f32', F64: 'f64', I32: 'i32', I64: 'i32', U8: 'u8' }

/** One case of a group of operation oracles, with the kernels that run it. */
export class FixtureCase {
  readonly name: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly kernels: Kernels
  readonly #tensors: Map<string, FixtureTensor>

  constructor(kernels: Kernels, parameters: Record<string, unknown>, tensors: Map<string, FixtureTensor>) {
    this.kernels = kernels
    this.name = String(parameters.name)
    this.parameters = parameters
    this.#tensors = tensors
  }

  number(parameter: string): number {
    const value = this.parameters[parameter]
    if (typeof value !== 'number') throw new Error(`${this.name}: ${parameter} is ${value}`)
    return value
  }

  has(tensor: string): boolean {
    return this.#tensors.has(`${this.name}.${tensor}`)
  }

  raw(tensor: string): FixtureTensor {
    const found = this.#tensors.get(`${this.name}.${tensor}`)
    if (!found) throw new Error(`no tensor ${this.name}.${tensor}`)
    return found
  }

  /** In the memory of the kernels. */
  tensor(tensor: string, dtype?: DType): Tensor {
    const { shape, data, dtype: stored } = this.raw(tensor)
    return this.put(dtype ?? DTYPES[stored]!, shape, data)
  }

  put(dtype: DType, shape: readonly number[], data: TypedArray): Tensor {
    const made = this.kernels.memory.alloc(dtype, shape)
    this.kernels.memory.upload(made, data)
    return made
  }

  take(...shape: number[]): Tensor {
    return this.kernels.memory.alloc('f32', shape)
  }

  weight(tensor: string, dtype: WeightType = 'f32', scales?: Scales): Promise<Weight> {
    const { shape, data } = this.raw(tensor)
    const [rows, cols] = shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!]
    return this.kernels.prepare(weightSource(tensor, dtype, rows, cols, data, { scales }))
  }

  /** Compares with the fixture's tensor of this name. */
  async check(got: Tensor, tensor: string, tolerance: Tolerance): Promise<void> {
    await this.kernels.submit()
    const { data, shape } = this.raw(tensor)
    expectClose(`${this.name}.${tensor}`, await this.kernels.memory.read(got), data, tolerance, shape)
  }
}

/** The cases of a group of operation oracles, and their tensors as `<case>.<name>`. */
export function operationFixtures(group: string) {
  const folder = GIVEN && existsSync(new URL(`${group}.json`, GIVEN)) ? GIVEN : OWN
  const { title, cases } = JSON.parse(readFileSync(new URL(`${group}.json`, folder), 'utf8')) as {
    title: string
    cases: Record<string, unknown>[]
  }
  return { title, cases, tensors: readSafetensors(new URL(`${group}.safetensors`, folder)) }
}

/** One test for every case of a group, so that a new case without a rule fails. `skip` gives a case's reason. */
export function runFixtures(
  group: string,
  run: (c: FixtureCase) => Promise<void>,
  skip: Readonly<Record<string, string>> = {},
): void {
  const { title, cases, tensors } = operationFixtures(group)
  describe(title, () => {
    for (const parameters of cases) {
      const name = String(parameters.name)
      if (name in skip) {
        it.skip(`${name}: ${skip[name]}`)
        continue
      }
      it(name, async () => {
        const kernels = createReferenceKernels()
        await run(new FixtureCase(kernels, parameters, tensors))
        kernels.dispose()
      })
    }
  })
}
