/** Models that a script of this folder makes with transformers, in the Python of LATENTKIT_PYTHON. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Without it such tests are skipped. */
export const python = process.env.LATENTKIT_PYTHON

export interface MadeModels {
  /** Those of the script that LATENTKIT_FAMILIES names, or all; none without a Python. */
  readonly wanted: readonly string[]
  /** Of the day in the nightly run. */
  readonly seed: string
  /** As `runScript`. */
  run(...args: string[]): string
}

/** What a script of this folder prints. Throws Error with what it said if it fails. */
export function runScript(file: string, ...args: string[]): string {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const { status, stdout, stderr } = spawnSync(python as string, [script, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

export function madeModels(file: string): MadeModels {
  const all: string[] = python ? JSON.parse(runScript(file, '--list')) : []
  const named = process.env.LATENTKIT_FAMILIES?.split(',')
  return {
    wanted: named ? all.filter(name => named.includes(name)) : all,
    seed: process.env.LATENTKIT_FAMILY_SEED ?? '7',
    run: (...args) => runScript(file, ...args),
  }
}
