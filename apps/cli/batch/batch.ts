import { setMaxListeners } from 'node:events'
import type { Engine, PromptOptions } from '../../../src/index.ts'
import { CliError, errorOfLine } from '../exit.ts'
import type { Progress } from '../output/progress.ts'
import { batchLines } from './lines.ts'
import { idOf, requestOf } from './requests.ts'
import { type Results, resultsIn } from './results.ts'

/** Texts under way at once. The engine's scheduler shares steps and memory among them. */
const MAX_AT_ONCE = 32
/** Errors of the engine and not of a line: the run ends, and the line is answered by the next one. */
const OF_THE_RUN: ReadonlySet<unknown> = new Set(['worker', 'model_file_changed', 'out_of_memory', 'disposed'])
/** At most one of them goes with a text. */
const FORMS = ['schema', 'json', 'regex', 'choices', 'grammar'] as const

export interface BatchOptions {
  readonly file: string
  readonly out: string | undefined
  /** Of every line; the line's own come first. */
  readonly defaults: PromptOptions
  readonly signal: AbortSignal
  readonly progress: Progress | null
}

/** Answers all lines of a file; returns how many failed, in earlier runs too. Throws CliError, the signal's reason. */
export async function runBatch(engine: Engine, options: BatchOptions): Promise<number> {
  const { file, out, signal, progress } = options
  const lines = await batchLines(file)
  const results = await resultsIn(out, file)
  // Every text that is under way listens.
  setMaxListeners(0, signal)
  const under: Promise<object>[] = []
  let [index, written, failed] = [-1, results.done.length, results.failed]
  const next = async () => {
    const result = await (under.shift() as Promise<object>)
    signal.throwIfAborted()
    await results.write(result)
    if ('error' in result) failed++
    progress?.pieces('Writing', ++written, lines.total, 'texts', '')
  }
  try {
    for await (const line of lines) {
      index++
      if (index < results.done.length) {
        checkSame(line, index, results)
        continue
      }
      const result = answer(engine, line, index, options)
      // It may fail before its turn.
      result.catch(() => {})
      under.push(result)
      if (under.length === MAX_AT_ONCE) await next()
    }
    if (results.done.length > index + 1) throw new CliError(`${out} has more results than ${file} has lines`)
    while (under.length > 0) await next()
    return failed
  } finally {
    await Promise.allSettled(under)
    await results.close()
  }
}

/**
 * A result depends on its line alone: seeds are the line's number unless given, and no row is reused that a cold run would not
 * compute. So a batch that was interrupted ends with the same file.
 */
async function answer(engine: Engine, line: string, index: number, options: BatchOptions): Promise<object> {
  let id: string | number | null = null
  try {
    const parsed = parse(line)
    id = idOf(parsed)
    const request = requestOf(parsed)
    const { defaults, signal } = options
    const given = {
      seed: index,
      ...defaultsBeside(request.options, defaults),
      ...request.options,
      strict: true,
      signal,
    }
    const { text, value, finishReason, usage, seed } = await engine.generate(request.prompt, given)
    const { promptTokens, completionTokens } = usage
    // The value of other forms is the text.
    const isJson = given.schema !== undefined || given.json === true
    const valued = isJson && value !== undefined && { value }
    return { index, id, text, ...valued, finishReason, usage: { promptTokens, completionTokens }, seed }
  } catch (error) {
    if (OF_THE_RUN.has((error as { code?: unknown }).code)) throw error
    return { index, id, error: errorOfLine(error) }
  }
}

/** A line's own form takes the place of the flags'. */
function defaultsBeside(own: PromptOptions, defaults: PromptOptions): PromptOptions {
  if (!FORMS.some(form => own[form] !== undefined)) return defaults
  return { ...defaults, ...Object.fromEntries(FORMS.map(form => [form, undefined])) }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new CliError(`the line is no JSON: ${(error as Error).message}`)
  }
}

function checkSame(line: string, index: number, { done }: Results): void {
  let id: unknown = null
  try {
    id = idOf(JSON.parse(line))
  } catch {}
  if (id !== done[index]) {
    throw new CliError(
      `result ${index + 1} has the id ${JSON.stringify(done[index])} and its line ${JSON.stringify(id)}: the results are of another batch; give another --out`,
    )
  }
}
