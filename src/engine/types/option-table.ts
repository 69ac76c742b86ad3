/**
 * Every option of the engine once: its kind and range, and a sentence. Checks read it, and so do flags and help of the command
 * line. The types in `options.ts` say the same to TypeScript; the compiler holds each table to its type.
 */
import { CACHE_TYPE_NAMES } from '../../cache/types.ts'
import { FIND_OPTIONS } from '../../checkpoint/find-options.ts'
import { FORMAT_NAMES } from '../../formats/table/format.ts'
import { KERNEL_SETS } from '../../kernels/contract/kernels.ts'
import {
  anyText,
  callback,
  choice,
  data,
  expression,
  fields,
  flag,
  list,
  nested,
  number,
  type OptionTable,
  schema,
  signal,
  text,
  textBiases,
  whole,
} from '../../options/kinds.ts'
import { ENCODABLE_TYPES } from '../../quant/numbers.ts'
import { SAMPLING_OPTIONS } from '../../sampling/options.ts'
import type { ChatOptions, ConversationOptions } from './chat.ts'
import type {
  BeamOptions,
  ChatTemplateOptions,
  DetokenizeOptions,
  EmbedOptions,
  InfillText,
  LoadOptions,
  OutputOptions,
  PromptOptions,
  RerankOptions,
  RestoreOptions,
  ResumeOptions,
  RollingOptions,
  SaveOptions,
  SessionOptions,
  TokenizeOptions,
} from './options.ts'

export const LOAD_OPTIONS = {
  kernels: {
    kind: choice(['auto', ...KERNEL_SETS]),
    description: 'what computes',
    defaultText: 'auto',
    flag: '--kernels <name>',
  },
  threads: { kind: whole(1), description: 'compute threads', defaultText: 'all cores', flag: '--threads <n>' },
  isa: {
    kind: choice(['avx512bf16', 'avx512', 'avx2', 'neon', 'portable', 'simd128', 'relaxed-simd']),
    description: 'a lower instruction set',
    defaultText: 'the best',
    flag: '--isa <name>',
  },
  cacheType: {
    kind: choice(CACHE_TYPE_NAMES),
    description: 'type of the cached numbers',
    defaultText: 'f16 or bf16',
    flag: '--cache-type <type>',
  },
  weights: {
    kind: choice(ENCODABLE_TYPES),
    description: 'turn the weights into a type',
    defaultText: 'as stored',
    flag: '--weights <type>',
  },
  exact: {
    kind: flag,
    description: 'compute on quantised weights in f32: slower; decides close calls as the file does',
    flag: '--exact',
  },
  contextLength: {
    kind: whole(1),
    description: 'tokens a session may hold',
    defaultText: "the model's",
    flag: '--context <n>',
  },
  cacheBytes: {
    kind: whole(1),
    description: 'bound on all caches, in bytes',
    defaultText: 'none',
    flag: '--cache-bytes <n>',
  },
  keptBytes: {
    kind: whole(0),
    description: 'bound on what no session holds any more, in bytes',
    defaultText: 'cacheBytes, else 1 GiB',
  },
  cacheDir: {
    kind: text,
    description: 'where later runs find what this one has read',
    defaultText: 'nothing is kept',
    flag: '--cache-dir <folder>',
  },
  cacheDirBytes: {
    kind: whole(1),
    description: 'bound on that folder, of all models',
    defaultText: '2GiB',
    flag: '--cache-dir-bytes <n>',
  },
  chunkSize: { kind: whole(1), description: 'tokens of one step', defaultText: '512', flag: '--chunk <n>' },
  draft: { kind: text, description: 'a small model of the same tokens that guesses ahead', flag: '--draft <model>' },
  mtp: {
    kind: choice(['off', 'on', 'auto']),
    description: "guess ahead with the model's own multi-token prediction: on, off, auto",
    defaultText: 'off',
    flag: '--mtp <when>',
  },
  lora: {
    kind: text,
    description: 'a LoRA adapter, its folder or GGUF file, applied without merging',
    defaultText: 'none',
    flag: '--lora <path>',
  },
  chatTemplate: { kind: anyText, description: "a chat template (Jinja) in place of the model's own" },
  fallbackTemplate: { kind: anyText, description: 'a chat template (Jinja) for a model that has none' },
  ...FIND_OPTIONS,
  inline: { kind: flag, description: "run in the caller's thread" },
  onNotice: { kind: callback, description: 'hears what went wrong and does no harm' },
} satisfies OptionTable<LoadOptions>

export const BEAM_OPTIONS = {
  width: { kind: whole(1), description: 'texts that are followed at once', flag: '--beams <n>' },
  lengthPenalty: {
    kind: number(),
    description: '0 favours short texts, above 1 long ones',
    defaultText: '1',
    flag: '--length-penalty <x>',
  },
  earlyStopping: { kind: flag, description: 'end with the first texts that end' },
} satisfies OptionTable<BeamOptions>

