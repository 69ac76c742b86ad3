import { open } from 'node:fs/promises'
import type { Engine, PromptOptions } from '../../../src/index.ts'
import { CliError, errorAsJson } from '../exit.ts'
import type { Progress } from '../output/progress.ts'
import { idOf, requestOf } from './requests.ts'
import { type Results, resultsIn } from './results.ts'

/** Texts under way at once. The engine's scheduler shares steps and memory among them. */
const MOST_AT_ONCE = 32

export interface BatchOptions {
  readonly file: string
  readonly out: string | undefined
  /** Of every line; the line's own come first. */
  readonly defaults: PromptOptions
  readonly signal: AbortSignal
  readonly progress: Progress | null
}

/** Answers all lines of a file; returns how many failed. Throws CliError, the signal's reason. */
export async function runBatch(engine: Engine, options: BatchOptions): Promise<number> {
  const { file, out, signal, progress } = options
  const total = await countLines(file)
  const results = resultsIn(out)
  const under: Promise<object>[] = []
  let [index, written, failed] = [-1, results.done.length, 0]
  const next = async () => {
    const result = await (under.shift() as Promise<object>)
    signal.throwIfAborted()
    await results.write(result)
    if ('error' in result) failed++
    progress?.pieces('Writing', ++written, total, 'texts', '')
  }
  try {
    for await (const line of linesOf(file)) {
      index++
      if (index < results.done.length) {
        checkSame(line, index, results)
        continue
      }
      under.push(answer(engine, line, index, options))
      if (under.length === MOST_AT_ONCE) await next()
    }
    if (results.done.length > index + 1) throw new CliError(`${out} has more results than ${file} has lines`)
    while (under.length > 0) await next()
    return failed
  } finally {
    await Promise.allSettled(under)
    results.close()
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
    const given = { seed: index, ...defaults, ...request.options, strict: true, signal }
    const { text, finishReason, usage, seed } = await engine.generate(request.prompt, given)
    const { promptTokens, completionTokens } = usage
    return { index, id, text, finishReason, usage: { promptTokens, completionTokens }, seed }
  } catch (error) {
    return { index, id, ...JSON.parse(errorAsJson(error)) }
  }
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

async function countLines(file: string): Promise<number> {
  let count = 0
  for await (const _ of linesOf(file)) count++
  return count
}

/** Lines that are not blank. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(file)
  } catch (error) {
    throw new CliError(`the batch ${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  for await (const line of handle.readLines()) if (line.trim() !== '') yield line
}
