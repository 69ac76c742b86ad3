/**
 * What `latentkit convert` writes, read by llama.cpp's own Python package: keys, shapes, types and every number. Needs
 * Python with `gguf` and `numpy` (PyPI), named by LATENTKIT_PYTHON or found as python3.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readGgufHeader } from '../../src/checkpoint/gguf/header.ts'
import { openFile } from '../../src/checkpoint/source/file-source.ts'
import { weightTypeOf } from '../../src/checkpoint/tensor-entry.ts'
import { convertModel } from '../../src/conversion/convert.ts'
import { decodeNumbers } from '../../src/quant/numbers.ts'
import { tempFolder } from '../support/temp-folder.ts'

const PYTHON = process.env.LATENTKIT_PYTHON ?? 'python3'
const here = spawnSync(PYTHON, ['-c', 'import gguf, numpy'], { stdio: 'ignore' }).status === 0
const TALES = join(import.meta.dirname, '../../models/tales-mla-8m')

describe.skipIf(!here)(`llama.cpp's Python package on what convert writes, needs ${PYTHON} with gguf and numpy`, () => {
  it.each(['q8_0', 'q4_k', 'q3_k', 'mxfp4'] as const)('%s', { timeout: 120_000 }, async weights => {
    const file = join(tempFolder(), 'm.gguf')
    await convertModel(TALES, file, { weights })
    const script = join(import.meta.dirname, 'check_gguf.py')
    const { stdout, stderr } = spawnSync(PYTHON, [script, file], { encoding: 'utf8', maxBuffer: 1 << 28 })
    expect(stderr).toBe('')
    const { keys, tensors } = JSON.parse(stdout)
    const ours = await readGgufHeader(await openFile(file))
    expect(keys).toEqual(ours.metadata.keys())
    const expected: Record<string, unknown> = {}
    for (const [name, { type, shape, bytes }] of ours.tensors) {
      const stored = await bytes.source.read(bytes.offset, bytes.length)
      const numbers = decodeNumbers(weightTypeOf(type) ?? 'f32', stored)
      expected[name] = [type, shape, createHash('sha256').update(new Uint8Array(numbers.buffer)).digest('hex')]
    }
    expect(tensors).toEqual(expected)
  })
})
