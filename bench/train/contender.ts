/** Who takes part: ours, or PyTorch, each in a process of its own that prints one line of JSON at its end. */
import { spawn } from 'node:child_process'
import path from 'node:path'

export type Contender =
  | { readonly kind: 'ours'; readonly compute: 'f32' | 'bf16' }
  | { readonly kind: 'pytorch'; readonly dtype: 'f32' | 'bf16'; readonly compile: boolean }

export interface TrainRequest {
  /** A config.json. */
  readonly file: string
  readonly batch: number
  readonly length: number
  readonly threads: number
  readonly steps: number
  readonly python: string
  readonly script: string
  readonly profile: boolean
}

export interface TrainRun {
  readonly parameters: number
  /** Tokens per second of the steps after two that warm up. */
  readonly median: number
  readonly peakMB: number
}

/** null, having said so, where PyTorch cannot be run. */
export async function runContender(contender: Contender, request: TrainRequest): Promise<TrainRun | null> {
  const { file, batch, length, threads, steps } = request
  const sizes = ['--batch', batch, '--length', length, '--threads', threads, '--steps', steps].map(String)
  const [program, args] =
    contender.kind === 'ours'
      ? [
          process.execPath,
          [path.join('dist', 'bench', 'train', 'ours.js'), file, ...sizes, '--compute', contender.compute].concat(
            request.profile ? ['--profile'] : [],
          ),
        ]
      : [
          request.python,
          [request.script, file, ...sizes, '--dtype', contender.dtype].concat(contender.compile ? ['--compile'] : []),
        ]
  const lines = (await output(program, args)).trim().split('\n')
  const last = lines.pop() ?? ''
  if (lines.length > 0 && contender.kind === 'ours') console.log(lines.join('\n'))
  try {
    return JSON.parse(last) as TrainRun
  } catch {
    if (contender.kind === 'ours') throw new Error(`not measured: ours ended with ${last}`)
    console.error(`left out: ${program} ${args.join(' ')} printed no result`)
    return null
  }
}

function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', chunk => (text += chunk))
    child.on('error', error => reject(new Error(`${program} cannot be run: ${error.message}`)))
    child.on('close', () => resolve(text))
  })
}
