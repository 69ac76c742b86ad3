/**
 * Another engine by its own bench: any program with llama-bench's options and JSON output, llama.cpp's and
 * ik_llama.cpp's among them. Each figure is a process of its own, so that nothing of it runs while others are measured.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { refuse } from '../support/options.ts'

export interface LlamaBenchRun {
  readonly model: string
  readonly threads: number
  /** Tokens that are read before what is measured. */
  readonly depth: number
  readonly tokens: number
  /** Written one by one, or read as one prompt. */
  readonly kind: 'decode' | 'prefill'
}

/** What one test of llama-bench says of itself, as far as it is used. */
interface Report {
  readonly avg_ts: number
  readonly build_commit?: string
  readonly test_time?: string
}

export class LlamaBench {
  /** The program and its options, as given. */
  readonly command: string
  readonly #program: string
  readonly #options: readonly string[]
  readonly #knowsDepth: boolean
  #commit = 'unknown'

  /** `command`: a path, then options that hold for every run, such as `-fa 1 -mla 3`. */
  constructor(command: string) {
    const [program = '', ...options] = command.trim().split(/\s+/)
    this.command = command
    this.#program = program
    this.#options = options
    const help = spawnSync(program, ['--help'], { encoding: 'utf8' })
    const text = `${help.stdout ?? ''}${help.stderr ?? ''}`
    if (help.error) refuse(`--against ${command}: ${program} cannot be run (${help.error.message})`)
    if (!text.includes('--n-gen')) refuse(`--against ${command}: ${program} has none of llama-bench's options`)
    this.#knowsDepth = text.includes('--n-depth')
  }

  /** Program, options and the commit it was built of, as it says itself. */
  get name(): string {
    return `${[path.basename(this.#program), ...this.#options].join(' ')} (${this.#commit})`
  }

  /** Tokens per second. Throws where the program fails or says nothing. */
  measure({ model, threads, depth, tokens, kind }: LlamaBenchRun): number {
    const args = ['-m', model, '-t', String(threads), '-r', '1', '-o', 'json', ...this.#options]
    const run = spawnSync(this.#program, [...args, ...this.#test(kind, depth, tokens)], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    const report = lastReport(run.stdout ?? '')
    if (run.status !== 0 || report === null) {
      const said = (run.stderr ?? '').trim().split('\n').slice(-3).join(' | ')
      throw new Error(`${this.command} ended with ${run.status ?? run.signal} and no figure: ${said}`)
    }
    this.#commit = report.build_commit ?? this.#commit
    return report.avg_ts
  }

  #test(kind: LlamaBenchRun['kind'], depth: number, tokens: number): string[] {
    if (kind === 'prefill') {
      if (depth > 0 && !this.#knowsDepth) refuse(`--against ${this.command}: it cannot read behind ${depth} tokens`)
      return ['-p', String(tokens), '-n', '0', ...(depth > 0 ? ['-d', String(depth)] : [])]
    }
    if (depth === 0) return ['-p', '0', '-n', String(tokens)]
    // ik_llama.cpp has no depth, but a test that reads a prompt and times what is written behind it.
    if (!this.#knowsDepth) return ['-p', '0', '-n', '0', '-gp', `${depth},${tokens}`]
    return ['-p', '0', '-n', String(tokens), '-d', String(depth)]
  }
}

/** Programs print warnings before their JSON; the last test is the one that was asked for. */
function lastReport(stdout: string): Report | null {
  try {
    const reports = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as Report[]
    const report = reports.at(-1)
    return report && Number.isFinite(report.avg_ts) ? report : null
  } catch {
    return null
  }
}
