/**
 * What is converted computes what it did: the numbers that other engines gave for the fixtures come out of the converted
 * files, exactly where nothing is rounded.
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertModel } from '../../src/conversion/convert.ts'
import { verifyFolder } from '../../src/inspection/verify/verify.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { checkpointFolders, familyFolders, ggufFiles } from '../support/all-fixtures.ts'
import { tempFolder } from '../support/temp-folder.ts'

/** Equal to the reference, and faster. */
const kernels =
  nativeUnavailable() === null
    ? { name: 'native', make: () => createNativeKernels({ exact: true }) }
    : { name: 'reference', make: async () => createReferenceKernels() }
const checkpoints = new Map([...checkpointFolders(), ...familyFolders()])
const ggufs = ggufFiles()

/** Of the fixtures, those that GGUF has an architecture for. */
const NO_GGUF = ['longcat-flash', 'gpt1-post-norm', 'marian-encoder-decoder', 't5', 't5-v1-1', 'axk1', 'axk2']
/** A file of theirs is arranged otherwise than the hub's: as GGUF once more it must not be so twice. */
const STATES = /^(qwen3-5|qwen3-next|kimi-linear|bailing|lfm2)/
/** Of llama.cpp's deepseek2, which alone had the older layout. */
const LATENT = /^(deepseek-v[23](-|$)|kimi-(k|vl)|glm4-moe|youtu|sarvam)/

async function expectSameNumbers(path: string, expected: string): Promise<void> {
  copyFileSync(
    expected,
    path.endsWith('.gguf') ? path.replace(/\.gguf$/, '.expected.safetensors') : join(path, 'expected.safetensors'),
  )
  const report = await verifyFolder(path, {
    kernels: [kernels],
    cacheTypes: ['f32'],
    prefills: ['whole'],
    greedy: false,
  })
  expect(report.error).toBe(null)
  expect(report.rows.length).toBeGreaterThan(0)
  expect(report.rows.filter(row => !row.passed)).toEqual([])
}

describe('a safetensors folder as GGUF', () => {
  for (const [name, folder] of checkpoints) {
    if (NO_GGUF.includes(name)) continue
    for (const legacyMla of LATENT.test(name) ? [false, true] : [false]) {
      it(`${name}${legacyMla ? ', legacy layout' : ', and back'}`, async () => {
        const place = tempFolder()
        const [file, again, back] = [join(place, 'm.gguf'), join(place, 'again.gguf'), join(place, 'back')]
        await convertModel(folder, file, { weights: 'f32', legacyMla })
        await expectSameNumbers(file, join(folder, 'expected.safetensors'))
        if (legacyMla) return
        const twice = STATES.test(name)
        if (twice) await convertModel(file, again)
        await convertModel(twice ? again : file, back, { weights: 'f32' })
        await expectSameNumbers(back, join(folder, 'expected.safetensors'))
      })
    }
  }
  it.skipIf(checkpoints.size > 10)('12 more checkpoints need ../shared, which is not here', () => {})

  it('GPT has no architecture there', async () => {
    const folder = checkpoints.get('gpt1-post-norm')
    if (!folder) return
    await expect(convertModel(folder, join(tempFolder(), 'm.gguf'))).rejects.toThrow('"openai-gpt" has no architecture')
  })
})

describe('a GGUF file as a safetensors folder, and back', () => {
  for (const [name, file] of ggufs) {
    const expected = file.replace(/(-00001-of-\d+)?\.gguf$/, '.expected.safetensors')
    it(name, async () => {
      const place = tempFolder()
      const [folder, again] = [join(place, 'hub'), join(place, 'again.gguf')]
      await convertModel(file, folder, { weights: 'f32', shardBytes: 200_000 })
      await expectSameNumbers(folder, expected)
      await convertModel(folder, again, { weights: 'f32' })
      await expectSameNumbers(again, expected)
    })

    it(`${name}: as GGUF once more, its blocks untouched`, async () => {
      const out = join(tempFolder(), 'm.gguf')
      await convertModel(file, out)
      await expectSameNumbers(out, expected)
    })
  }
})
