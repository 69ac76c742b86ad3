/**
 * Every option of the engine once: its kind and range, and a sentence. Checks read it, and so do flags and help of the command
 * line. The types in `options.ts` say the same to TypeScript; the compiler holds each table to its type.
 */
import { CACHE_TYPE_NAMES } from '../../cache/types.ts'
import { FIND_OPTIONS } from '../../checkpoint/hub/option-table.ts'
import {
  anyText,
  callback,
  choice,
  data,
  fields,
  flag,
  list,
  nested,
  number,
  type OptionTable,
  signal,
  text,
  whole,
} from '../../options/kinds.ts'
import { ENCODABLE_TYPES } from '../../quant/numbers.ts'
import { SAMPLING_OPTIONS } from '../../sampling/options.ts'
import type {
  BeamOptions,
  ChatTemplateOptions,
  DetokenizeOptions,
  LoadOptions,
  PromptOptions,
  RestoreOptions,
  RollingOptions,
  SaveOptions,
  SessionOptions,
  TokenizeOptions,
} from './options.ts'

export const LOAD_OPTIONS = {
  kernels: {
    kind: choice(['auto', 'native', 'wasm', 'reference']),
    says: 'what computes',
    otherwise: 'auto',
    flag: '--kernels <name>',
  },
  threads: { kind: whole(1), says: 'compute threads', otherwise: 'all cores', flag: '--threads <n>' },
  isa: {
    kind: choice(['avx512bf16', 'avx512', 'avx2', 'neon', 'portable']),
    says: 'a lower instruction set',
    otherwise: 'the best',
    flag: '--isa <name>',
  },
  cacheType: {
    kind: choice(CACHE_TYPE_NAMES),
    says: 'type of the cached numbers',
    otherwise: 'f16 or bf16',
    flag: '--cache-type <type>',
  },
  weights: {
    kind: choice(ENCODABLE_TYPES),
    says: 'turn the weights into a type',
    otherwise: 'as stored',
    flag: '--weights <type>',
  },
  exact: {
    kind: flag,
    says: 'compute on quantised weights in f32: slower; decides close calls as the file does',
    flag: '--exact',
  },
  contextLength: {
    kind: whole(1),
    says: 'tokens a session may hold',
    otherwise: "the model's",
    flag: '--context <n>',
  },
  cacheBytes: { kind: whole(1), says: 'bound on all caches, in bytes', otherwise: 'none', flag: '--cache-bytes <n>' },
  keptBytes: {
    kind: whole(0),
    says: 'bound on what no session holds any more, in bytes',
    otherwise: 'cacheBytes, else 1 GiB',
  },
  cacheDir: {
    kind: text,
    says: 'where later runs find what this one has read',
    otherwise: 'nothing is kept',
    flag: '--cache-dir <folder>',
  },
  cacheDirBytes: {
    kind: whole(1),
    says: 'bound on that folder, of all models',
    otherwise: '2GiB',
    flag: '--cache-dir-bytes <n>',
  },
  chunkSize: { kind: whole(1), says: 'tokens of one step', otherwise: '512', flag: '--chunk <n>' },
  draft: { kind: text, says: 'a small model of the same tokens that guesses ahead', flag: '--draft <model>' },
  chatTemplate: { kind: anyText, says: "a chat template (Jinja) in place of the model's own" },
  ...FIND_OPTIONS,
  inline: { kind: flag, says: "run in the caller's thread" },
  onNotice: { kind: callback, says: 'hears what went wrong and does no harm' },
} satisfies OptionTable<LoadOptions>

export const BEAM_OPTIONS = {
  width: { kind: whole(1), says: 'texts that are followed at once', flag: '--beams <n>' },
  lengthPenalty: {
    kind: number(),
    says: '0 favours short texts, above 1 long ones',
    otherwise: '1',
    flag: '--length-penalty <x>',
  },
  earlyStopping: { kind: flag, says: 'end with the first texts that end' },
} satisfies OptionTable<BeamOptions>

