/** Texts and chats as documents in a file of tokens. */
import { extname } from 'node:path'
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts'
import type { ChatTexts } from '../../chat-texts.ts'
import { readPair } from '../../pairs.ts'
import type { Document } from '../../pieces.ts'
import { readLine } from './json-lines.ts'
import { LongText } from './long-text.ts'
import type { FileReader } from './text-stream.ts'
import type { TokenWriter } from './token-file.ts'

/** What turns texts and chats into tokens. */
export interface Readers {
  readonly tokenizer: Tokenizer
  readonly chats: ChatTexts
  /** Lines are pairs of answers. */
  readonly pairs: boolean
  /** Ends a document in a text file. */
  readonly separator: string
}

const PAIRS = 'chosen and rejected answers ({"prompt": …, "chosen": …, "rejected": …})'
const LINES = 'text or messages ({"text": "…"} or {"messages": […]})'

/** Adds the documents of a file. Yields now and then. Throws TrainingError. */
export async function* tokenise(
  file: string,
  reader: FileReader,
  readers: Readers,
  writer: TokenWriter,
): AsyncGenerator<void, void, void> {
  if (readers.pairs || extname(file) === '.jsonl') yield* tokeniseLines(file, reader, readers, writer)
  else yield* tokeniseText(file, reader, readers, writer)
}

async function* tokeniseText(
  file: string,
  reader: FileReader,
  { tokenizer, separator }: Readers,
  writer: TokenWriter,
): AsyncGenerator<void, void, void> {
  const begun = () => new Growing(tokenizer, `A document of ${file}`, writer)
  let document = begun()
  for await (const part of reader.documents(file, separator)) {
    if (part !== null) await document.add(part)
    else {
      await document.end()
      document = begun()
    }
    yield
  }
}

async function* tokeniseLines(
  file: string,
  reader: FileReader,
  readers: Readers,
  writer: TokenWriter,
): AsyncGenerator<void, void, void> {
  const { tokenizer, chats, pairs } = readers
  let number = 0
  for await (const line of reader.lines(file)) {
    number++
    const where = `${file}, line ${number}`
    const found = readLine(where, line, pairs ? PAIRS : LINES, (value): string | readonly Document[] | undefined => {
      if (pairs) {
        return value.chosen === undefined || value.rejected === undefined
          ? undefined
          : [readPair(value, tokenizer, chats)]
      }
      if (typeof value.text === 'string') return value.text
      return value.messages === undefined ? undefined : chats.documents(value.messages, value.tools)
    })
    if (typeof found === 'string') {
      const document = new Growing(tokenizer, where, writer)
      await document.add(found)
      await document.end()
    } else for (const document of found ?? []) await writer.add(document)
    yield
  }
}

/** A text on its way to the file of tokens: begins as a prompt does, and ends with the token that ends a text. */
class Growing {
  readonly #text: LongText<number>
  readonly #writer: TokenWriter
  readonly #eos: number | undefined
  #length = 0
  #last: number | undefined

  constructor(tokenizer: Tokenizer, where: string, writer: TokenWriter) {
    const ids = (text: string, first: boolean) =>
      first ? tokenizer.encodePrompt(text) : tokenizer.encode(text, { addSpecialTokens: false })
    this.#text = new LongText(ids, where)
    this.#writer = writer
    this.#eos = tokenizer.eosId
  }

  async add(text: string): Promise<void> {
    for (const ids of this.#text.add(text)) await this.#write(ids)
  }

  async end(): Promise<void> {
    const ids = this.#text.end()
    if (ids === null) return
    await this.#write(ids)
    if (this.#eos !== undefined && this.#last !== this.#eos) await this.#write([this.#eos])
    this.#writer.end(this.#length, false)
  }

  async #write(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return
    await this.#writer.write(ids)
    this.#length += ids.length
    this.#last = ids.at(-1)
  }
}
