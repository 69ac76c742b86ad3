import { Checkpoint, type CheckpointContents } from '../../checkpoint/checkpoint.ts'
import { findGguf } from '../../checkpoint/gguf/find-gguf.ts'
import { readGgufHeader } from '../../checkpoint/gguf/header.ts'
import { tokenizerOf } from '../../checkpoint/gguf/tokenizer.ts'
import { cutInterleavedExperts } from '../../checkpoint/interleaved-experts.ts'
import { type JsonObject, readJson, readText } from '../../checkpoint/json-file.ts'
import { refuseWithoutConfig } from '../../checkpoint/other-folders.ts'
import { publishedNames } from '../../checkpoint/saved-names.ts'
import { readSentenceFiles } from '../../checkpoint/sentence-transformers.ts'
import { marianTokenizer } from '../../checkpoint/sentencepiece/marian.ts'
import { t5Tokenizer } from '../../checkpoint/sentencepiece/t5.ts'
import { sentencePieceTokens } from '../../checkpoint/sentencepiece/unigrams.ts'
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import { describeContent } from '../../checkpoint/source/file-kind.ts'
import { cutStackedExperts } from '../../checkpoint/stacked-experts.ts'
import { tokenIdWarnings } from '../../checkpoint/token-ids.ts'
import { readWeightFiles } from '../../checkpoint/weight-files.ts'
import { CheckpointError, ConfigError } from '../../errors.ts'
import { openGguf } from './open-gguf.ts'
import { type TextPart, textPart, textTensors } from './text-part.ts'

export interface OpenOptions {
  /** Read tokenizer.json, tokenizer_config.json and the chat template too. Default true. */
  readonly tokenizer?: boolean
}

const GENERATION_CONFIG = 'generation_config.json'

/** Bytes. Real ones: config below 1 MB, Gemma's tokenizer.json 35 MB. */
const MAX_CONFIG = 8 << 20
const MAX_TOKENIZER = 256 << 20
const MAX_TEMPLATE = 4 << 20

/**
 * Reads the headers and JSON files of a checkpoint: config.json beside model.safetensors or its shards, as on the hub, or
 * the header of a GGUF file. Reads no weights. Throws CheckpointError or ConfigError naming the file and the mistake.
 */
export async function openCheckpoint(files: CheckpointFiles, options: OpenOptions = {}): Promise<Checkpoint> {
  const gguf = findGguf(files)
  if (gguf !== undefined) return openGguf(files, gguf, options)
  if (!files.names.has('config.json')) return refuseWithoutConfig(files)
  const { file: configFile, ...part } = await readConfigFile(files)
  const generation = await readGenerationConfig(files)
  const texts = options.tokenizer === false ? {} : await readTokenizerFiles(files)
  const embedding = await readSentenceFiles(files)
  const { tensors: saved, ...stored } = await readWeightFiles(files)
  const named = publishedNames(saved)
  const text = part.wrapper === null ? null : textTensors(part.wrapper, part, named, stored.absent)
  const { config } = text ?? part
  const { tensors: found, absent } = text ?? { tensors: named, absent: stored.absent }
  const tensors = cutStackedExperts(cutInterleavedExperts(found))
  const warnings = [...stored.warnings, ...(text?.warnings ?? [])]
  return new Checkpoint({
    name: files.name,
    configFile,
    config,
    ...(generation.config && { generationConfig: generation.config }),
    ...texts,
    ...(embedding && { embedding }),
    tensors,
    ...(absent && { absent }),
    warnings: [...warnings, ...tokenIdWarnings(configFile, config), ...generation.warnings],
  })
}

/** config.json, that of the language model where it is a part, and its path. */
export async function readConfigFile(files: CheckpointFiles): Promise<TextPart & { readonly file: string }> {
  const source = await files.open('config.json')
  const file = source.path ?? source.name
  return { ...textPart(await readJson(source, MAX_CONFIG, ConfigError), file), file }
}

/** Holds only defaults for sampling: a damaged file is a warning, not an error. */
export async function readGenerationConfig(files: CheckpointFiles) {
  try {
    const config = await optionalJson(files, GENERATION_CONFIG, MAX_CONFIG)
    return { config, warnings: config ? tokenIdWarnings(`${files.name}/${GENERATION_CONFIG}`, config) : [] }
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    return { warnings: [`${error.message}. The defaults are used`] }
  }
}

type Texts = Pick<CheckpointContents, 'tokenizer' | 'tokenizerConfig' | 'chatTemplate'>

/** The files that tokenization needs. A folder may have them without weights. */
export async function readTokenizerFiles(files: CheckpointFiles): Promise<Texts> {
  const gguf = findGguf(files)
  if (gguf !== undefined) return tokenizerOf((await readGgufHeader(await files.open(gguf))).metadata)
  const whole = await optionalJson(files, 'tokenizer.json', MAX_TOKENIZER)
  const config = await optionalJson(files, 'tokenizer_config.json', MAX_CONFIG)
  const tokenizer = whole ?? (await marianTokenizer(files, config)) ?? (await t5Tokenizer(files, config))
  const tokenizerConfig = whole || !tokenizer ? config : sentencePieceTokens(config)
  const chatTemplate = await readChatTemplate(files)
  return {
    ...(tokenizer && { tokenizer }),
    ...(tokenizerConfig && { tokenizerConfig }),
    ...(chatTemplate !== undefined && { chatTemplate }),
  }
}

async function readChatTemplate(files: CheckpointFiles): Promise<string | undefined> {
  const file = 'chat_template.jinja'
  if (files.names.has(file)) {
    const source = await files.open(file)
    const text = await readText(source, MAX_TEMPLATE, CheckpointError)
    // Any text is a valid template, even a Git LFS pointer or a web page: check for those.
    const other = /\{[{%]/.test(text) || text === '' ? undefined : await describeContent(source)
    if (other !== undefined) throw new CheckpointError(`${source.path ?? source.name} ${other}`)
    return text
  }
  const { chat_template: text } = (await optionalJson(files, 'chat_template.json', MAX_TEMPLATE)) ?? {}
  if (text === undefined || typeof text === 'string') return text
  throw new CheckpointError(`${files.name}: chat_template.json has a "chat_template" that is not text`)
}

async function optionalJson(files: CheckpointFiles, name: string, limit: number): Promise<JsonObject | undefined> {
  return files.names.has(name) ? readJson(await files.open(name), limit) : undefined
}
