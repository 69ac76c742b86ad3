import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { latentkit, lines, TALES } from './run.ts'

const checkpoint = (name: string) => fileURLToPath(new URL(`../fixtures/checkpoints/${name}`, import.meta.url))

describe('inspect', () => {
  it('tells the bundled model in numbers', async () => {
    const { code, stdout, stderr } = await latentkit(['inspect', TALES, '--json'])
    const { name, config, parameters, weights, cache, tensors, unused, leftOut } = JSON.parse(stdout)
    expect({ name, unused }).toEqual({ name: 'tales-mla-8m', unused: [] })
    // Its module of multi-token prediction.
    expect(leftOut).toHaveLength(18)
    expect(leftOut.every((tensor: string) => tensor.startsWith('model.layers.8.'))).toBe(true)
    expect(config).toMatchObject({ modelType: 'deepseek_v3', nLayers: 8, hiddenSize: 256, vocabSize: 4096 })
    expect(config.layers[0].attention).toMatchObject({
      kind: 'latent',
      nHeads: 8,
      kvLoraRank: 128,
      qkRopeHeadDim: 16,
      qkNopeHeadDim: 32,
      vHeadDim: 32,
      qLoraRank: 192,
    })
    expect(parameters).toEqual({ total: 8_100_608, active: 8_100_608 })
    expect(weights).toEqual({
      bytes: 16_201_216,
      dtypes: [{ dtype: 'BF16', tensors: 116, elements: 11_211_072, bytes: 22_422_144 }],
    })
    expect(tensors).toHaveLength(116)
    expect(cache).toMatchObject({
      type: 'f16',
      elementsPerTokenAndLayer: 144,
      bytesPerToken: 144 * 8 * 2,
      // Eight heads of 32 + 16 key and 32 value numbers.
      expanded: { elementsPerTokenAndLayer: 640, bytesPerToken: 640 * 8 * 2 },
    })
    const at4k = cache.contexts.find((c: { tokens: number }) => c.tokens === 4096)
    expect(at4k).toEqual({ tokens: 4096, bytes: 4096 * 2304, expandedBytes: 4096 * 10_240, beyondModel: true })
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('tells people the same', async () => {
    const { stdout } = await latentkit(['inspect'])
    expect(stdout).toContain('deepseek_v3, 8 layers, 256 wide')
    expect(stdout).toMatch(
      /MLA, 8 heads: latent 128 \(C\), rope 16 \(R\), nope 32 \(N\), value 32 \(V\), query rank 192/,
    )
    expect(stdout).toContain('144 numbers')
    expect(stdout).toContain('2,304 bytes')
    expect(stdout).toMatch(/4\.44×/)
    expect(stdout).not.toMatch(/Experts/)
  })

  it('has views', async () => {
    const memory = await latentkit(['inspect', 'memory', '--contexts', '1K,2K', '--cache-type', 'f32'])
    expect(memory.stdout).toMatch(/^ +1,024 +4\.5 MiB/m)
    expect(memory.stdout).not.toContain('Architecture')
    const tensors = await latentkit(['inspect', TALES, 'tensors'])
    expect(lines(tensors.stdout)).toHaveLength(118)
    expect(tensors.stdout).toMatch(/^model\.embed_tokens\.weight +BF16 +4096 × 256 +2 MiB$/m)
  })

  it('counts the experts a token uses, and scales apart from parameters', async () => {
    const lite = JSON.parse((await latentkit(['inspect', checkpoint('deepseek-v2-lite'), '--json'])).stdout)
    expect(lite.parameters.active).toBeLessThan(lite.parameters.total)
    expect((await latentkit(['inspect', checkpoint('deepseek-v2-lite')])).stdout).toMatch(/Experts .* of /)
    const fp8 = JSON.parse((await latentkit(['inspect', checkpoint('deepseek-v3-fp8'), '--json'])).stdout)
    const elements = Object.fromEntries(
      fp8.weights.dtypes.map((d: { dtype: string; elements: number }) => [d.dtype, d.elements]),
    )
    expect(fp8.parameters.total).toBe(elements.F8_E4M3 + elements.BF16)
  })

  it('knows windows: rows that have passed cost nothing', async () => {
    const { stdout } = await latentkit(['inspect', checkpoint('gemma3-mqa'), '--json', '--contexts', '1000'])
    const { cache, config } = JSON.parse(stdout)
    const rows = config.layers.reduce(
      (n: number, l: { window: number | null }) => n + Math.min(1000, l.window ?? 1000),
      0,
    )
    expect(config.layers.some((l: { window: number | null }) => l.window !== null)).toBe(true)
    expect(cache.contexts[0].bytes).toBe(rows * cache.elementsPerTokenAndLayer * 2)
  })
})
