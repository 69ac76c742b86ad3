/** Finds model and text among arguments that may both be left out. */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { nearest } from '../../src/for-apps.ts'
import { bundledModel } from '../../src/index.ts'
import { defaultModel } from './environment.ts'
import { UsageError } from './exit.ts'
import { note } from './output/stdout.ts'
import { isPiped, readAll, readIfAny } from './stdin.ts'

/** The default model, bundled with the package. */
export const BUNDLED = 'tales-mla-8m'

export interface ModelArgument {
  /** A folder, or a name on the hub. */
  readonly source: string
  readonly bundled: boolean
}

export function modelArgument(argument: string | undefined): ModelArgument {
  const named = argument ?? defaultModel()
  const bundled = bundledModel()
  if (named === undefined || (named === BUNDLED && !existsSync(named))) return { source: bundled, bundled: true }
  return {
    source: named,
    bundled: existsSync(named) && existsSync(bundled) && realpathSync(named) === realpathSync(bundled),
  }
}

/**
 * `[MODEL] [TEXT]`: a single argument is the model if it is an existing path, or is written like a path or org/name; else
 * it is the text. `-` as text, or a pipe without text, reads standard input.
 */
export async function modelAndText(
  first: string | undefined,
  second: string | undefined,
): Promise<{ readonly model: ModelArgument; readonly text: string | undefined }> {
  if (first !== undefined && second !== undefined) {
    return { model: modelArgument(first), text: second === '-' ? await readAll() : second }
  }
  if (first === '-') return { model: modelArgument(undefined), text: await readAll() }
  const isModel = first !== undefined && looksLikeModel(first)
  const model = modelArgument(isModel ? first : undefined)
  if (first !== undefined && !isModel) {
    hintAtModel(first)
    return { model, text: first }
  }
  return { model, text: isPiped() ? await readIfAny() : undefined }
}

/**
 * A note if a text looks like a misspelt path: it was probably meant as a model. `first`: others follow it, where a model would be; then any
 * word is noted.
 */
export function hintAtModel(word: string, first = false): void {
  if (/\s/.test(word) || word.length < 3) return
  const meant = nearest(word, [BUNDLED, ...modelsHere()])
  const written = first || /[-_.\d]/.test(word)
  if (meant === undefined && !written) return
  const ask = meant === undefined ? 'a folder or a file of that name is not here' : `did you mean the model ${meant}?`
  note(`${JSON.stringify(word)} is taken as the text; ${ask}`)
}

function modelsHere(): string[] {
  try {
    return readdirSync('.', { withFileTypes: true })
      .filter(entry => entry.isDirectory() || /\.gguf$/i.test(entry.name))
      .map(entry => entry.name)
  } catch {
    return []
  }
}

export function looksLikeModel(argument: string): boolean {
  if (argument === '') throw new UsageError('the argument is empty; expected a model or a text')
  if (argument === BUNDLED || existsSync(argument)) return true
  if (/\s/.test(argument)) return false
  // Paths, org/name[@revision], and GGUF file names.
  return /^[.~/\\]|^[\w.-]+\/[\w.-]+(@[\w./+-]+)?$|[/\\]|\.gguf$/i.test(argument)
}
