import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { ConfigReader } from '../../checkpoint/config-reader.ts'
import { readTokenIds } from '../../checkpoint/token-ids.ts'
import { ConfigError } from '../../errors.ts'
import type { ModelConfig } from '../../nn/config.ts'
import type { BannedIds } from '../../sampling/banned-ids.ts'
import type { SamplingOptions } from '../types/options/prompt.ts'

export interface GenerationDefaults {
  /** What the files name. */
  readonly sampling: SamplingOptions
  /** Tokens that a text has at least. */
  readonly minTokens: number
  /** Tokens that end a text. */
  readonly eosTokenIds: readonly number[]
  /** What no text may contain. Default: nothing is banned. */
  readonly bannedIds?: BannedIds
  /** Of an encoder-decoder: the token that stands before every text. */
  readonly startTokenId?: number
  /** The first token of every text. Default: any. */
  readonly firstTokenId?: number
  /** One sentence for each setting that cannot be used. */
  readonly warnings: readonly string[]
}

/** What the text after a prompt of these ids has to begin with; undefined: any id. One that goes on has begun already. */
export function firstIdAfter(prompt: readonly number[], { firstTokenId }: GenerationDefaults): number | undefined {
  return prompt.length === 1 ? firstTokenId : undefined
}

/** The file that a model's settings are in. */
export function generationFile({ name, configFile, canonical }: Checkpoint): string {
  return canonical ? configFile : `${name}/generation_config.json`
}

export interface GenerationSource {
  /** The parsed generation_config.json; undefined: there is none. */
  readonly config: unknown
  /** Its name, for warnings. */
  readonly file: string
  /** The token that tokenizer_config.json calls the end of a text. */
  readonly eosId: number | undefined
  /** The parsed config.json, where old encoder-decoders say how they generate. Default: it says nothing. */
  readonly modelConfig?: unknown
}

/**
 * What a model's files say where the caller says nothing. `do_sample: false` means greedy, and then the other settings of
 * sampling do not count. A setting that makes no sense counts as not given. A text ends at what any of the files calls
 * its end: fine-tuned models often name the end of a turn in one of them only.
 */
export function generationDefaults(model: ModelConfig, source: GenerationSource): GenerationDefaults {
  const { config, file, eosId } = source
  const named = readTokenIds(fieldsOf(config).eos_token_id)
  const eosTokenIds = [...new Set([...model.eosTokenIds, ...(eosId === undefined ? [] : [eosId]), ...named])]
  const ids = idDefaults(model, source, eosTokenIds)
  // Translators write the likeliest text unless a file asks for draws.
  const draws = !model.source
  if (config === undefined) {
    const sampling = draws ? {} : { temperature: 0 }
    return { sampling, minTokens: 0, eosTokenIds, warnings: [], ...ids }
  }
  const reader = new ConfigReader(config, file)
  const warnings: string[] = []
  const given = <T>(read: () => T | undefined): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      warnings.push(`${error.message}. The default is used`)
      return undefined
    }
  }
  const repetitionPenalty = given(() => reader.optionalNumber('repetition_penalty', { min: 0, exclusiveMin: true }))
  const samples = given(() => reader.optionalBool('do_sample')) ?? draws
  const temperature = samples ? given(() => reader.optionalNumber('temperature', { min: 0 })) : 0
  const topP = samples ? given(() => reader.optionalNumber('top_p', { min: 0, max: 1 })) : undefined
  const minP = samples ? given(() => reader.optionalNumber('min_p', { min: 0, max: 1 })) : undefined
  const typicalP = samples ? given(() => reader.optionalNumber('typical_p', { min: 0, max: 1 })) : undefined
  const minTokens = given(() => reader.optionalInt('min_new_tokens', { min: 0 })) ?? 0
  const topK = samples ? given(() => reader.optionalInt('top_k', { min: -1 })) : undefined
  return {
    sampling: {
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { topP }),
      // -1 is vLLM's way to say off.
      ...(topK !== undefined && { topK: Math.max(topK, 0) }),
      ...(minP !== undefined && { minP }),
      ...(typicalP !== undefined && typicalP < 1 && { typicalP }),
      ...(repetitionPenalty !== undefined && { repetitionPenalty }),
    },
    minTokens,
    eosTokenIds,
    warnings,
    ...ids,
  }
}

type IdDefaults = Pick<GenerationDefaults, 'bannedIds' | 'startTokenId' | 'firstTokenId'>

/** What of ids the files ban and demand. Throws ConfigError for an encoder-decoder whose texts have no beginning. */
function idDefaults(
  { source, vocabSize, modelType }: ModelConfig,
  given: GenerationSource,
  ends: readonly number[],
): IdDefaults {
  const fields = fieldsOf(given.config ?? (source ? given.modelConfig : undefined))
  const idOf = (key: string) => readTokenIds(fields[key]).find(id => id < vocabSize)
  const words = Array.isArray(fields.bad_words_ids) ? fields.bad_words_ids : []
  // A text may always end: transformers leaves such words out, too (NoBadWordsLogitsProcessor).
  const lists = words.filter(ids => !(Array.isArray(ids) && ids.length === 1 && ends.includes(ids[0])))
  const suppressed = Array.isArray(fields.suppress_tokens) ? fields.suppress_tokens.map(id => [id]) : []
  const isId = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < vocabSize
  const bannedIds = [...lists, ...suppressed].filter(
    (ids): ids is number[] => Array.isArray(ids) && ids.length > 0 && ids.every(isId),
  )
  const firstTokenId = idOf('forced_bos_token_id')
  const startTokenId = idOf('decoder_start_token_id') ?? source?.startTokenId ?? undefined
  if (source && (startTokenId === undefined || startTokenId >= vocabSize)) {
    throw new ConfigError(
      `${given.file}: "decoder_start_token_id" is missing, and config.json names neither it nor a pad_token_id; ${modelType} needs the id ` +
        'of the token that its texts begin with',
    )
  }
  return {
    ...(bannedIds.length > 0 && { bannedIds }),
    ...(source && startTokenId !== undefined && { startTokenId }),
    ...(source && firstTokenId !== undefined && { firstTokenId }),
  }
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  return (typeof json === 'object' && json !== null ? json : {}) as Readonly<Record<string, unknown>>
}
