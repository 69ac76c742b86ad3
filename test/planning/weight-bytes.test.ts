/** Predicted bytes of weights against what the C++ core takes for them, on every model that is here. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { plan } from '../../src/planning/plan.ts'
import { readPlanModel } from '../../src/planning/read/open.ts'
import { familyFolders } from '../support/all-fixtures.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const TALES = here('../../models/tales-mla-8m')
const SMOLLM = here('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')
const folders = here('../fixtures/checkpoints/')
const files = here('../fixtures/gguf/')
const MODELS = [
  TALES,
  ...familyFolders().values(),
  ...readdirSync(folders).map(name => join(folders, name)),
  ...readdirSync(files).map(name => join(files, name)),
].filter(path => existsSync(join(path, 'config.json')) || /(?<!-0000[2-9]-of-\d{5})\.gguf$/.test(path))

/** Bytes that a kernel set takes for a model's matrices, experts and vectors. */
async function taken(kernels: Kernels, path: string): Promise<number> {
  const { memory } = kernels
  const { alloc, free } = memory
  const others = new Map<number, number>()
  // The model's own constants (frequencies of positions) and tables of experts' addresses are no weights.
  memory.alloc = (dtype, shape) => {
    const tensor = alloc.call(memory, dtype, shape)
    if (dtype === 'f64') others.set(tensor.address, 8 * shape.reduce((n, size) => n * size, 1))
    return tensor
  }
  memory.free = tensor => {
    others.delete(tensor.address)
    free.call(memory, tensor)
  }
  const model = await loadModel(await openModel(path), kernels)
  const bytes = memory.allocatedBytes - [...others.values()].reduce((n, bytes) => n + bytes, 0)
  model.dispose()
  return bytes
}

describe('weights take what was predicted, to the byte', () => {
  it.each(MODELS)('%s', async path => {
    const kernels = await createWasmKernels({ threads: 1 })
    expect(await taken(kernels, path)).toBe(plan(await readPlanModel(path)).weights.engineBytes)
    kernels.dispose()
  })

  it.skipIf(existsSync(SMOLLM))('SmolLM2 needs ../shared, which is not here', () => {})

  it.skipIf(nativeUnavailable() !== null || !existsSync(SMOLLM))(
    'SmolLM2 on the native kernels: its file',
    async () => {
      const kernels = await createNativeKernels({ threads: 1 })
      const { weights } = plan(await readPlanModel(SMOLLM))
      expect(await taken(kernels, SMOLLM)).toBe(weights.bytes)
      expect(weights.engineBytes).toBe(weights.bytes)
      kernels.dispose()
    },
  )
})
