import { describe, expect, it } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { published, publishedModel, shortName } from '../../src/planning/published/index.ts'
import { PARAMETERS } from '../../src/planning/published/parameters.ts'
import { countWeights, modelWeightBytes } from '../../src/planning/weights.ts'

/** What is announced, and the step of its last digit that counts: `671B` is 671e9 ± 1e9, `40B` 40e9 ± 10e9. */
function announced(text: string): { value: number; step: number; withEmbedding: boolean } {
  const [, digits = '', unit = '', more] = /^([\d.]+)([MBT])( with embedding)?$/.exec(text) ?? []
  const scale = { M: 1e6, B: 1e9, T: 1e12 }[unit] ?? Number.NaN
  const decimals = digits.split('.')[1]?.length ?? 0
  const zeros = decimals === 0 ? (/0*$/.exec(digits)?.[0].length ?? 0) : 0
  return { value: Number(digits) * scale, step: scale * 10 ** (zeros - decimals), withEmbedding: more !== undefined }
}

/** Some publishers round (235.7B of 235.74), some cut off (2.4B of 2.45): both are their rounding. */
function expectAnnounced(count: number, text: string): void {
  const { value, step } = announced(text)
  const [rounded, cut] = [Math.round(count / step) * step, Math.floor(count / step + 1e-9) * step]
  const near = [rounded, cut].some(n => Math.abs(n - value) < step / 1000)
  expect(near, `${count} against ${text}`).toBe(true)
}

describe('published models', () => {
  it('are many, each with a count and none twice', () => {
    const hubs = published().map(p => p.hub)
    expect(hubs.length).toBeGreaterThanOrEqual(30)
    expect(new Set(hubs).size).toBe(hubs.length)
    expect(Object.keys(PARAMETERS).sort()).toEqual([...hubs].sort())
    const names = published()
      .flatMap(p => [p.hub, ...p.alike])
      .map(n => shortName(n).toLowerCase())
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(Object.entries(PARAMETERS))('%s has %j parameters', (hub, [total = '', active]) => {
    const model = publishedModel(hub)
    const { parameters, activeParameters } = countWeights(model, { draft: false })
    if (/^\d+$/.test(total)) expect(parameters).toBe(Number(total))
    else expectAnnounced(parameters, total)
    if (active === undefined) return
    const table = announced(active).withEmbedding ? model.vocabSize * model.hiddenSize : 0
    expectAnnounced(activeParameters + table, active)
  })

  it('DeepSeek-V3 on disk: 685B with the layer for multi-token prediction, 688.6 GB', () => {
    const onDisk = { draft: true, draftCopies: true }
    const model = publishedModel('DeepSeek-V3')
    expect(Math.ceil(countWeights(model, onDisk).parameters / 1e9)).toBe(685)
    // The repository's files: 688,586,727,753 bytes, of which headers naming 91,991 tensors are about 12 MB.
    const headers = 688_586_727_753 - modelWeightBytes(model, undefined, onDisk).bytes
    expect(headers / 91_991).toBeGreaterThan(100)
    expect(headers / 91_991).toBeLessThan(150)
  })

  it('answer to short names, in any case, and name their source', () => {
    for (const name of ['R1', 'deepseek-r1', 'deepseek-ai/DeepSeek-R1', 'DeepSeek_R1', 'unsloth/DeepSeek-R1']) {
      if (name.startsWith('unsloth')) expect(() => publishedModel(name)).toThrow(OptionError)
      else expect(publishedModel(name).name).toBe('DeepSeek-R1')
    }
    expect(publishedModel('R1').source).toBe('https://huggingface.co/deepseek-ai/DeepSeek-V3/blob/main/config.json')
    expect(publishedModel('V2').name).toBe('DeepSeek-V2')
    expect(publishedModel('Llama-3-70B').name).toBe('Meta-Llama-3-70B')
    expect(() => publishedModel('gpt-7')).toThrow(/no published model "gpt-7".*DeepSeek-V3.*gpt2/)
  })
})
