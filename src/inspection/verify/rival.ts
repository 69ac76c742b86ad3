import { readJson } from '../../checkpoint/json-file.ts'
import { openFile } from '../../checkpoint/source/file-source.ts'
import { CheckpointError } from '../../errors.ts'

/** How often another engine that quantises its activations agrees with the expected numbers; shares from 0 to 1. */
export interface RivalAgreement {
  /** Positions of the prompts with the expected likeliest token. */
  readonly top1: number
  /** Tokens of the expected continuation that are the likeliest after those before them. */
  readonly greedy: number
}

const LIMIT = 1 << 24

/**
 * llama.cpp's own, from `NAME.expected.json` beside `NAME.expected.safetensors`; null where it says nothing of it.
 * `tokens` are the lengths of the prompts, by which their shares are weighted; continuations count alike.
 */
export async function readRival(expectedPath: string, tokens: readonly number[]): Promise<RivalAgreement | null> {
  const path = expectedPath.replace(/\.safetensors$/, '.json')
  const source = await openFile(path).catch((error: unknown) => {
    if (error instanceof CheckpointError) return null
    throw error
  })
  if (!source) return null
  const { llama_cpp } = (await readJson(source, LIMIT)) as { llama_cpp?: { as_is?: unknown } | null }
  const given = llama_cpp?.as_is
  if (!Array.isArray(given) || given.length !== tokens.length) return null
  const prompts = given as readonly Readonly<Record<string, unknown>>[]
  const shares = (key: string) => prompts.map(prompt => prompt?.[key]).filter(share => typeof share === 'number')
  const [top1, greedy] = [shares('top1_agreement'), shares('greedy_forced_top1')]
  if (top1.length !== tokens.length || greedy.length !== tokens.length) return null
  const all = tokens.reduce((n, count) => n + count, 0)
  return {
    top1: top1.reduce((n, share, i) => n + share * (tokens[i] as number), 0) / all,
    greedy: greedy.reduce((n, share) => n + share, 0) / greedy.length,
  }
}