const TEMPLATE_DATA = {
  tools: { kind: list(data, 'tool definitions'), says: "tool definitions in OpenAI's form, for the chat template" },
  templateVariables: { kind: fields, says: 'further variables of the chat template' },
  continueFinalMessage: { kind: flag, says: 'go on with the last message instead of answering it' },
} as const

export const PROMPT_OPTIONS = {
  ...SAMPLING_OPTIONS,
  maxTokens: {
    kind: whole(0),
    says: 'end after n tokens',
    otherwise: 'until the text or the context ends',
    flag: '--max-tokens <n>',
  },
  stopSequences: { kind: list(text, 'texts'), says: 'end before any of these texts', flag: '--stop <text>' },
  ignoreEos: { kind: flag, says: 'go on after the end of the text', flag: '--ignore-eos' },
  addSpecialTokens: { kind: flag, says: "put the model's begin-of-text token first", otherwise: 'true' },
  attentionPath: {
    kind: choice(['expanded', 'absorbed']),
    says: "MLA's path",
    otherwise: 'chosen by position',
    flag: '--path <path>',
  },
  strict: { kind: flag, says: 'reuse only rows that a cold run would compute bit for bit' },
  reuse: { kind: flag, says: 'use what is cached', otherwise: 'true' },
  beams: { kind: nested(BEAM_OPTIONS), says: 'beam search instead of drawing' },
  logprobs: { kind: whole(0), says: "log-probabilities of each token and of so many of its place's likeliest" },
  speculation: {
    kind: choice(['off', 'ngram', 'draft']),
    says: 'guess ahead, same text',
    otherwise: 'draft with a draft model, else off',
    flag: '--speculate <way>',
  },
  priority: { kind: whole(), says: 'the higher goes first', otherwise: '0' },
  skipSpecialTokens: { kind: flag, says: 'special tokens give no text', otherwise: 'true' },
  parseSpecial: {
    kind: flag,
    says: 'control tokens that are written out are these tokens',
    otherwise: 'true for a text',
  },
  ...TEMPLATE_DATA,
  onPromptProgress: { kind: callback, says: 'hears how far the prompt is read' },
  signal: { kind: signal, says: 'ends the text' },
} satisfies OptionTable<PromptOptions>

const ROLLING_OPTIONS = {
  keep: { kind: whole(0), says: 'tokens from the start that stay', otherwise: '4' },
  drop: { kind: whole(1), says: 'tokens after these that are dropped at a time', otherwise: 'half of the others' },
} satisfies OptionTable<RollingOptions>

export const SESSION_OPTIONS = {
  contextLength: { kind: whole(1), says: 'tokens this session may hold', otherwise: "the engine's" },
  rolling: { kind: nested(ROLLING_OPTIONS), says: 'go on without the oldest tokens where the context is full' },
} satisfies OptionTable<SessionOptions>

export const SAVE_OPTIONS = {
  rows: { kind: flag, says: 'keep what the model remembers', otherwise: 'true' },
  notes: { kind: data, says: 'anything that JSON can hold' },
} satisfies OptionTable<SaveOptions>

export const RESTORE_OPTIONS = {
  recompute: { kind: flag, says: 'where the rows cannot be used, compute them again' },
  contextLength: { kind: whole(1), says: 'tokens the session may hold', otherwise: 'as when it was saved' },
} satisfies OptionTable<RestoreOptions>

export const TOKENIZE_OPTIONS = {
  addSpecialTokens: { kind: flag, says: 'let the tokenizer add its special tokens' },
  parseSpecial: { kind: flag, says: 'control tokens that are written out are these tokens', otherwise: 'true' },
} satisfies OptionTable<TokenizeOptions>

export const DETOKENIZE_OPTIONS = {
  skipSpecialTokens: { kind: flag, says: 'special tokens give no text' },
} satisfies OptionTable<DetokenizeOptions>

export const TEMPLATE_OPTIONS = {
  addGenerationPrompt: { kind: flag, says: "end with the opening of the assistant's answer", otherwise: 'true' },
  ...TEMPLATE_DATA,
} satisfies OptionTable<ChatTemplateOptions>