export const INFILL_TEXT = {
  prefix: { kind: anyText, description: 'the text before the gap' },
  suffix: {
    kind: anyText,
    description: 'the text after the gap: the model writes what goes between',
    flag: '--suffix <text>',
  },
} satisfies OptionTable<InfillText>

const RESUME_OPTIONS = {
  tokenIds: { kind: list(whole(0), 'token ids'), description: 'ids that the answer has so far' },
} satisfies OptionTable<ResumeOptions>

const TEMPLATE_DATA = {
  tools: {
    kind: list(data, 'tool definitions'),
    description: "tool definitions in OpenAI's form, for the chat template",
  },
  templateVariables: { kind: fields, description: 'further variables of the chat template' },
  continueFinalMessage: { kind: flag, description: 'go on with the last message instead of answering it' },
} as const

const OUTPUT = {
  schema: { kind: schema, description: 'a JSON schema that the text satisfies', flag: '--schema <file>' },
  json: { kind: flag, description: 'a JSON object', flag: '--json-output' },
  regex: {
    kind: expression,
    description: 'what this regular expression matches',
    flag: '--regex <expression>',
  },
  choices: { kind: list(text, 'texts'), description: 'one of these texts', flag: '--choice <text>' },
  grammar: { kind: text, description: 'a text of this grammar (Lark)', flag: '--grammar <file>' },
} satisfies OptionTable<OutputOptions>

export const PROMPT_OPTIONS = {
  ...SAMPLING_OPTIONS,
  logitBias: {
    kind: textBiases,
    description: "added to a token's logit; -Infinity: never",
    flag: '--logit-bias <token=x>',
  },
  ...OUTPUT,
  maxTokens: {
    kind: whole(0),
    description: 'end after n tokens',
    defaultText: 'until the text or the context ends',
    flag: '--max-tokens <n>',
  },
  stopSequences: { kind: list(text, 'texts'), description: 'end before any of these texts', flag: '--stop <text>' },
  minTokens: {
    kind: whole(0),
    description: 'do not end before n tokens',
    defaultText: "the model's, else 0",
    flag: '--min-tokens <n>',
  },
  bannedTexts: {
    kind: list(text, 'texts'),
    description: 'texts that never appear: the token that completes one is not drawn',
    flag: '--ban <text>',
  },
  thinkingBudget: {
    kind: whole(0),
    description: 'end the reasoning after n tokens',
    defaultText: 'no bound',
    flag: '--thinking-budget <n>',
  },
  ignoreEos: { kind: flag, description: 'go on after the end of the text', flag: '--ignore-eos' },
  addSpecialTokens: { kind: flag, description: "put the model's begin-of-text token first", defaultText: 'true' },
  attentionPath: {
    kind: choice(['expanded', 'absorbed']),
    description: "MLA's path",
    defaultText: 'chosen by position',
    flag: '--path <path>',
  },
  strict: { kind: flag, description: 'reuse only rows that a cold run would compute bit for bit' },
  reuse: { kind: flag, description: 'use what is cached', defaultText: 'true' },
  useCache: {
    kind: flag,
    description: 'keep keys and values while the text is written; false computes all tokens again for each one',
    defaultText: 'true',
  },
  resume: { kind: nested(RESUME_OPTIONS), description: 'continue an answer that was begun elsewhere' },
  beams: { kind: nested(BEAM_OPTIONS), description: 'beam search instead of drawing' },
  logprobs: { kind: whole(0), description: "log-probabilities of each token and of so many of its place's likeliest" },
  speculation: {
    kind: choice(['off', 'ngram', 'draft', 'mtp']),
    description: 'guess ahead, same text',
    defaultText: 'what is loaded for it, else off',
    flag: '--speculate <way>',
  },
  priority: { kind: whole(), description: 'the higher goes first', defaultText: '0' },
  skipSpecialTokens: { kind: flag, description: 'special tokens give no text', defaultText: 'true' },
  parseSpecial: {
    kind: flag,
    description: 'control tokens that are written out are these tokens',
    defaultText: 'true for a text',
  },
  ...TEMPLATE_DATA,
  onPromptProgress: { kind: callback, description: 'hears how far the prompt is read' },
  signal: { kind: signal, description: 'ends the text' },
} satisfies OptionTable<PromptOptions>

function without<T extends object, K extends keyof T>(rows: T, names: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(rows).filter(([name]) => !names.includes(name as K))) as Omit<T, K>
}

