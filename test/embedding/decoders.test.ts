/** Hidden states of whole texts without a cache, of every family of the fixtures: transformers' numbers, and the same bits in batches. */
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import type { Turn } from '../../src/model/text-reader.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { readSafetensors } from '../support/safetensors.ts'

const ROOT = 'test/fixtures/checkpoints'
const now: Turn = work => work()

describe.each(KERNEL_SETS)('texts read whole on $name', ({ make, missing }) => {
  it.skipIf(missing !== null).each(readdirSync(ROOT))('%s', async folder => {
    const expected = readSafetensors(`${ROOT}/${folder}/expected.safetensors`)
    const ids = [0, 1, 2].map(i => [...(expected.get(`${i}.input_ids`)?.data ?? [])].map(Number))
    const { data, shape } = expected.get('0.hidden') as { data: Float32Array; shape: readonly number[] }
    const last = data.subarray(-(shape[1] as number) * (shape[2] as number))
    const kernels = await make({ threads: 2 })
    const model = await loadModel(await openModel(`${ROOT}/${folder}`), kernels)
    const reader = model.textReader()
    const texts = ids.map(tokens => ({ tokens }))

    const alone = []
    for (const text of texts) alone.push(await reader.hidden([text], 'all', now))
    for (const [i, x] of (alone[0] as Float32Array).entries()) {
      if (Math.abs(x - (last[i] as number)) > 1e-4) expect(x, `${folder} ${i}`).toBeCloseTo(last[i] as number, 4)
    }
    const together = await reader.hidden([...texts].reverse(), 'all', now)
    expect(together).toEqual(Float32Array.from([...alone].reverse().flatMap(rows => [...rows])))
    const D = model.config.hiddenSize
    const ends = await reader.hidden(texts, 'last', now)
    expect(ends).toEqual(Float32Array.from(alone.flatMap(rows => [...rows.subarray(-D)])))
    const begins = await reader.hidden(texts, 'first', now)
    expect(begins).toEqual(Float32Array.from(alone.flatMap(rows => [...rows.subarray(0, D)])))
    expect(model.pool.allocatedBytes).toBe(0)
    reader.dispose()
    model.dispose()
    kernels.dispose()
  })
})
