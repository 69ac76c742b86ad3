/** `latentkit verify`: a checkpoint's numbers against those of another engine, every way they can be computed. */

import type { CacheTypeName } from '../../cache/types.ts'
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { weightTypeOf } from '../../checkpoint/tensor-entry.ts'
import { LatentkitError } from '../../errors.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { loadModel } from '../../model/load.ts'
import { openModel } from '../../model/open/open-model.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { refuseEncoder } from '../../model/refuse-encoder.ts'
import type { AttentionPath } from '../../nn/attention/path.ts'
import { hasExperts, hasLatents } from '../../nn/config.ts'
import { isBlockType } from '../../tensor/dtype.ts'
import { type ExpectedPrompt, expectedPath, readExpected } from './expected.ts'
import { type RivalAgreement, readRival } from './rival.ts'
import { type Arithmetic, summarise, type VerifyRow, type Way } from './row.ts'
import { type Prefill, type PromptErrors, runPrompt } from './run.ts'

/** Result of `verifyFolder`. */
export interface VerifyReport {
  /** The folder or GGUF file that was given. */
  readonly folder: string
  /** The `model_type` of config.json; null if it cannot be read. */
  readonly modelType: string | null
  /** The computed combinations, in order. */
  readonly rows: readonly VerifyRow[]
  /** How far llama.cpp is from the same numbers, where a file beside them says so. */
  readonly llamaCpp: RivalAgreement | null
  /** Why the verification stopped; null if all rows were computed. */
  readonly error: string | null
  /** Whether all rows passed and no error occurred. */
  readonly passed: boolean
}

/** Options of `verifyFolder`. */
export interface VerifyOptions {
  /** Kernel sets to hold to the numbers, made for each arithmetic and disposed of at its end. */
  readonly kernels: readonly {
    /** Name for the report; `reference` is verified with `exact` arithmetic only. */
    readonly name: string
    /** Creates the kernel set. */
    readonly make: (options: { readonly exact: boolean }) => Promise<Kernels>
  }[]
  /** Default: both where weights are quantised; the reference has none but `exact`. */
  readonly arithmetic?: readonly Arithmetic[]
  /** Default: all; with 8-bit activations f16, the engine's own; on the reference, slow by design, f32. */
  readonly cacheTypes?: readonly CacheTypeName[]
  /** Default: all. */
  readonly prefills?: readonly Prefill[]
  /** Default: both for MLA. */
  readonly paths?: readonly AttentionPath[]
  /** Whether to hold greedy text to the continuation where one is expected. Default true. */
  readonly greedy?: boolean
  /** Called after each row. */
  readonly onRow?: (row: VerifyRow) => void
  /** Ends the work before the next prompt: `verifyFolder` rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** `folder` may be a GGUF file too. Never throws for a bad checkpoint: the report says what was wrong. */
export async function verifyFolder(folder: string, options: VerifyOptions): Promise<VerifyReport> {
  const rows: VerifyRow[] = []
  let modelType: string | null = null
  let llamaCpp: RivalAgreement | null = null
  try {
    const model = await openModel(folder, { tokenizer: false })
    const { checkpoint, config } = model
    modelType = config.modelType
    refuseEncoder(config, 'it has no logits to verify')
    const path = expectedPath(folder)
    const expected = await readExpected(path, config)
    const lengths = expected.map(prompt => prompt.tokens.length)
    llamaCpp = await readRival(path, lengths)
    for (const { name, make } of options.kernels) {
      for (const arithmetic of arithmeticsOf(name, checkpoint, options)) {
        const kernels = await make({ exact: arithmetic === 'exact' })
        try {
          for (const cacheType of options.cacheTypes ?? cacheTypesOf(kernels, arithmetic)) {
            const setting = { kernels: name, arithmetic, cacheType }
            for await (const row of verifyWith(model, expected, setting, kernels, options)) {
              rows.push(row)
              options.onRow?.(row)
            }
          }
        } finally {
          kernels.dispose()
        }
      }
    }
    return { folder, modelType, rows, llamaCpp, error: null, passed: rows.every(r => r.passed) }
  } catch (error) {
    if (!(error instanceof LatentkitError)) throw error
    return { folder, modelType, rows, llamaCpp, error: error.message, passed: false }
  }
}

function arithmeticsOf(kernels: string, { tensors }: Checkpoint, options: VerifyOptions): readonly Arithmetic[] {
  const quantised = [...tensors.values()].some(({ dtype }) => {
    const type = weightTypeOf(dtype)
    return type !== undefined && isBlockType(type)
  })
  const { arithmetic = ['exact', '8-bit'] } = options
  if (!quantised) return ['exact']
  return kernels === 'reference' ? arithmetic.filter(a => a === 'exact') : arithmetic
}

function cacheTypesOf({ info }: Kernels, arithmetic: Arithmetic): readonly CacheTypeName[] {
  if (info.name === 'reference') return ['f32']
  return arithmetic === 'exact' ? ['f32', 'f16', 'bf16'] : ['f16']
}

async function* verifyWith(
  opened: OpenedModel,
  expected: readonly ExpectedPrompt[],
  setting: Pick<Way, 'kernels' | 'arithmetic' | 'cacheType'>,
  kernels: Kernels,
  options: VerifyOptions,
): AsyncGenerator<VerifyRow> {
  const model = await loadModel(opened, kernels, { cacheType: setting.cacheType })
  const paths = hasLatents(model.config) ? (options.paths ?? (['expanded', 'absorbed'] as const)) : [null]
  const { greedy = true, prefills = ['whole', 'chunked', 'token'] } = options
  try {
    for (const path of paths) {
      for (const prefill of prefills) {
        // The reference is slow by design: it continues greedily after one way of prefill only.
        const run = greedy && (kernels.info.name !== 'reference' || prefill === 'whole')
        const continuation = !run ? 'none' : setting.arithmetic === 'exact' ? 'free' : 'forced'
        const results: PromptErrors[] = []
        for (const prompt of expected) {
          options.signal?.throwIfAborted()
          results.push(await runPrompt(model, prompt, prefill, path ?? undefined, continuation))
        }
        yield summarise({ ...setting, path, prefill }, kernels.info.isa, hasExperts(model.config), expected, results)
      }
    }
  } finally {
    model.dispose()
  }
}
