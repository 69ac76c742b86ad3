/** `latentkit verify`: a checkpoint's numbers against those of another engine, every way they can be computed. */
import type { AttentionPath } from '../../attention/path.ts'
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { openModel } from '../../checkpoint/folder.ts'
import { LatentkitError } from '../../errors.ts'
import type { Kernels } from '../../kernels/contract.ts'
import { parseConfig } from '../../model/families/index.ts'
import { loadModel } from '../../model/load.ts'
import type { CacheType } from '../../tensor/dtype.ts'
import { type ExpectedPrompt, expectedPath, readExpected } from './expected.ts'
import { type Prefill, type PromptErrors, runPrompt } from './run.ts'

/** What a cache of each type may cost. f32: worst error of any number; 16 bit: rms of the logits. */
export const TOLERANCE = { f32: 2e-4, f16: 0.02, bf16: 0.1 } as const

export interface VerifyRow {
  readonly kernels: string
  readonly cacheType: CacheType
  /** null: grouped attention has one path. */
  readonly path: AttentionPath | null
  readonly prefill: Prefill
  /** Worst |error| / (1 + |expected|) of the logits over all prompts, and the root mean square of the error. */
  readonly logitError: number
  readonly logitRms: number
  /** Worst error of each hidden state: embedding, after each layer, after the final norm. */
  readonly hiddenErrors: readonly number[] | null
  /** First layer (from 1; 0 is the embedding) whose hidden state is out of tolerance. */
  readonly firstDivergingLayer: number | null
  readonly attentionError: number | null
  /** Tokens of greedy text that agree, and how many were expected; null where not run. */
  readonly greedy: { readonly agreeing: number; readonly expected: number } | null
  readonly passed: boolean
}

export interface VerifyReport {
  readonly folder: string
  readonly modelType: string | null
  readonly rows: readonly VerifyRow[]
  /** Why nothing could be computed; null where it could. */
  readonly error: string | null
  readonly passed: boolean
}

export interface VerifyOptions {
  /** Kernel sets to hold to the numbers; each is disposed of at the end of a folder. */
  readonly kernels: readonly { readonly name: string; readonly make: () => Promise<Kernels> }[]
  /** Default: all; on the reference, slow by design, f32. */
  readonly cacheTypes?: readonly CacheType[]
  /** Default: all. */
  readonly prefills?: readonly Prefill[]
  /** Default: both for MLA. */
  readonly paths?: readonly AttentionPath[]
  /** Whether to continue greedily where a continuation is expected. Default true. */
  readonly greedy?: boolean
  readonly onRow?: (row: VerifyRow) => void
  readonly signal?: AbortSignal
}

/** `folder` may be a GGUF file too. Never throws for a bad checkpoint: the report says what was wrong. */
export async function verifyFolder(folder: string, options: VerifyOptions): Promise<VerifyReport> {
  const rows: VerifyRow[] = []
  let modelType: string | null = null
  try {
    const checkpoint = await openModel(folder, { tokenizer: false })
    const config = parseConfig(checkpoint.configReader)
    modelType = config.modelType
    const expected = await readExpected(expectedPath(folder), config)
    for (const { name, make } of options.kernels) {
      const kernels = await make()
      try {
        const all: readonly CacheType[] = kernels.info.name === 'reference' ? ['f32'] : ['f32', 'f16', 'bf16']
        for (const cacheType of options.cacheTypes ?? all) {
          await verifyWith(checkpoint, expected, name, kernels, cacheType, options, row => {
            rows.push(row)
            options.onRow?.(row)
          })
        }
      } finally {
        kernels.dispose()
      }
    }
    return { folder, modelType, rows, error: null, passed: rows.every(r => r.passed) }
  } catch (error) {
    if (!(error instanceof LatentkitError)) throw error
    return { folder, modelType, rows, error: error.message, passed: false }
  }
}

async function verifyWith(
  checkpoint: Checkpoint,
  expected: readonly ExpectedPrompt[],
  name: string,
  kernels: Kernels,
  cacheType: CacheType,
  options: VerifyOptions,
  emit: (row: VerifyRow) => void,
): Promise<void> {
  const model = await loadModel(checkpoint, kernels, { cacheType })
  const latent = model.config.attention.kind === 'latent'
  const paths = latent ? (options.paths ?? (['expanded', 'absorbed'] as const)) : [null]
  try {
    for (const path of paths) {
      for (const prefill of options.prefills ?? (['whole', 'chunked', 'token'] as const)) {
        // The reference is slow by design: it continues greedily after one way of prefill only.
        const withGreedy = (options.greedy ?? true) && (kernels.info.name !== 'reference' || prefill === 'whole')
        const results: PromptErrors[] = []
        for (const prompt of expected) {
          options.signal?.throwIfAborted()
          results.push(await runPrompt(model, prompt, prefill, path ?? undefined, withGreedy))
        }
        emit(summarise({ kernels: name, cacheType, path, prefill }, expected, results))
      }
    }
  } finally {
    model.dispose()
  }
}

function summarise(
  way: Pick<VerifyRow, 'kernels' | 'cacheType' | 'path' | 'prefill'>,
  expected: readonly ExpectedPrompt[],
  results: readonly PromptErrors[],
): VerifyRow {
  const tolerance = TOLERANCE[way.cacheType]
  const logitError = Math.max(...results.map(r => r.logits))
  const count = expected.reduce((n, p) => n + p.logits.length, 0)
  const logitRms = Math.sqrt(results.reduce((n, r) => n + r.squaredError, 0) / count)
  const hiddenErrors = worstPerLayer(results.flatMap(r => (r.hidden ? [r.hidden] : [])))
  const attention = results.flatMap(r => r.attention ?? [])
  const attentionError = attention.length > 0 ? Math.max(...attention) : null
  const ran = results.some(r => r.greedyAgreeing !== null)
  const greedy = ran
    ? {
        agreeing: results.reduce((n, r) => n + (r.greedyAgreeing ?? 0), 0),
        expected: expected.reduce((n, p) => n + (p.greedy?.length ?? 0), 0),
      }
    : null
  const exact = way.cacheType === 'f32'
  const diverging = exact ? (hiddenErrors?.findIndex(e => e > tolerance) ?? -1) : -1
  const passed = exact
    ? logitError <= tolerance &&
      diverging === -1 &&
      (attentionError ?? 0) <= tolerance &&
      (greedy === null || greedy.agreeing === greedy.expected)
    : logitRms <= tolerance
  const firstDivergingLayer = diverging === -1 ? null : diverging
  return { ...way, logitError, logitRms, hiddenErrors, firstDivergingLayer, attentionError, greedy, passed }
}

function worstPerLayer(all: readonly (readonly number[])[]): number[] | null {
  if (all.length === 0) return null
  return (all[0] as readonly number[]).map((_, layer) => Math.max(...all.map(errors => errors[layer] as number)))
}
