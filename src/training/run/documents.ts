/** Documents from files of texts. */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import type { Document } from '../pieces.ts'
import { TrainingError } from './errors.ts'

const TEXTS = new Set(['.txt', '.md', '.text', '.raw', '.tokens', '.jsonl'])

/** The documents of files, and of the files of texts in folders, by rising names. Throws TrainingError. */
export async function readDocuments(
  paths: readonly string[],
  tokenizer: Tokenizer,
  separator: string,
): Promise<Document[]> {
  const documents: Document[] = []
  for (const path of paths) {
    for (const file of await filesOf(path)) {
      const texts = extname(file) === '.jsonl' ? linesOf(file, await read(file)) : (await read(file)).split(separator)
      for (const text of texts) {
        const trimmed = text.trim()
        if (trimmed !== '') documents.push({ tokens: tokensOf(trimmed, tokenizer) })
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
  for (const { tokens } of documents) {
    hash.update(Int32Array.of(tokens.length)).update(tokens)
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

async function filesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new TrainingError(`${path} is not there; expected a file of texts or a folder of them`)
  if (!found.isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile() && TEXTS.has(extname(entry.name)))
  if (files.length === 0) {
    throw new TrainingError(`${path} has no file of texts; expected names that end in ${[...TEXTS].join(', ')}`)
  }
  return files.map(entry => join(entry.parentPath, entry.name)).sort()
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

function linesOf(file: string, content: string): string[] {
  return content.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const where = `${file}, line ${index + 1}`
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      throw new TrainingError(`${where} is no JSON`)
    }
    const text = typeof value === 'object' && value !== null ? (value as { text?: unknown }).text : undefined
    if (typeof text !== 'string') throw new TrainingError(`${where} has no text; expected {"text": "…"}`)
    return [text]
  })
}
