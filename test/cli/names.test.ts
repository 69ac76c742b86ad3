/** What is named and is not there, and what is named almost. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines, TALES } from './run.ts'

describe('what is not there is exit code 1, whatever asks for it', () => {
  const commands = (model: string): string[][] => [
    ['generate', model, 'x'],
    ['chat', model],
    ['tokenize', model, 'x'],
    ['inspect', model],
    ['plan', model],
    ['convert', model, join(tempFolder(), 'out.gguf')],
    ['perplexity', model, join(TALES, 'README.md')],
    ['verify', model],
  ]
  // All commands find models in one way: two say what becomes of the other kinds of names.
  const missing = [
    ['no-model', 8],
    ...['./no-model', 'no-model.gguf', 'no-org/no-model'].map(model => [model, 2] as const),
  ] as const
  it.each(missing)('the model %s, by %i commands', async (model, count) => {
    for (const args of commands(model).slice(0, count)) {
      const { code, stdout, stderr } = await latentkit(args, { input: '' })
      expect({ args, code }).toEqual({ args, code: 1 })
      // A verification says it in its table.
      if (args[0] === 'verify') continue
      expect(stderr).toContain(model)
      expect([stdout, lines(stderr).length]).toEqual(['', 1])
    }
  })

  it.each([
    [['perplexity', TALES, 'no-file']],
    [['chat', '--template', 'no-file']],
    [['chat', '--draft', './no-file']],
  ])('a file: %j', async args => {
    const { code, stderr } = await latentkit(args, { input: '' })
    expect(stderr).toContain('no-file')
    expect([code, lines(stderr).length]).toEqual([1, 1])
  })
})

describe('a word alone is a text, and a hint says what may have been meant', () => {
  it.each([
    ['mymodle', /"mymodle" is taken as the text; did you mean the model mymodel\?/],
    ['tales-mla-8b', /did you mean the model tales-mla-8m\?/],
    ['other-model-7b', /"other-model-7b" is taken as the text; a folder or a file of that name is not here/],
    ['Hello', /^$/],
    ['My model is', /^$/],
  ])('%s', async (word, hint) => {
    const cwd = tempFolder()
    mkdirSync(join(cwd, 'mymodel'))
    const { code, stderr } = await latentkit(['generate', word, '--max-tokens', '2', '--quiet'], { cwd })
    expect(stderr.trim()).toMatch(hint)
    expect(code).toBe(0)
  })
})

it.each([
  ['LATENTKIT_THREAD', /^the variable LATENTKIT_THREAD has no effect: did you mean LATENTKIT_THREADS\?$/],
  ['LATENTKIT_TEMPERATURE', /^the variable LATENTKIT_TEMPERATURE has no effect: there is none of that name/],
  ['LATENTKIT_SKIP_BUILD', /^$/],
  ['LATENTKIT_THREADS', /^$/],
])('a variable of ours that nobody reads is told: %s', async (name, told) => {
  const { code, stderr } = await latentkit(['generate', 'x', '--max-tokens', '1', '--quiet'], { env: { [name]: '1' } })
  expect(stderr.trim()).toMatch(told)
  expect(code).toBe(0)
})

it('/save and /load say what is wrong with a file', async () => {
  const cwd = tempFolder()
  const { code, stderr } = await latentkit(['chat'], { input: '/save no/x.json\n/save .\n/load none.json\n', cwd })
  expect(stderr).toMatch(/^error: no\/x\.json cannot be written: its folder is not there$/m)
  expect(stderr).toMatch(/^error: \. cannot be written: it is a folder$/m)
  expect(stderr).toMatch(/^error: none\.json cannot be read: there is no such file$/m)
  expect(stderr).not.toMatch(/ENOENT|EISDIR/)
  expect(code).toBe(0)
})

it('/save does not wait for somebody to read a pipe, and says that links go round', async () => {
  const cwd = tempFolder()
  execFileSync('mkfifo', ['pipe.json'], { cwd })
  symlinkSync('round', `${cwd}/round`)
  const { code, stderr } = await latentkit(['chat'], { input: '/save pipe.json\n/save round\n/save /dev/null\n', cwd })
  expect(stderr).toMatch(/^error: pipe\.json cannot be written: it is a pipe, not a file$/m)
  expect(stderr).toMatch(/^error: round cannot be written: its links go round in a circle$/m)
  expect(stderr).toMatch(/^error: \/dev\/null cannot be written: it is a device, not a file$/m)
  expect(code).toBe(0)
})

it('an instruction set that nothing is built for is refused, and no other kernels are taken in its place', async () => {
  const { code, stderr } = await latentkit(['generate', 'x', '--isa', 'avx3', '--max-tokens', '1'])
  expect(stderr).toMatch(
    /^error: option '--isa <name>' argument 'avx3' is invalid\. Expected one of amx, avx512bf16, avx512/,
  )
  expect(code).toBe(2)
})
