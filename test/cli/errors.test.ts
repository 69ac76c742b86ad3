import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines, TALES } from './run.ts'

/** A copy of the bundled model, broken. */
function broken(how: (folder: string) => void): string {
  const folder = join(tempFolder(), 'model')
  cpSync(TALES, folder, { recursive: true })
  how(folder)
  return folder
}

function editConfig(folder: string, change: object): void {
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }))
}

const CASES: readonly (readonly [string, (folder: string) => void, RegExp])[] = [
  ['weights cut short', f => truncateSync(join(f, 'model.safetensors'), 1_000_000), /model\.safetensors.*cut short/],
  ['no weights', f => rmSync(join(f, 'model.safetensors')), /expected model\.safetensors or/],
  ['no config', f => rmSync(join(f, 'config.json')), /has no config\.json/],
  ['an unknown model', f => editConfig(f, { model_type: 'deepseek_v9' }), /deepseek_v9.*latentkit runs deepseek_v2/],
  ['a size that does not fit', f => editConfig(f, { kv_lora_rank: 64 }), /expected \[/],
  ['a field of the wrong type', f => editConfig(f, { num_hidden_layers: 'eight' }), /num_hidden_layers.*"eight"/],
  ['config.json is no JSON', f => writeFileSync(join(f, 'config.json'), '{'), /config\.json/],
]

describe('errors are one sentence on stderr, without a stack, exit code 1', () => {
  it.each(CASES)('%s', async (_, how, message) => {
    const folder = broken(how)
    for (const args of [
      ['generate', folder, 'x'],
      ['inspect', folder],
    ]) {
      const { code, stdout, stderr } = await latentkit(args)
      expect(stderr).toMatch(message)
      expect(stderr).toMatch(/^error: /)
      expect(lines(stderr)).toHaveLength(1)
      expect(stderr).not.toContain('    at ')
      expect(stdout).toBe('')
      expect(code).toBe(1)
    }
  })

  it.each([
    ['a folder that is not there', ['generate', './nowhere', 'x'], /nowhere is not there/],
    ['a file instead of a folder', ['generate', `${TALES}/config.json`, 'x'], /is a file; give the folder/],
    ['a GGUF file', ['inspect', 'model.gguf'], /GGUF/],
    ['a name on the hub without network', ['generate', 'org/model', 'x'], /org\/model.*network is not to be used/],
    ['a template that is not there', ['chat', '--template', '/nowhere'], /chat template cannot be read/],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await latentkit(args)
    expect(stderr).toMatch(message)
    expect(lines(stderr)).toHaveLength(1)
    expect(code).toBe(1)
  })

  it('no tokenizer: generate and tokenize say so, inspect has no need of it', async () => {
    const folder = broken(f => rmSync(join(f, 'tokenizer.json')))
    expect((await latentkit(['generate', folder, 'x'])).stderr).toMatch(/no tokenizer\.json/)
    expect((await latentkit(['tokenize', folder, 'x'])).stderr).toMatch(/no tokenizer\.json/)
    expect((await latentkit(['inspect', folder])).code).toBe(0)
  })

  it('tokenize has no need of weights', async () => {
    const folder = broken(f => rmSync(join(f, 'model.safetensors')))
    expect((await latentkit(['tokenize', folder, 'x'])).code).toBe(0)
  })
})

it.each([
  ['--debug', ['--debug'], {}],
  ['LATENTKIT_DEBUG', [], { LATENTKIT_DEBUG: '1' }],
])('%s shows the stack', async (_, args, env: Record<string, string>) => {
  const folder = broken(f => rmSync(join(f, 'config.json')))
  const { code, stderr } = await latentkit(['inspect', folder, ...args], { env })
  expect(stderr).toContain('CheckpointError')
  expect(stderr).toContain('    at ')
  expect(code).toBe(1)
})
