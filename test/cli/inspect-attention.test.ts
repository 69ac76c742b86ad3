/** `latentkit inspect --attention`: files that NumPy and safetensors open, and that hold what the engine says. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, Reading } from '../../src/index.ts'
import { loadTales } from '../engine/tales.ts'
import { readSafetensors } from '../support/safetensors.ts'
import { latentkit, TALES } from './run.ts'

const TEXT = 'The American flag is red white and'
const folder = mkdtempSync(join(tmpdir(), 'latentkit-test-'))
const PYTHON = process.env.LATENTKIT_PYTHON ?? 'python3'
const has = (packages: string) => spawnSync(PYTHON, ['-c', `import ${packages}`], { stdio: 'ignore' }).status === 0

describe('inspect --attention', () => {
  let engine: Engine
  let reading: Reading
  const npz = join(folder, 'a.npz')
  const tensors = join(folder, 'a.safetensors')
  let summary: { file: string; bytes: number; arrays: { name: string; dtype: string; shape: number[] }[] }
  beforeAll(async () => {
    engine = await loadTales({ threads: 2 })
    reading = await engine.inspect(TEXT)
    const one = ['inspect', TALES, '--attention', TEXT, '--write', 'patterns,scores,hidden,latents,logits']
    expect(await latentkit([...one, '--out', npz])).toMatchObject({ code: 0 })
    const { stdout, stderr, code } = await latentkit(
      ['inspect', TALES, '--attention', '-', '--json', '--layers', '0-1,-1', '--heads', '2,-1', '--out', tensors],
      { input: TEXT },
    )
    expect(stderr).toBe('')
    expect(code).toBe(0)
    summary = JSON.parse(stdout)
  }, 120_000)
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await engine?.dispose()
  })

  it('writes an archive of NumPy with the numbers of the engine', async () => {
    const arrays = readNpz(npz)
    const T = reading.tokens.length
    expect(arrays.get('input_ids')).toEqual({ shape: [T], data: reading.tokens.map(({ id }) => id) })
    for await (const { layer, head, probabilities, scores } of reading.attention({
      probabilities: true,
      scores: true,
    })) {
      const place = (name: string) => {
        const { shape, data } = arrays.get(`${name}.${layer}`) as Array1
        expect(shape).toEqual([reading.layers[layer]?.heads, T, T])
        return data.slice(head * T * T, (head + 1) * T * T)
      }
      expect(place('attention')).toEqual([...(probabilities ?? [])])
      expect(place('scores')).toEqual([...(scores ?? [])])
    }
    for await (const { layer, values } of reading.hidden())
      expect(arrays.get(`hidden.${layer}`)?.data).toEqual([...values])
    const { latent } = await reading.vectors({ layer: 3, head: 0 })
    expect(arrays.get('latent.3')?.data).toEqual([...(latent?.latents ?? [])])
    expect(arrays.get('rope_key.3')?.data).toEqual([...(latent?.ropeKeys ?? [])])
    expect(arrays.get('logits')?.data).toEqual([...((await reading.next({ logits: true })).logits ?? [])])
  })

  it('writes safetensors, of chosen layers and heads, and says what is in it', async () => {
    const T = reading.tokens.length
    const arrays = readSafetensors(tensors)
    const L = reading.layers.length
    expect([...arrays.keys()].sort()).toEqual(['attention.0', 'attention.1', `attention.${L - 1}`, 'input_ids'])
    expect(summary.bytes).toBe(readFileSync(tensors).length)
    expect(summary.arrays.find(({ name }) => name === 'attention.1')).toEqual({
      name: 'attention.1',
      dtype: 'f32',
      shape: [2, T, T],
    })
    const maps: number[] = []
    for await (const map of reading.attention({ layers: [1], heads: [2, -1] })) maps.push(...(map.probabilities ?? []))
    expect([...(arrays.get('attention.1')?.data ?? [])]).toEqual(maps)
  })

  it.skipIf(!has('numpy'))(`NumPy reads it (needs ${PYTHON} with numpy)`, () => {
    const script = `
import numpy as np, json
z = np.load(${JSON.stringify(npz)})
assert z.zip.testzip() is None
print(json.dumps({k: [list(z[k].shape), str(z[k].dtype), float(z[k].ravel()[-1])] for k in z.files if 'scores' not in k}))`
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const own = readNpz(npz)
    for (const [name, [shape, dtype, last]] of Object.entries(
      JSON.parse(stdout) as Record<string, [number[], string, number]>,
    )) {
      expect([shape, last]).toEqual([own.get(name)?.shape, own.get(name)?.data.at(-1)])
      expect(dtype).toBe(name === 'input_ids' ? 'int64' : 'float32')
    }
  })

  it.skipIf(!has('safetensors, numpy'))(`safetensors reads it (needs ${PYTHON} with safetensors)`, () => {
    const script = `
from safetensors.numpy import load_file
import json
print(json.dumps({k: [list(v.shape), float(v.ravel()[-1])] for k, v in load_file(${JSON.stringify(tensors)}).items()}))`
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const own = readSafetensors(tensors)
    const read = Object.entries(JSON.parse(stdout) as Record<string, [number[], number]>)
    expect(read).toHaveLength(own.size)
    for (const [name, [shape, last]] of read) {
      expect([shape, last]).toEqual([own.get(name)?.shape, own.get(name)?.data.at(-1)])
    }
  })

  it('reduces patterns', async () => {
    const out = join(folder, 'pooled.npz')
    await latentkit(['inspect', TALES, '--attention', TEXT, '--pool', '4', '--layers', '2', '--out', out])
    expect(readNpz(out).get('pooled.2')?.shape).toEqual([8, 4, 4])
  })

  it('refuses what makes no sense, and leaves no file', async () => {
    const refused = async (args: string[], message: string, code = 2) => {
      const result = await latentkit(['inspect', TALES, ...args])
      expect(result.stderr).toContain(message)
      expect(result.code).toBe(code)
    }
    const before = readdirSync(folder).sort()
    const out = join(folder, 'none.npz')
    await refused(['--out', out], '--out says what is written of a text; give the text with --attention')
    await refused(['--attention', 'x'], '--attention has no --out')
    await refused(
      ['--attention', 'x', '--out', join(folder, 'a.txt')],
      'expected a file that ends in .npz or .safetensors',
    )
    await refused(['--attention', 'x', '--out', out, '--layers', '0-99'], '--layers has 8; expected -8 to 7')
    await refused(['--attention', 'x', '--out', out, '--layers', '5-2'], 'expected ranges from a lower number')
    await refused(['--attention', 'x', '--out', join(folder, 'no', 'a.npz')], 'its folder is not there', 1)
    await refused(['memory', '--attention', 'x', '--out', out], '"memory" and --attention were given')
    expect(readdirSync(folder).sort()).toEqual(before)
    expect(existsSync(out)).toBe(false)
  }, 120_000)
})

interface Array1 {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** A ZIP of stored entries by its directory, as NumPy reads it: 64-bit sizes, checksums held. */
function readNpz(path: string): Map<string, Array1> {
  const file = readFileSync(path)
  const found = new Map<string, Array1>()
  const end = file.length - 22
  expect(file.readUInt32LE(end)).toBe(0x06054b50)
  const far = Number(file.readBigUInt64LE(end - 20 + 8))
  expect(file.readUInt32LE(far)).toBe(0x06064b50)
  let at = Number(file.readBigUInt64LE(far + 48))
  for (let n = Number(file.readBigUInt64LE(far + 32)); n > 0; n--) {
    expect(file.readUInt32LE(at)).toBe(0x02014b50)
    const [nameLength, extraLength] = [file.readUInt16LE(at + 28), file.readUInt16LE(at + 30)]
    const name = file.toString('utf8', at + 46, at + 46 + nameLength)
    const extra = at + 46 + nameLength + 4
    const [size, offset] = [Number(file.readBigUInt64LE(extra)), Number(file.readBigUInt64LE(extra + 16))]
    const start = offset + 30 + file.readUInt16LE(offset + 26) + file.readUInt16LE(offset + 28)
    const entry = file.subarray(start, start + size)
    expect(crc32(entry)).toBe(file.readUInt32LE(at + 16))
    found.set(name.replace(/\.npy$/, ''), readNpy(entry))
    at += 46 + nameLength + extraLength
  }
  return found
}

function readNpy(bytes: Uint8Array): Array1 {
  const header = 10 + ((bytes[8] ?? 0) | ((bytes[9] ?? 0) << 8))
  expect(header % 64).toBe(0)
  const text = new TextDecoder('latin1').decode(bytes.subarray(10, header))
  const shape = (/\(([^)]*)\)/.exec(text)?.[1] ?? '')
    .split(',')
    .filter(s => s.trim())
    .map(Number)
  const data = Uint8Array.from(bytes.subarray(header)).buffer
  return { shape, data: text.includes('<i8') ? [...new BigInt64Array(data)].map(Number) : [...new Float32Array(data)] }
}
