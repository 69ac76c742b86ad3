/** What has no end, or is no text, is refused in a sentence: every command that reads a text has the same bounds. */
import { spawn, spawnSync } from 'node:child_process'
import { openSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines, type Result, start, TALES } from './run.ts'

const LIMIT = /expected a text of at most 67,108,864 bytes/

/** With a shell's `< path` or `producer |` as standard input. */
async function fed(args: readonly string[], from: string | readonly string[]): Promise<Result> {
  const producer = typeof from === 'string' ? null : spawn(from[0] as string, from.slice(1))
  producer?.stdout.on('error', () => {})
  const stdin = typeof from === 'string' ? openSync(from, 'r') : 'pipe'
  const child = start(args, { stdio: [stdin, 'pipe', 'pipe'] })
  child.stdin?.on('error', () => producer?.kill())
  if (child.stdin) producer?.stdout.pipe(child.stdin)
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', text => (stdout += text))
  child.stderr?.on('data', text => (stderr += text))
  return new Promise(resolve =>
    child.on('close', (code, signal) => {
      producer?.kill('SIGKILL')
      resolve({ code, signal, stdout, stderr })
    }),
  )
}

function refused({ code, stdout, stderr }: Result, exit: number, message: RegExp): void {
  expect(stderr).toMatch(message)
  expect(lines(stderr).filter(line => !line.includes('no chat template'))).toHaveLength(1)
  expect(stderr).not.toContain('    at ')
  expect(stdout).toBe('')
  expect(code).toBe(exit)
}

describe.skipIf(process.platform === 'win32')('a text file', () => {
  it.each([
    ['a device without end', '/dev/zero', 2, /\/dev\/zero is a device; expected a text file/],
    ['an empty device', '/dev/null', 2, /\/dev\/null is a device/],
    ['a folder', tmpdir(), 2, /is a folder; expected a text file/],
  ])('that is %s', async (_, path, exit, message) => {
    refused(await latentkit(['perplexity', TALES, path]), exit, message)
    refused(await latentkit(['chat', TALES, '--template', path], { input: 'Hello\n' }), 1, message)
  })

  it('that is larger than the bound is not read at all', async () => {
    const path = join(tempFolder(), 'long.txt')
    writeFileSync(path, '')
    truncateSync(path, 10 * 2 ** 30)
    refused(
      await latentkit(['perplexity', TALES, path]),
      1,
      /long\.txt has 10,737,418,240 bytes; expected a text of at/,
    )
  })

  it('that is a pipe: what comes through it, or that nothing does', async () => {
    const [silent, spoken, endless] = ['silent', 'spoken', 'endless'].map(name => join(tempFolder(), name)) as [
      string,
      string,
      string,
    ]
    expect(spawnSync('mkfifo', [silent, spoken, endless]).status).toBe(0)
    const quick = ['--window', '8', '--threads', '1']
    refused(await latentkit(['perplexity', TALES, silent]), 1, /silent is a pipe that nobody writes to.*for 5 s/)

    const story = 'Once upon a time there was a little girl. '.repeat(20)
    const told = latentkit(['perplexity', TALES, spoken, ...quick, '--windows', '2'])
    const writer = spawn('sh', ['-c', `sleep 0.5; printf '%s' "${story}" > "${spoken}"`])
    expect(await told).toMatchObject({ code: 0, stderr: '' })
    writer.kill()

    const yes = spawn('sh', ['-c', `exec yes > "${endless}"`])
    refused(await latentkit(['perplexity', TALES, endless]), 1, LIMIT)
    yes.kill('SIGKILL')
  })
})

describe.skipIf(process.platform === 'win32')('standard input', () => {
  const commands = [
    ['generate', TALES, '-', '--no-disk-cache'],
    ['perplexity', TALES, '-'],
    ['tokenize', TALES, '-'],
    ['chat', TALES],
  ]

  it.each(commands)('without end: %s', async (...args) => {
    refused(await fed(args, '/dev/zero'), 1, LIMIT)
    // A chat answers each line of `yes`, and rightly so.
    if (args[0] !== 'chat') refused(await fed(args, ['yes']), 1, LIMIT)
  })

  it.each(commands)('that is a folder: %s', async (...args) => {
    refused(await fed(args, tempFolder()), 2, /standard input is a folder and cannot be read/)
  })
})
