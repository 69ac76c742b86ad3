/** The built program as its users have it: a process with arguments, an input and an environment. */
import { type SpawnOptions, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const MAIN = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url))
export const TALES = fileURLToPath(new URL('../../models/tales-mla-8m', import.meta.url))

/** Every command. */
export const COMMANDS = [
  ...[
    'generate',
    'chat',
    'chats',
    'serve',
    'explore',
    'tokenize',
    'embed',
    'rerank',
    'pull',
    'list',
    'rm',
    'inspect',
    'plan',
  ],
  ...[
    'convert',
    'latentify',
    'tokenizer',
    'train',
    'runs',
    'ladder',
    'grid',
    'evaluate',
    'perplexity',
    'cache',
    'verify',
    'completion',
  ],
]

export interface Result {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Default: nothing, as from /dev/null. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** What runs of this process leave for each other. */
const LATENTKIT_CACHE_DIR = mkdtempSync(join(tmpdir(), 'latentkit-cli-'))
const LATENTKIT_STATE_DIR = mkdtempSync(join(tmpdir(), 'latentkit-cli-'))
process.on('exit', () => {
  for (const folder of [LATENTKIT_CACHE_DIR, LATENTKIT_STATE_DIR]) rmSync(folder, { recursive: true, force: true })
})

/** Nothing of the machine's own settings, and no network. */
const ENVIRONMENT = { PATH: process.env.PATH ?? '', HOME: tmpdir(), HF_HUB_OFFLINE: '1' }
export const FOLDERS = { LATENTKIT_CACHE_DIR, LATENTKIT_STATE_DIR }

export function start(args: readonly string[], options: RunOptions & { readonly stdio: SpawnOptions['stdio'] }) {
  const { env, cwd = ROOT, stdio } = options
  return spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...ENVIRONMENT, ...FOLDERS, ...env }, stdio })
}

export function latentkit(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const { input } = options
  const child = start(args, { ...options, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin?.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

/** Lines that are not empty. */
export function lines(text: string): string[] {
  return text.split('\n').filter(line => line.trim() !== '')
}