/** Without tools, which are read apart. */
export const CONVERSATION_OPTIONS = {
  templateVariables: TEMPLATE_DATA.templateVariables,
  continueFinalMessage: TEMPLATE_DATA.continueFinalMessage,
  toolChoice: {
    kind: data,
    description: "whether tools may be called: 'auto', 'required', 'none', or { name }",
    defaultText: 'auto',
  },
  format: {
    kind: choice(FORMAT_NAMES),
    description: 'how the model writes calls and reasoning',
    defaultText: 'as its chat template and tokens say',
  },
  reasoningEffort: {
    kind: choice(['none', 'minimal', 'low', 'medium', 'high']),
    description: 'how much the model thinks, where its template has a variable for it',
    defaultText: 'as the template says',
  },
} satisfies OptionTable<Omit<ConversationOptions, 'tools'>>

/** Of `session.chat`, without its tools. */
export const CHAT_OPTIONS = {
  ...without(PROMPT_OPTIONS, ['tools', 'beams', 'skipSpecialTokens', 'addSpecialTokens']),
  ...CONVERSATION_OPTIONS,
  parallel: { kind: flag, description: 'several calls in one answer', defaultText: 'true' },
  maxRounds: { kind: whole(1, 100), description: 'most answers of one chat', defaultText: '8' },
} satisfies OptionTable<Omit<ChatOptions, 'tools'>>

const ROLLING_OPTIONS = {
  keep: { kind: whole(0), description: 'tokens from the start that stay', defaultText: '4' },
  drop: {
    kind: whole(1),
    description: 'tokens after these that are dropped at a time',
    defaultText: 'half of the others',
  },
} satisfies OptionTable<RollingOptions>

export const SESSION_OPTIONS = {
  contextLength: { kind: whole(1), description: 'tokens this session may hold', defaultText: "the engine's" },
  rolling: { kind: nested(ROLLING_OPTIONS), description: 'go on without the oldest tokens where the context is full' },
  cacheSalt: { kind: text, description: 'what is cached is shared with sessions of the same text only' },
} satisfies OptionTable<SessionOptions>

export const SAVE_OPTIONS = {
  rows: { kind: flag, description: 'keep what the model remembers', defaultText: 'true' },
  notes: { kind: data, description: 'anything that JSON can hold' },
} satisfies OptionTable<SaveOptions>

export const RESTORE_OPTIONS = {
  recompute: { kind: flag, description: 'where the rows cannot be used, compute them again' },
  contextLength: { kind: whole(1), description: 'tokens the session may hold', defaultText: 'as when it was saved' },
  cacheSalt: { kind: text, description: 'what is cached is shared with sessions of the same text only' },
  share: { kind: flag, description: 'others find its rows in the cache: only for files that are trusted' },
} satisfies OptionTable<RestoreOptions>

const VECTOR_OPTIONS = {
  truncate: { kind: flag, description: 'cut a text that is too long at its end', flag: '--truncate' },
  onProgress: { kind: callback, description: 'hears how many texts are done' },
  signal: { kind: signal, description: 'ends the work' },
} as const

export const EMBED_OPTIONS = {
  pooling: {
    kind: choice(['mean', 'last', 'cls']),
    description: 'how a vector is made of its tokens',
    defaultText: 'as the model says',
    flag: '--pooling <mode>',
  },
  normalize: { kind: flag, description: 'divide vectors by their length', defaultText: 'as the model says' },
  dimensions: {
    kind: whole(1),
    description: 'the first n numbers of each vector, normalised again (matryoshka)',
    defaultText: 'all',
    flag: '--dimensions <n>',
  },
  promptName: {
    kind: text,
    description: "one of the model's own prompts, put before each text",
    defaultText: "the model's",
    flag: '--prompt-name <name>',
  },
  prompt: { kind: anyText, description: 'put before each text', flag: '--prompt <text>' },
  ...VECTOR_OPTIONS,
} satisfies OptionTable<EmbedOptions>

export const RERANK_OPTIONS = {
  topN: { kind: whole(1), description: 'the best n documents only', defaultText: 'all', flag: '--top-n <n>' },
  ...VECTOR_OPTIONS,
} satisfies OptionTable<RerankOptions>

export const TOKENIZE_OPTIONS = {
  addSpecialTokens: { kind: flag, description: 'let the tokenizer add its special tokens' },
  parseSpecial: {
    kind: flag,
    description: 'control tokens that are written out are these tokens',
    defaultText: 'true',
  },
} satisfies OptionTable<TokenizeOptions>

export const DETOKENIZE_OPTIONS = {
  skipSpecialTokens: { kind: flag, description: 'special tokens give no text' },
} satisfies OptionTable<DetokenizeOptions>

export const TEMPLATE_OPTIONS = {
  addGenerationPrompt: {
    kind: flag,
    description: "end with the opening of the assistant's answer",
    defaultText: 'true',
  },
  ...TEMPLATE_DATA,
} satisfies OptionTable<ChatTemplateOptions>
