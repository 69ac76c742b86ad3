/** The files that sentence-transformers adds to a model: modules.json, a folder for each module, prompts. */
import { CheckpointError } from '../errors.ts'
import type { EmbeddingFacts, PoolingMode } from './embedding-facts.ts'
import { type JsonObject, readJson, readJsonList } from './json-file.ts'
import { quote } from './quote.ts'
import type { CheckpointFiles } from './source/checkpoint-files.ts'

export const MODULES_FILE = 'modules.json'
const PROMPTS_FILE = 'config_sentence_transformers.json'
/** Of the first module; its name has had the model's kind in it. */
const TRANSFORMER_FILE = /^sentence_[\w-]+_config\.json$/
const MAX_JSON = 1 << 20

/** Whether a file, named with its folder, is one of these. */
export function isSentenceFile(name: string): boolean {
  return name === MODULES_FILE || name === PROMPTS_FILE || TRANSFORMER_FILE.test(name) || isModuleConfig(name)
}

/** `1_Pooling/config.json` */
export function isModuleConfig(name: string): boolean {
  return /^\d+_\w+\/config\.json$/.test(name)
}

/** Damage is reported when vectors are asked for: the model may be meant for something else. Default: no facts. */
export async function readSentenceFiles(files: CheckpointFiles): Promise<EmbeddingFacts | undefined> {
  const sentenceFiles = [...files.names].filter(isSentenceFile)
  if (sentenceFiles.length === 0) return undefined
  try {
    return { ...(await readModules(files)), ...(await readLimit(files, sentenceFiles)), ...(await readPrompts(files)) }
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    return { refused: error.message }
  }
}

async function readModules(files: CheckpointFiles): Promise<EmbeddingFacts> {
  if (!files.names.has(MODULES_FILE)) return {}
  const source = await files.open(MODULES_FILE)
  const modules = await readJsonList(source, MAX_JSON)
  let facts: EmbeddingFacts = { normalize: false }
  for (const [i, { type, path }] of modules.entries()) {
    const kind = typeof type === 'string' ? type.slice(type.lastIndexOf('.') + 1) : ''
    if (kind === 'Transformer' && i === 0) continue
    if (kind === 'Pooling') facts = { ...facts, ...(await readPooling(files, `${String(path)}/config.json`)) }
    else if (kind === 'Normalize') facts = { ...facts, normalize: true }
    else {
      const what = `${files.name}/${MODULES_FILE} has a module of type ${quote(String(type), 80)}`
      return { refused: `${what}; latentkit computes Transformer, Pooling and Normalize` }
    }
  }
  return facts
}

/** By the keys of a pooling's config that choose one mode. */
const MODES: Readonly<Record<string, PoolingMode>> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  pooling_mode_lasttoken: 'last',
}
/** Newer files name it. */
const NAMED: Readonly<Record<string, PoolingMode>> = { mean: 'mean', cls: 'cls', lasttoken: 'last' }

async function readPooling(files: CheckpointFiles, name: string): Promise<EmbeddingFacts> {
  if (!files.names.has(name)) throw new CheckpointError(`${files.name} has no ${name}, which ${MODULES_FILE} names`)
  const config = await readJson(await files.open(name), MAX_JSON)
  const where = `${files.name}/${name}`
  const { pooling_mode: named } = config
  const chosen =
    typeof named === 'string'
      ? [named]
      : Object.keys(config).filter(key => key.startsWith('pooling_mode_') && config[key] === true)
  const [mode, ...others] = chosen.map(key => (typeof named === 'string' ? NAMED[key] : MODES[key]))
  if (mode === undefined || others.length > 0) {
    return { refused: `${where} pools by ${chosen.join(' and ') || 'nothing'}; latentkit pools by mean, last or cls` }
  }
  if (config.include_prompt === false) {
    return { refused: `${where} leaves the prompt out of the pooling (include_prompt), which latentkit does not` }
  }
  return { pooling: mode }
}

async function readLimit(files: CheckpointFiles, names: readonly string[]): Promise<EmbeddingFacts> {
  const name = names.find(file => TRANSFORMER_FILE.test(file))
  if (name === undefined) return {}
  const { max_seq_length: tokens } = await readJson(await files.open(name), MAX_JSON)
  if (tokens === undefined || tokens === null) return {}
  if (Number.isSafeInteger(tokens) && (tokens as number) > 0) {
    return { limit: { tokens: tokens as number, file: name } }
  }
  throw new CheckpointError(
    `${files.name}/${name}: "max_seq_length" is ${quote(String(tokens), 60)}; expected an integer`,
  )
}

async function readPrompts(files: CheckpointFiles): Promise<EmbeddingFacts> {
  if (!files.names.has(PROMPTS_FILE)) return {}
  const config = await readJson(await files.open(PROMPTS_FILE), MAX_JSON)
  const { prompts, default_prompt_name: name } = config
  const fail = (key: string, expected: string): never => {
    throw new CheckpointError(`${files.name}/${PROMPTS_FILE}: "${key}" is not ${expected}`)
  }
  if (prompts === undefined || prompts === null) return {}
  if (typeof prompts !== 'object' || Array.isArray(prompts)) fail('prompts', 'an object of texts')
  const texts = Object.entries(prompts as JsonObject)
  if (texts.some(([, text]) => typeof text !== 'string')) fail('prompts', 'an object of texts')
  const found = Object.fromEntries(texts) as Record<string, string>
  if (name === undefined || name === null) return { prompts: found }
  if (typeof name !== 'string' || !Object.hasOwn(found, name)) fail('default_prompt_name', 'one of its prompts')
  return { prompts: found, defaultPrompt: name as string }
}
