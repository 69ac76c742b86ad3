import { extname } from 'node:path'
import { writeFolder } from '../../conversion/hub/write-folder.ts'
import { OptionError } from '../../errors.ts'
import { list, type OptionTable, signal, text, whole } from '../../options/kinds.ts'
import { readArgument, readOptions } from '../../options/read-options.ts'
import { type BpeTraining, trainBpe } from '../../tokenizer/train/bpe-trainer.ts'
import { tokenizerConfig, tokenizerJson } from '../../tokenizer/train/files.ts'
import { countWords, wordsOf } from '../../tokenizer/train/words.ts'
import { TrainingError } from './errors.ts'
import { type JsonLine, readLine } from './texts/json-lines.ts'
import { LongText } from './texts/long-text.ts'
import { filesOf } from './texts/text-files.ts'
import { FileReader } from './texts/text-stream.ts'

/** Options of `trainTokenizer`. */
export interface TokenizerTraining {
  /** Tokens of the vocabulary, the special ones and those of the 256 bytes among them. Fewer where the texts give fewer. */
  readonly vocabulary: number
  /** Tokens that are met so often in a row become one; rarer ones never. Default 2. */
  readonly minFrequency?: number
  /** Control tokens, first in the vocabulary; the first of them ends a text. Default `<|endoftext|>`. */
  readonly specialTokens?: readonly string[]
  /** Ends a document in a text file. Default `<|endoftext|>`. */
  readonly separator?: string
  /** Ends the work; then nothing is written. */
  readonly signal?: AbortSignal
}

/** Result of `trainTokenizer`. */
export interface TrainedTokenizer {
  /** Tokens of the vocabulary. */
  readonly vocabulary: number
  /** Merges of two tokens to one. */
  readonly merges: number
  /** Documents that were read. */
  readonly documents: number
  /** Bytes of texts that were read. */
  readonly bytes: number
  /** Paths of what was written. */
  readonly files: readonly string[]
}

const END = '<|endoftext|>'
const BYTES = 256
const WRITTEN = /^tokenizer(_config)?\.json$/
/** Ids are below it everywhere in latentkit. */
const MOST = 2 ** 26

export const TOKENIZER_OPTIONS = {
  vocabulary: { kind: whole(BYTES + 1, MOST), description: 'tokens of the vocabulary', flag: '--vocabulary <n>' },
  minFrequency: {
    kind: whole(1),
    description: 'how often two tokens have to meet to become one',
    defaultText: '2',
    flag: '--min-frequency <n>',
  },
  specialTokens: {
    kind: list(text, 'tokens'),
    description: 'control tokens; the first ends a text',
    defaultText: END,
    flag: '--special-tokens <token...>',
  },
  separator: {
    kind: text,
    description: 'what ends a document in a text file',
    defaultText: END,
    flag: '--separator <text>',
  },
  signal: { kind: signal, description: 'ends the work' },
} satisfies OptionTable<TokenizerTraining>

/** See `trainTokenizer` of `latentkit/training`. */
export async function trainTokenizer(
  texts: readonly string[],
  folder: string,
  given: TokenizerTraining,
): Promise<TrainedTokenizer> {
  const options = readOptions<TokenizerTraining>(TOKENIZER_OPTIONS, 'trainTokenizer', given)
  readArgument(list(text, 'paths'), 'texts', texts)
  readArgument(text, 'folder', folder)
  const { specialTokens = [END], separator = END, minFrequency = 2, signal } = options
  checkSpecial(specialTokens, options.vocabulary)
  const reader = new FileReader(signal)
  const { counts, documents } = await readWords(texts, separator, reader)
  const training: BpeTraining = { vocabulary: options.vocabulary, minFrequency, specialTokens }
  const trained = trainBpe(counts, training)
  const written = {
    'tokenizer.json': tokenizerJson(trained, specialTokens),
    'tokenizer_config.json': tokenizerConfig(specialTokens[0] as string),
  }
  const files = await writeFolder(folder, WRITTEN, { signal }, async open => {
    for (const [name, content] of Object.entries(written)) {
      await (await open(name)).write(new TextEncoder().encode(`${JSON.stringify(content, null, 1)}\n`))
    }
  })
  return { vocabulary: trained.tokens.length, merges: trained.merges.length, documents, bytes: reader.bytes, files }
}

function checkSpecial(tokens: readonly string[], vocabulary: number): void {
  if (tokens.length === 0) throw new OptionError('specialTokens is empty; expected at least the token that ends a text')
  const least = new Set(tokens).size + BYTES
  if (least > vocabulary) {
    throw new OptionError(`vocabulary is ${vocabulary}; bytes and special tokens alone are ${least}`)
  }
  if (new Set(tokens).size < tokens.length) throw new OptionError('specialTokens has a token twice; expected each once')
  const short = tokens.find(token => [...token].length < 2)
  if (short !== undefined) {
    throw new OptionError(`specialTokens has ${JSON.stringify(short)}, a letter; expected marks such as ${END}`)
  }
}

async function readWords(texts: readonly string[], separator: string, reader: FileReader) {
  const counts = new Map<string, number>()
  let documents = 0
  let document: LongText<string> | null = null
  const add = (part: string, where: string) => {
    document ??= new LongText(wordsOf, where)
    for (const words of document.add(part)) countWords(words, counts)
  }
  const end = () => {
    const words = document?.end()
    document = null
    if (!words) return
    countWords(words, counts)
    documents++
  }
  for (const path of texts) {
    for (const file of await filesOf(path)) {
      if (extname(file) !== '.jsonl') {
        for await (const part of reader.documents(file, separator)) {
          if (part === null) end()
          else add(part, `A document of ${file}`)
        }
        continue
      }
      let number = 0
      for await (const line of reader.lines(file)) {
        const where = `${file}, line ${++number}`
        for (const text of readLine(where, line, 'text or messages', textsOf) ?? []) {
          add(text, where)
          end()
        }
      }
    }
  }
  if (documents === 0) throw new TrainingError(`There is no text in ${texts.join(', ')}`)
  return { counts, documents }
}

/** Of a line its text, or what its messages say. */
function textsOf({ text, messages }: JsonLine): readonly string[] | undefined {
  if (typeof text === 'string') return [text]
  if (!Array.isArray(messages)) return undefined
  return messages.flatMap((message: unknown) => {
    const content = typeof message === 'object' && message !== null ? (message as JsonLine).content : undefined
    return typeof content === 'string' ? [content] : []
  })
}
