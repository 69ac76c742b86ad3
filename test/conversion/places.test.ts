/** Where conversions go: nothing is lost, nothing half is left. */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { convertModel } from '../../src/conversion/convert.ts'
import { checkRoom, Output } from '../../src/conversion/output.ts'
import { OptionError } from '../../src/index.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { ConversionError } from '../../src/tools.ts'
import { randomAdapter } from '../adapter/random-adapter.ts'
import { latentkit, MAIN, TALES } from '../cli/run.ts'
import { ggufFiles } from '../support/all-fixtures.ts'
import { tempFolder } from '../support/temp-folder.ts'

const SMALL = ggufFiles().get('qwen2-q5_0') as string

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(ConversionError)
  return (error as ConversionError).code
}

describe('what is there already', () => {
  it('stays without force, and is replaced with it', async () => {
    const out = join(tempFolder({ 'm.gguf': 'precious' }), 'm.gguf')
    expect(await codeOf(convertModel(SMALL, out))).toBe('output_exists')
    expect(readFileSync(out, 'utf8')).toBe('precious')
    const { bytes } = await convertModel(SMALL, out, { force: true })
    expect(statSync(out).size).toBe(bytes)
  })

  it('a folder keeps what is no part of a model, and loses what is left of an earlier one', async () => {
    const stale = ['model-00001-of-00002.safetensors', 'model.safetensors.index.json', 'chat_template.jinja']
    const out = tempFolder(Object.fromEntries([...stale, 'notes.txt'].map(name => [name, 'old'])))
    expect(await codeOf(convertModel(SMALL, out))).toBe('output_exists')
    const { files } = await convertModel(SMALL, out, { force: true })
    const written = files.map(file => file.slice(out.length + 1))
    expect(readdirSync(out).sort()).toEqual([...written, 'notes.txt'].sort())
    expect(written).toContain('model.safetensors')
  })

  it('an empty folder is no obstacle', async () => {
    const out = tempFolder()
    await convertModel(SMALL, out)
    expect(readdirSync(out)).toContain('config.json')
  })

  it('a folder is no place for a file, nor a file for a folder', async () => {
    const place = tempFolder({ file: '' })
    mkdirSync(join(place, 'm.gguf'))
    expect(await codeOf(convertModel(SMALL, join(place, 'm.gguf'), { force: true }))).toBe('output_exists')
    expect(await codeOf(convertModel(SMALL, join(place, 'file'), { force: true }))).toBe('output_exists')
  })

  it('the model itself is never the output, by whatever name', async () => {
    const place = tempFolder()
    const model = join(place, 'm.gguf')
    copyFileSync(SMALL, model)
    symlinkSync(model, join(place, 'other.gguf'))
    for (const out of [model, join(place, 'other.gguf')]) {
      expect(await codeOf(convertModel(model, out, { force: true }))).toBe('same_file')
    }
    expect(readFileSync(model)).toEqual(readFileSync(SMALL))
    expect(await codeOf(convertModel(TALES, TALES, { force: true }))).toBe('same_file')
  })

  it("nor is an adapter's model, nor an adapter that is merged", async () => {
    const place = tempFolder()
    const [base, adapter, lora] = [join(place, 'm.gguf'), join(place, 'adapter'), join(place, 'lora.gguf')]
    await convertModel(TALES, base, {})
    await randomAdapter(await openModel(TALES), adapter, ['o_proj'])
    await convertModel(adapter, lora, { base })
    expect(await codeOf(convertModel(adapter, base, { base, force: true }))).toBe('same_file')
    expect(await codeOf(convertModel(base, lora, { lora, force: true }))).toBe('same_file')
  })
})

