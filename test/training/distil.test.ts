/** A model learns what another one makes of texts: the loss is the KL divergence of their logits, and its gradients what differences give. */
import { expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { loadModel } from '../../src/model/load.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { elementCount } from '../../src/tensor/tensor.ts'
import { Distillation } from '../../src/training/distil.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { RandomCheckpoint } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'

const CONFIG = {
  ...{ model_type: 'llama', vocab_size: 20, hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, head_dim: 4 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 64, rms_norm_eps: 1e-5 },
  ...{ rope_theta: 10_000, tie_word_embeddings: false },
}
const TEXTS = [7, 4].map(length => ({ tokens: Array.from({ length }, (_, i) => (i * 7 + length) % 20) }))
const TOKENS = 11

async function pupil(hidden: number) {
  const kernels = createReferenceKernels()
  const teacher = await loadModel(modelOf(new RandomCheckpoint(CONFIG, 1)), kernels, { cacheType: 'f32' })
  const student = modelOf(new RandomCheckpoint({ ...CONFIG, num_key_value_heads: 4 }, 2))
  const trainer = await Trainer.load(student, kernels, { recompute: 1 })
  return { kernels, teacher, trainer, distillation: new Distillation(trainer, kernels, teacher.decoder, hidden) }
}

async function logits(model: Awaited<ReturnType<typeof loadModel>>): Promise<Float32Array[]> {
  const found: Float32Array[] = []
  for (const { tokens } of TEXTS) {
    const cache = model.sequence(tokens.length)
    const input = { tokens, cache, prompt: { start: 0, end: tokens.length }, logits: 'all' } as const
    found.push(Float32Array.from((await model.kernels.memory.read(await model.forward([input]))) as Float32Array))
    cache.dispose()
  }
  return found
}

it('its loss is the KL divergence of the two models, and the distance of their streams', async () => {
  const { kernels, teacher, distillation } = await pupil(0.5)
  const opened = modelOf(new RandomCheckpoint({ ...CONFIG, num_key_value_heads: 4 }, 2))
  const student = await loadModel(opened, kernels, { cacheType: 'f32' })
  const [theirs, own] = [await logits(teacher), await logits(student)]
  const shares = (row: Float32Array) => {
    const powers = Array.from(row, Math.exp)
    const sum = powers.reduce((a, b) => a + b, 0)
    return powers.map(power => power / sum)
  }
  let wanted = 0
  for (const [i, text] of theirs.entries()) {
    for (let at = 0; at < text.length; at += 20) {
      const [p, q] = [shares(text.subarray(at, at + 20)), shares((own[i] as Float32Array).subarray(at, at + 20))]
      wanted += p.reduce((sum, share, v) => sum + share * Math.log(share / (q[v] as number)), 0)
    }
  }
  const { kl, hidden } = await distillation.gradients(TEXTS, TOKENS)
  expect(kl).toBeCloseTo(wanted, 4)
  expect(hidden / TOKENS).toBeGreaterThan(0.01)
  kernels.dispose()
})

it.each([0, 0.5])('gradients are what the loss changes by, with streams counting %s', async weight => {
  const { kernels, trainer, distillation } = await pupil(weight)
  const rng = new Rng('distil')
  const loss = async () => {
    const { kl, hidden } = await distillation.gradients(TEXTS, TOKENS)
    return (kl + weight * hidden) / TOKENS
  }
  await loss()
  const { all } = trainer.parameters
  const found = await Promise.all(all.map(({ gradient }) => kernels.memory.read(gradient)))
  const scale = Math.sqrt(found.flatMap(g => [...g]).reduce((sum, x) => sum + x * x, 0))
  for (const [i, { values, sources }] of all.entries()) {
    const n = elementCount(values.shape)
    const before = Float32Array.from((await kernels.memory.read(values)) as Float32Array)
    const size = Math.sqrt(before.reduce((sum, x) => sum + x * x, 0) / n) || 1
    const direction = rng.normals(n)
    const along = direction.reduce((sum, d, j) => sum + d * ((found[i] as Float32Array)[j] as number), 0)
    const step = (1e-2 * size) / Math.sqrt(n)
    const at = (by: number) => {
      kernels.memory.upload(
        values,
        before.map((x, j) => x + by * (direction[j] as number)),
      )
      return loss()
    }
    const difference = ((await at(step)) - (await at(-step))) / (2 * step)
    kernels.memory.upload(values, before)
    expect(Math.abs(difference - along), sources[0]?.name).toBeLessThan(
      2e-2 * Math.max(Math.abs(along), scale / 100) + 1e-6 / step,
    )
  }
  kernels.dispose()
})
