/** The program on a pseudo-terminal, by Python's pty module; absent where there is no python3. */
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { FOLDERS, MAIN } from './run.ts'

const SCRIPT = fileURLToPath(new URL('terminal.py', import.meta.url))

export const HAS_TERMINAL = spawnSync('python3', ['-c', 'import pty; pty.fork']).status === 0

export interface TerminalResult {
  /** Without the editor's control sequences, line breaks as `\n`. */
  readonly text: string
  readonly code: number
  /** Steps whose text never appeared. */
  readonly left: number
}

/** Each step waits for a text, then types. */
export function onTerminal(
  args: readonly string[],
  steps: readonly (readonly [string, string])[],
  more: Readonly<Record<string, string>> = {},
): TerminalResult {
  const { PATH = '' } = process.env
  const env = { PATH, HOME: tmpdir(), TERM: 'xterm', NO_COLOR: '1', HF_HUB_OFFLINE: '1', ...FOLDERS, ...more }
  const job = { argv: [process.execPath, MAIN, ...args], env, steps, seconds: 40 }
  const { stdout, stderr } = spawnSync('python3', [SCRIPT], { input: JSON.stringify(job), encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  const { output, code, left } = JSON.parse(stdout)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with one
  const text = output.replace(/\u001b\[[?0-9;]*[A-Za-z]/g, '').replaceAll('\r\n', '\n')
  return { text, code, left }
}

export const KEY = { enter: '\r', interrupt: '\u0003', end: '\u0004', paste: '\u001b[200~', pasted: '\u001b[201~' }
