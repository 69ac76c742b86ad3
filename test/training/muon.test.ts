import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { Muon } from '../../src/training/muon.ts'
import type { Parameter } from '../../src/training/parameters.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'

const FIXTURE = JSON.parse(readFileSync(new URL('../fixtures/muon.json', import.meta.url), 'utf8'))
const SHAPES: readonly [number, number][] = FIXTURE.shapes
const STEPS = 3

const sizeOf = ([rows, cols]: readonly [number, number]) => rows * cols
const filled = (shape: readonly [number, number], of: (i: number) => number) =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => of(i))

/** Each matrix as a parameter of its own, and the last twice more as two experts. */
function parametersOf(kernels: Kernels): Parameter[] {
  const make = (name: string, shape: readonly number[], values: Float32Array): Parameter => {
    const made = kernels.memory.alloc('f32', shape)
    kernels.memory.upload(made, values)
    const sources = [{ name } as Parameter['sources'][0]]
    return { sources, role: 'matrix', added: 0, values: made, gradient: kernels.memory.alloc('f32', shape) }
  }
  const single = SHAPES.map((shape, n) =>
    make(
      `${n}`,
      shape,
      filled(shape, i => 0.1 * Math.sin(i + 1 + n)),
    ),
  )
  const last = SHAPES[2] as [number, number]
  const one = filled(last, i => 0.1 * Math.sin(i + 3))
  return [...single, make('experts', [2, ...last], Float32Array.from([...one, ...one]))]
}

function setGradients(kernels: Kernels, parameters: readonly Parameter[], t: number): void {
  for (const [n, { gradient }] of parameters.entries()) {
    const shape = SHAPES[Math.min(n, 2)] as [number, number]
    const numbers = filled(shape, i => Math.cos(1.7 * i + t + Math.min(n, 2)))
    kernels.memory.upload(gradient, n < 3 ? numbers : Float32Array.from([...numbers, ...numbers]))
  }
}

const valuesOf = async (kernels: Kernels, parameters: readonly Parameter[]) =>
  Promise.all(parameters.map(async ({ values }) => (await kernels.memory.read(values)) as Float32Array))

describe.each(KERNEL_SETS.filter(({ missing }) => !missing))('$name', ({ make }) => {
  it('has the numbers of the published algorithm, also for experts, and goes on with the same bits', async () => {
    const kernels = await make({ training: true })
    const options = { momentum: FIXTURE.momentum, weightDecay: FIXTURE.decay }
    const parameters = parametersOf(kernels)
    const muon = new Muon(kernels, parameters, options)
    let kept: [Float32Array[], Map<string, Float32Array>] | undefined
    for (let t = 0; t < STEPS; t++) {
      setGradients(kernels, parameters, t)
      // Half of the gradients, twice: a scale like that of clipping.
      for (const { gradient } of parameters) kernels.axpby(gradient, 2, gradient)
      await muon.step(FIXTURE.rate, 0.5)
      if (t === 1) kept = [await valuesOf(kernels, parameters), await muon.numbers()]
    }
    const found = await valuesOf(kernels, parameters)
    for (const [n, values] of FIXTURE.values.entries()) {
      for (const [i, x] of values.entries()) expect(Math.abs((found[n]?.[i] as number) - x)).toBeLessThan(2e-5)
    }
    expect(found[3]).toEqual(Float32Array.from([...(found[2] as Float32Array), ...(found[2] as Float32Array)]))

    const again = parametersOf(kernels)
    const [values, momenta] = kept as NonNullable<typeof kept>
    for (const [n, parameter] of again.entries()) kernels.memory.upload(parameter.values, values[n] as Float32Array)
    const restored = new Muon(kernels, again, options)
    restored.restore(momenta)
    setGradients(kernels, again, 2)
    for (const { gradient } of again) kernels.axpby(gradient, 2, gradient)
    await restored.step(FIXTURE.rate, 0.5)
    expect(await valuesOf(kernels, again)).toEqual(found)
    kernels.dispose()
  })
})
