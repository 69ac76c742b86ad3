/** `verify --make`: numbers in the form that `verify` reads, and what is said where they are not there. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readFloats, readIntegers } from '../../src/checkpoint/read-tensor.ts'
import { readSafetensorsHeader } from '../../src/checkpoint/safetensors/safetensors.ts'
import { openFile } from '../../src/checkpoint/source/file-source.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines } from './run.ts'

const CHECKPOINTS = fileURLToPath(new URL('../fixtures/checkpoints', import.meta.url))
const QUICK = ['--kernels', 'reference', '--cache-type', 'f32', '--prefill', 'whole']

/** Without the numbers of the other engine. */
function bare(name: string): string {
  const folder = join(tempFolder(), name)
  cpSync(join(CHECKPOINTS, name), folder, { recursive: true })
  for (const file of readdirSync(folder)) if (file.startsWith('expected.')) rmSync(join(folder, file))
  return folder
}

async function tensorsOf(path: string) {
  return (await readSafetensorsHeader(await openFile(path))).tensors
}

describe('verify --make', () => {
  it('writes what verify then finds, and no more than once', async () => {
    const folder = bare('gpt2')
    const make = ['verify', '--make', folder, '--greedy', '5']
    const made = await latentkit([...make, '--json'])
    expect(made.code).toBe(0)
    const { path, kernels, prompts } = JSON.parse(made.stdout).made[0]
    expect([path, kernels, prompts.length]).toEqual([join(folder, 'expected.safetensors'), 'reference', 2])
    expect(prompts[0].greedy).toHaveLength(5)
    const { code, stdout } = await latentkit(['verify', folder, ...QUICK])
    expect(stdout).toMatch(/^reference +f32 +— +whole .*10\/10 +ok$/m)
    expect(code).toBe(0)
    const again = await latentkit(make)
    expect(again.stderr).toMatch(/expected\.safetensors is there already; give force \(--force\)/)
    expect(again.code).toBe(1)
    expect((await latentkit([...make, '--force', '--prompt', 'one'])).stdout).toMatch(
      /1 prompt, \d+ tokens?, by reference/,
    )
    expect(readdirSync(folder).filter(f => f.includes('partial'))).toEqual([])
  })

  it('has the numbers that transformers has, of its own prompts', async () => {
    const name = 'deepseek-v2-lite'
    const theirs = await tensorsOf(join(CHECKPOINTS, name, 'expected.safetensors'))
    const folder = bare(name)
    const tokens = await readIntegers(theirs.get('0.input_ids') as never)
    const { makeExpected, chooseKernels } = await import('../../src/tools.ts')
    const { kernels } = await chooseKernels('reference', { exact: true })
    const greedy = await readIntegers(theirs.get('0.greedy') as never)
    const made = await makeExpected(folder, { kernels, prompts: [tokens], greedy: greedy.length })
    expect(made.prompts[0]?.greedy).toEqual([...greedy])
    const ours = await tensorsOf(made.path)
    for (const tensor of ['logits', 'hidden', 'attentions']) {
      const [want, got] = [theirs, ours].map(t => t.get(`0.${tensor}`)) as [never, never]
      expect((got as { shape: unknown }).shape).toEqual((want as { shape: unknown }).shape)
      const [a, b] = [await readFloats(want), await readFloats(got)]
      expect(Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number)) / (1 + Math.abs(x))))).toBeLessThan(2e-5)
    }
  })

  it.each<[string[], number, RegExp]>([
    [['--make', '--greedy', '-1'], 2, /greedy/],
    [['--make', '--kernels', 'native,wasm'], 2, /--make computes with one kernel set/],
    [['--prompt', 'x'], 2, /--prompt belongs to --make/],
  ])('%j', async (args, exit, message) => {
    const { code, stderr } = await latentkit(['verify', bare('gpt2'), ...args])
    expect(stderr).toMatch(message)
    expect([code, lines(stderr).length]).toEqual([exit, 1])
  })
})

describe('verify says what is missing and how to make it', () => {
  it('no file', async () => {
    const { code, stdout } = await latentkit(['verify', bare('gpt2'), ...QUICK])
    expect(stdout).toMatch(
      /expected\.safetensors cannot be read: there is no such file; .*verify --make.*make-expected\.py/,
    )
    expect(code).toBe(1)
  })

  it('a file of another shape', async () => {
    const folder = bare('gpt2')
    const file = join(folder, 'expected.safetensors')
    cpSync(join(folder, 'model.safetensors'), file)
    const { stdout } = await latentkit(['verify', folder, ...QUICK])
    expect(stdout).toMatch(
      /expected\.safetensors holds .*\[[\d, ]+\].* …; expected for each prompt .*"0\.input_ids" \[T\]/,
    )
    expect(stdout).toMatch(/"0\.logits" \[T, 320\].*verify --make/)
    expect(existsSync(file)).toBe(true)
  })

  it('the script for transformers writes the names that verify reads', () => {
    const script = readFileSync(new URL('../../scripts/make-expected.py', import.meta.url), 'utf8')
    for (const name of ['input_ids', 'logits', 'hidden', 'attentions', 'greedy']) expect(script).toContain(`"${name}"`)
  })
})