describe('what goes wrong on the way', () => {
  it('leaves no trace when it is aborted', async () => {
    const place = tempFolder()
    for (const out of ['m.gguf', 'folder']) {
      const abort = new AbortController()
      const work = convertModel(TALES, join(place, out), {
        weights: 'f32',
        signal: abort.signal,
        onProgress: ({ status, loaded }) => {
          if (status === 'write' && loaded > 1e6) abort.abort()
        },
      })
      await expect(work).rejects.toThrow('aborted')
    }
    expect(readdirSync(place)).toEqual([])
  })

  it('keeps the old file when it is killed', async () => {
    const place = tempFolder({ 'm.gguf': 'precious' })
    const args = ['convert', TALES, 'm.gguf', '--weights', 'q4_k', '--force']
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: place, stdio: 'ignore' })
    const closed = new Promise(resolve => child.once('close', resolve))
    while (readdirSync(place).length === 1 && child.exitCode === null) await setTimeout(1)
    child.kill('SIGKILL')
    await closed
    expect(readFileSync(join(place, 'm.gguf'), 'utf8')).toBe('precious')
  })

  it('says so when the disk has no room', async () => {
    const out = join(tempFolder(), 'm.gguf')
    expect(await codeOf(checkRoom(out, 2 ** 60))).toBe('disk_full')
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const output = await Output.open(out, {})
    const source = { name: 'w', size: 8, read: () => Promise.reject(full) }
    const range = { source, offset: 0, length: 8 }
    await expect(output.writeMatrix('w', { name: 'w', dtype: 'f32', rows: 1, cols: 2, bytes: range })).rejects.toBe(
      full,
    )
    await output.discard()
    expect(readdirSync(join(out, '..'))).toEqual([])
  })

  it('says so when there is no such folder', async () => {
    expect(await codeOf(convertModel(SMALL, join(tempFolder(), 'no', 'm.gguf')))).toBe('not_writable')
  })

  it('refuses types that the output cannot hold, before anything is written', async () => {
    const place = tempFolder()
    await expect(convertModel(SMALL, join(place, 'folder'), { weights: 'q8_0' })).rejects.toThrow(OptionError)
    await expect(convertModel(SMALL, join(place, 'm.gguf'), { weights: 'q9' as 'q8_0' })).rejects.toThrow(OptionError)
    expect(readdirSync(place)).toEqual([])
  })
})

describe('shards', () => {
  it('are as large as asked for, and the index knows where everything is', async () => {
    const out = join(tempFolder(), 'hub')
    await convertModel(SMALL, out, { weights: 'f16', shardBytes: 100_000 })
    const index = JSON.parse(readFileSync(join(out, 'model.safetensors.index.json'), 'utf8'))
    const shards = readdirSync(out).filter(name => name.endsWith('.safetensors'))
    expect(shards.length).toBeGreaterThan(3)
    expect(new Set(Object.values(index.weight_map))).toEqual(new Set(shards))
    for (const shard of shards) expect(statSync(join(out, shard)).size).toBeLessThan(110_000)
  })
})

describe('latentkit convert', () => {
  it('writes a model that runs, and tells what it wrote', async () => {
    const place = tempFolder()
    const json = await latentkit(['convert', TALES, 'm.gguf', '--weights', 'q8_0', '--json'], { cwd: place })
    expect(json.code).toBe(0)
    const { format, modelType, bytes, files, types } = JSON.parse(json.stdout)
    expect({ format, modelType, files }).toEqual({ format: 'gguf', modelType: 'deepseek_v3', files: ['m.gguf'] })
    expect(statSync(join(place, 'm.gguf')).size).toBe(bytes)
    expect(types[0].type).toBe('q8_0')
    const told = await latentkit(['generate', './m.gguf', 'Once upon a time', '--max-tokens', '5'], { cwd: place })
    expect(told.code).toBe(0)
    const back = await latentkit(['convert', 'm.gguf', 'back'], { cwd: place })
    expect(back.stdout).toMatch(/^back: 15\.\d MiB, deepseek_v3: bf16 .*\n$/)
    const quiet = await latentkit(['convert', 'm.gguf', 'again', '--quiet'], { cwd: place })
    // A folder made of a GGUF file has no place for the module.
    expect([quiet.code, quiet.stdout]).toEqual([0, ''])
    expect(quiet.stderr).toMatch(/^the module of multi-token prediction left out: .*\n$/)
  })

  it('fails in one line', async () => {
    const place = tempFolder()
    writeFileSync(join(place, 'm.gguf'), '')
    const there = await latentkit(['convert', TALES, 'm.gguf'], { cwd: place })
    expect([there.code, there.stderr]).toEqual([1, 'error: m.gguf exists already; use force (--force) to replace it\n'])
    const type = await latentkit(['convert', TALES, 'n.gguf', '--weights', 'q9'], { cwd: place })
    expect(type.code).toBe(2)
    expect(type.stderr).toContain('Expected one of f32, f16, bf16, q8_0')
  })
})

it('a type whose blocks the rows do not fit is told with what came of it', async () => {
  const convert = (weights: 'q4_k' | 'q8_0') => convertModel(TALES, join(tempFolder(), 'm.gguf'), { weights })
  const { warnings, types } = await convert('q4_k')
  const fell = types.find(({ type }) => type === 'q5_0')?.tensors
  expect(warnings).toEqual([
    `q4_k takes rows that are multiples of 256; of 85 matrices ${fell} have rows of 32, 128, 192 and became ${fell} q5_0`,
  ])
  expect((await convert('q8_0')).warnings).toEqual([])
})
