/** Standard output that cannot be written: exit code 1 and one sentence, whatever was to be written. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FOLDERS, lines, MAIN, ROOT, TALES } from './run.ts'

const FULL = '/dev/full'

function shell(command: string) {
  const script = `latentkit() { '${process.execPath}' '${MAIN}' "$@"; }; ${command}`
  const env = { ...process.env, ...FOLDERS, HF_HUB_OFFLINE: '1', NO_COLOR: '1' }
  return spawnSync('bash', ['-c', script], { cwd: ROOT, encoding: 'utf8', env })
}

/** What a model without a chat template is told to be is no error. */
const errors = (stderr: string) => lines(stderr).filter(line => !line.includes('no chat template'))

describe.skipIf(!existsSync(FULL))('a full disk', { timeout: 120_000 }, () => {
  it.each([
    'latentkit',
    'latentkit --help',
    'latentkit --version',
    'latentkit chat --help',
    'latentkit generate --max-tokens 3',
    'latentkit generate --max-tokens 3 --n 2',
    'echo Once | latentkit chat --max-tokens 3',
    'latentkit chats ls',
    'latentkit tokenize Once',
    'latentkit tokenize --ids "1 2"',
    'latentkit inspect',
    'latentkit plan R1',
    'latentkit cache ls',
    'latentkit cache stats',
    `echo Once upon a time there was a fox who lived in the wood with a girl | latentkit perplexity ${TALES} - --window 8`,
  ])('%s', command => {
    const { status, stderr } = shell(`{ ${command}; } >${FULL}`)
    expect(errors(stderr)).toEqual(['error: standard output cannot be written: ENOSPC: no space left on device, write'])
    expect(status).toBe(1)
  })

  it('is told as JSON where JSON was asked for', () => {
    const { status, stderr } = shell(`latentkit inspect --json >${FULL}`)
    expect(JSON.parse(stderr)).toEqual({ error: { code: 'failed', message: expect.stringMatching(/ENOSPC/) } })
    expect(status).toBe(1)
  })

  it('of standard error costs nobody the answer', () => {
    const { status, stdout } = shell(`latentkit generate Once --echo --max-tokens 3 2>${FULL}`)
    expect(stdout).toMatch(/^Once \S/)
    expect(status).toBe(0)
  })
})

it('standard error that nobody reads does not end the program', () => {
  const { stdout } = shell('{ latentkit generate --max-tokens 200 --ignore-eos 2>&1 >&3 | true; } 3>&1')
  expect(stdout.length).toBeGreaterThan(400)
})

it('standard input that is a folder is no empty text', () => {
  for (const command of ['latentkit generate - < .', 'latentkit chat < .', 'latentkit tokenize - < .']) {
    const { status, stderr } = shell(command)
    expect(errors(stderr)).toEqual([expect.stringMatching(/^error: standard input is a folder/)])
    expect(status).toBe(2)
  }
})

it('with --json errors are JSON, also of wrong calls', () => {
  const wrong = shell('latentkit generate --json --temprature 1')
  expect(JSON.parse(wrong.stderr)).toEqual({
    error: { code: 'usage', message: expect.stringMatching(/'--temprature'; did you mean --temperature/) },
  })
  expect([wrong.status, wrong.stdout]).toEqual([2, ''])
  const missing = shell('latentkit inspect ./nowhere --json')
  expect(JSON.parse(missing.stderr)).toEqual({ error: { code: 'bad_checkpoint', message: expect.any(String) } })
  expect(missing.status).toBe(1)
})
