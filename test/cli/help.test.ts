import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { COMMANDS, latentkit, lines, type Result, ROOT } from './run.ts'

/** Of a command, `[]`: of the program. A process each, for all tests together. */
const helps = new Map<string, Promise<Result>>()
function helpOf(command: readonly string[]): Promise<Result> {
  const key = command.join(' ')
  const help = helps.get(key) ?? latentkit([...command, '--help'])
  helps.set(key, help)
  return help
}

describe('help', () => {
  it.each([[[]], [['--help']], [['help']]])('of the program: %j', async args => {
    const { code, stdout, stderr } = await latentkit(args)
    expect(code).toBe(0)
    expect(stderr).toBe('')
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(stdout).toContain('Exit codes:')
    expect(stdout).toContain('HF_HUB_CACHE')
  })

  it.each(COMMANDS)('of %s has examples', async command => {
    const { code, stdout } = await helpOf([command])
    expect(code).toBe(0)
    expect(stdout).toContain('Examples:')
    expect(stdout).toContain(`$ latentkit ${command}`)
  })

  it.each(['generate', 'verify'])('%s is the same by the word', async command => {
    expect((await latentkit(['help', command])).stdout).toBe((await helpOf([command])).stdout)
  })

  it('fits a terminal of 80 columns, examples aside', async () => {
    for (const args of [[], ...COMMANDS.map(c => [c])]) {
      const { stdout } = await helpOf(args)
      for (const line of lines(stdout).filter(l => !l.includes('$ '))) expect(line.length).toBeLessThanOrEqual(80)
    }
  })
})

it('--version is that of package.json', async () => {
  const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'))
  expect((await latentkit(['--version'])).stdout).toBe(`${version}\n`)
})

describe('wrong calls: one line on stderr, exit code 2', () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['genrate'], /unknown command 'genrate'; did you mean generate\?/],
    [['generate', '--temprature', '1'], /unknown option '--temprature'; did you mean --temperature\?/],
    [['generate', '--temperature', 'hot'], /'hot' is invalid\. Expected a finite number of at least 0/],
    [['generate', '--temperature'], /argument missing/],
    [['generate', '--kernels', 'cuda'], /Expected one of auto, native, wasm, reference/],
    [['generate', '--cache-type', 'int4'], /Expected one of f32, f16, bf16/],
    [['generate', '--seed', '1.5'], /'--seed <n>' argument '1\.5' is invalid\. Expected a whole number/],
    [['generate', 'x', '--beams', '2', '--stop', 'a'], /--stop and --beams were given/],
    [['generate', '--top-p', '1.5'], /number from 0 to 1/],
    [['generate', '--stop', ''], /Expected some text/],
    [['generate', '--cache-bytes', '2 bags'], /Expected a number of bytes, such as 512MiB or 2GB/],
    [['generate', '--context', '1M'], /--context is 1048576; this model was made for at most 2048 tokens/],
    [['generate', '--n', '2', '--beams', '2'], /option '--n <n>' cannot be used with option '--beams <n>'/],
    [['generate', '--length-penalty', '2'], /--length-penalty is for --beams/],
    [['generate', ''], /the argument is empty/],
    [['generate', 'a', 'b', 'c'], /too many arguments/],
    [['tokenize'], /there is no text/],
    [['tokenize', '--ids', '1 2 4096'], /"4096" is no token id; expected integers from 0 to 4095/],
    [['inspect', '.', 'memry'], /no view "memry"; expected one of model, memory, tensors/],
    [['pull'], /missing required argument 'name'/],
    [['pull', 'llama3'], /"llama3" is no name of a model on the hub; expected org\/name/],
    [['rm', 'org/x', '--yes'], /there is no model "org\/x" in .*; see latentkit list/],
    [['verify'], /missing required argument 'folder'/],
    [['verify', '.', '--prefill', 'half'], /Expected one of whole, chunked, token/],
    [['--debgu'], /unknown option '--debgu'; did you mean --debug\?/],
  ]
  it.each(cases)('%j', async (args, message) => {
    const { code, stdout, stderr } = await latentkit(args)
    expect(stderr).toMatch(message)
    expect(lines(stderr)).toHaveLength(1)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('the flag is named also where the engine met the limit', async () => {
    const { code, stderr } = await latentkit(['generate', '--cache-bytes', '1KiB', '--quiet'])
    expect(stderr).toMatch(/would pass the budget of 1024 \(--cache-bytes\)/)
    expect(code).toBe(1)
  })

  it('a variable is named', async () => {
    const { code, stderr } = await latentkit(['generate'], { env: { LATENTKIT_THREADS: 'many' } })
    expect(stderr).toMatch(/LATENTKIT_THREADS is "many"\. Expected a whole number, 1 or more/)
    expect(code).toBe(2)
  })
})
