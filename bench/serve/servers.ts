/** Servers in processes of their own, on a free port of this machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { refuse } from '../support/options.ts'

export interface RunningServer {
  readonly url: string
  readonly pid: number
  close(): Promise<void>
}

export interface Served {
  readonly model: string
  readonly threads: number
  /** Answers that are written at once. */
  readonly parallel: number
}

/** Tokens that each of the rival's answers has room for: the long prompt's, too. */
const ROOM = 5120
const LOADED_WITHIN_MS = 120_000

export function ours({ model, threads, parallel }: Served): Promise<RunningServer> {
  const cli = path.resolve('dist', 'apps', 'cli', 'main.js')
  const options = ['--threads', String(threads), '--max-running', String(parallel)]
  return start(process.execPath, port => [
    ...[cli, 'serve', model, '--port', port, ...options],
    ...['--no-disk-cache', '--offline', '--log', 'none'],
  ])
}

/** `command`: the path of a llama-server, then options that hold beside ours. */
export function llamaServer(command: string, { model, threads, parallel }: Served): Promise<RunningServer> {
  const [program, options] = rivalCommand(command)
  return start(program, port => [
    ...['-m', model, '--host', '127.0.0.1', '--port', port, '-t', String(threads), '-tb', String(threads)],
    ...['--parallel', String(parallel), '-c', String(parallel * ROOM), '--cont-batching', '--cache-prompt'],
    ...options,
  ])
}

/** Ends the bench where the command's program is none. */
export function checkRival(command: string): void {
  const [program] = rivalCommand(command)
  const { error, stdout, stderr } = spawnSync(program, ['--help'], { encoding: 'utf8' })
  if (error) refuse(`--rival ${command}: ${program} cannot be run (${error.message})`)
  if (!`${stdout}${stderr}`.includes('--parallel')) {
    refuse(`--rival ${command}: ${program} has none of llama-server's options`)
  }
}

function rivalCommand(command: string): [program: string, options: readonly string[]] {
  const [program = '', ...options] = command.trim().split(/\s+/)
  return [program, options]
}

/** Resolves when /health says that the model is loaded. */
async function start(program: string, args: (port: string) => readonly string[]): Promise<RunningServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(program, args(String(port)), { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', part => {
    said = `${said}${part}`.slice(-1000)
  })
  const until = Date.now() + LOADED_WITHIN_MS
  while (!(await isHealthy(url))) {
    if (hasEnded(child)) throw new Error(`${program} ended with ${child.exitCode ?? child.signalCode}: ${said}`)
    if (Date.now() > until) {
      await end(child)
      throw new Error(`${program} did not load its model within ${LOADED_WITHIN_MS / 1000} s: ${said}`)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return { url, pid: child.pid as number, close: () => end(child) }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok
  } catch {
    return false
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
