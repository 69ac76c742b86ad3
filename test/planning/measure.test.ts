import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { measureMachine } from '../../src/planning/measure/measure-machine.ts'
import { plan } from '../../src/planning/plan.ts'
import { readPlanModel } from '../../src/planning/read/open.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/checkpoints/${name}`, import.meta.url))
const leftovers = () => readdirSync(tmpdir()).filter(name => name.startsWith('latentkit-measure-'))

describe('this machine, measured', () => {
  it.each(['deepseek-v2-lite', 'gpt2', 'deepseek-v3-fp8'])('on the shapes of %s', { timeout: 120_000 }, async name => {
    const before = leftovers()
    const model = await readPlanModel(fixture(name))
    const kernels = createReferenceKernels()
    const machine = await measureMachine(kernels, model)
    kernels.dispose()
    const { attentionFlops, attentionSeconds, operationSeconds, stepSeconds } = machine.measured ?? {}
    // The reference multiplies at some hundred million a second on any machine of this century.
    for (const rate of [machine.bandwidth, machine.flops, attentionFlops]) {
      expect(rate).toBeGreaterThan(1e6)
      expect(rate).toBeLessThan(1e12)
    }
    for (const seconds of [attentionSeconds, operationSeconds, stepSeconds]) {
      expect(seconds).toBeGreaterThanOrEqual(0)
      expect(seconds).toBeLessThan(1)
    }
    expect(machine.title).toContain('reference kernels')
    expect(leftovers().filter(n => !before.includes(n))).toEqual([])

    // The parts of a step add up.
    const { work, time } = plan(model, { context: 100, machine }).decode
    const memory = work.weightBytes / machine.bandwidth
    const linear = work.linearFlops / (machine.flops ?? 1)
    const attention = work.attentionFlops / (attentionFlops ?? 1) + work.layers * (attentionSeconds ?? 0)
    const overhead = work.operations * (operationSeconds ?? 0) + (stepSeconds ?? 0)
    expect(time?.seconds).toBeCloseTo(Math.max(memory, linear) + attention + overhead, 12)
  })
})
