/** Documents from files of texts. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import type { ChatTexts } from '../chat-texts.ts'
import { readPair } from '../pairs.ts'
import type { Document } from '../pieces.ts'
import { TrainingError } from './errors.ts'
import { readLines } from './json-lines.ts'
import { filesOf } from './text-files.ts'

/** What turns texts and chats into tokens. */
export interface Readers {
  readonly tokenizer: Tokenizer
  readonly chats: ChatTexts
  /** Lines are pairs of answers. */
  readonly pairs: boolean
}

/** The documents of files, and of the files of texts in folders, by rising names. Throws TrainingError. */
export async function readDocuments(
  paths: readonly string[],
  { tokenizer, chats, pairs }: Readers,
  separator: string,
): Promise<Document[]> {
  const documents: Document[] = []
  const add = (text: string) => {
    const trimmed = text.trim()
    if (trimmed !== '') documents.push({ tokens: tokensOf(trimmed, tokenizer) })
  }
  for (const path of paths) {
    for (const file of await filesOf(path)) {
      if (pairs) {
        readLines(
          file,
          await read(file),
          'chosen and rejected answers ({"prompt": …, "chosen": …, "rejected": …})',
          line => {
            if (line.chosen === undefined || line.rejected === undefined) return false
            documents.push(readPair(line, tokenizer, chats))
            return true
          },
        )
      } else if (extname(file) !== '.jsonl') for (const text of (await read(file)).split(separator)) add(text)
      else {
        readLines(file, await read(file), 'text or messages ({"text": "…"} or {"messages": […]})', line => {
          if (typeof line.text === 'string') add(line.text)
          else if (line.messages === undefined) return false
          else for (const document of chats.documents(line.messages, line.tools)) documents.push(document)
          return true
        })
      }
    }
  }
  if (documents.length === 0) throw new TrainingError(`There is no text in ${paths.join(', ')}`)
  return documents
}

/** Tells these documents from others: a run goes on with those it was begun with. */
export function fingerprint(documents: readonly Document[]): string {
  const hash = createHash('sha256')
  let count = 0
  for (const { tokens, learned, pair } of documents) {
    hash.update(Int32Array.of(tokens.length)).update(tokens)
    if (learned) hash.update(learned)
    if (pair) hash.update(Int32Array.of(pair.chosen, ...pair.prompts))
    count += tokens.length
  }
  return `${documents.length} documents, ${count} tokens, ${hash.digest('hex').slice(0, 32)}`
}

/** Begins as a prompt does, and ends with the token that ends a text. */
function tokensOf(text: string, tokenizer: Tokenizer): Int32Array {
  const ids = tokenizer.encodePrompt(text)
  const { eosId } = tokenizer
  return Int32Array.from(eosId === undefined || ids.at(-1) === eosId ? ids : [...ids, eosId])
}

async function read(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_STRING_TOO_LONG' || code === 'ERR_FS_FILE_TOO_LARGE') {
      throw new TrainingError(`${file} is too large to be read at once; cut it into files of less than 512 MB`)
    }
    if (error instanceof TypeError) throw new TrainingError(`${file} is no UTF-8 text`)
    throw error
  }
}
