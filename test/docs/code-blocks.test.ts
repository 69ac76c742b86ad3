/** Every code block of README and docs does what the page says: it is compiled strictly and run on the bundled model. */
import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Block, blocksOf, PAGES, prose, ROOT } from './blocks.ts'

const blocks = PAGES.flatMap(blocksOf)
const programs = blocks.filter(({ language }) => ['ts', 'js', 'mjs'].includes(language))
/** Blocks that begin with a prompt show an output, too; the tests of their pages hold them. */
const commands = blocks.filter(({ language, code }) => language === 'sh' && !code.startsWith('$ '))

/** In the package, so that the name `latentkit` is the built package. */
const CODE = join(ROOT, 'build', 'code-blocks')
const playground = mkdtempSync(join(tmpdir(), 'latentkit-docs-'))
const MAIN = join(ROOT, 'dist', 'apps', 'cli', 'main.js')

/** What the pages' examples find beside them: a model with a chat template, a GGUF file, a text. */
beforeAll(async () => {
  const bundled = join(ROOT, 'models', 'tales-mla-8m')
  const model = join(playground, 'my-model')
  mkdirSync(model)
  for (const file of readdirSync(bundled)) symlinkSync(join(bundled, file), join(model, file))
  const config = join(model, 'tokenizer_config.json')
  const { ...tokenizer } = JSON.parse(readFileSync(config, 'utf8'))
  rmSync(config)
  const chat_template =
    '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}'
  writeFileSync(config, JSON.stringify({ ...tokenizer, chat_template }))
  symlinkSync(join(ROOT, 'test', 'mcp', 'server.mjs'), join(playground, 'my-server.mjs'))
  writeFileSync(join(playground, 'book.txt'), 'Once upon a time there was a king who had three sons. '.repeat(60))
  mkdirSync(join(playground, 'bin'))
  const program = join(playground, 'bin', 'latentkit')
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`)
  chmodSync(program, 0o755)
  const { stderr, code } = await run(program, ['convert', './my-model', './model.gguf', '--weights', 'q8_0'])
  if (code !== 0) throw new Error(stderr)
  rmSync(CODE, { recursive: true, force: true })
  mkdirSync(CODE, { recursive: true })
}, 120_000)

afterAll(() => {
  rmSync(CODE, { recursive: true, force: true })
  rmSync(playground, { recursive: true, force: true })
})

const nameOf = ({ place }: Block) => place.replace(/\W/g, '-')

describe('programs', () => {
  it('compile strictly', { timeout: 120_000 }, () => {
    const files = programs
      .filter(({ mark }) => mark !== 'no-check')
      .map(block => {
        const file = join(CODE, `${nameOf(block)}.ts`)
        // A block without an import is a module all the same.
        writeFileSync(file, `${block.code}\nexport {}\n`)
        return file
      })
    const program = ts.createProgram(files, {
      strict: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      types: ['node'],
      rootDir: CODE,
      skipLibCheck: true,
    })
    const found = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
      return `${file?.fileName.slice(CODE.length + 1)} line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
    expect(found).toEqual([])
    program.emit()
  })

  const runnable = programs.filter(({ mark }) => mark === null)
  it.each(runnable.map(block => [block.place, block] as const))('%s runs', { timeout: 120_000 }, async (_, block) => {
    const { code, stderr } = await run(process.execPath, [join(CODE, `${nameOf(block)}.js`)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})

it("README's example runs as `tsc --init` compiles it: nothing is turned into older code", {
  timeout: 120_000,
}, async () => {
  const [{ code: source }] = programs.filter(({ place }) => place.startsWith('README')) as [Block]
  const compilerOptions = { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  const file = join(CODE, 'readme-as-it-is.mjs')
  writeFileSync(file, ts.transpileModule(source, { compilerOptions }).outputText)
  const { code, stderr } = await run(process.execPath, [file])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

describe('commands', () => {
  const runnable = commands.filter(({ mark }) => mark === null)
  it.each(runnable.map(block => [block.place, block] as const))('%s run', { timeout: 240_000 }, async (_, block) => {
    const { code, stderr } = await run('sh', ['-e', '-c', block.code])
    expect(code, stderr).toBe(0)
  })
})

it('what is not run says why', () => {
  const marked = blocks
    .filter(({ mark }) => mark !== null)
    .map(({ place, reason }) => `${place.split(':')[0]}: ${reason}`)
  expect(marked).toMatchInlineSnapshot(`
    [
      "CONTRIBUTING.md: builds everything",
      "CONTRIBUTING.md: the tests themselves",
      "README.md: the tests run in a clone that has done this",
      "README.md: it serves until it is stopped",
      "docs/api.md: a CommonJS file; test/package/consumers.test.ts compiles and runs it",
      "docs/batch.md: the file is the reader's",
      "docs/browser.md: it takes minutes, and installs the rivals on its first run",
      "docs/cache.md: chats need a terminal",
      "docs/capacity.md: it learns for minutes",
      "docs/claims.md: it compiles the benches first",
      "docs/embeddings.md: needs a reranker from the hub",
      "docs/encoder-decoders.md: the model is not part of the package",
      "docs/encoder-decoders.md: the model is not part of the package",
      "docs/explorer.md: it runs until it is stopped",
      "docs/explorer.md: it runs until it is stopped",
      "docs/explorer.md: it runs until it is stopped",
      "docs/infill.md: the model is downloaded",
      "docs/inspect.md: it needs a model that does not come with the package",
      "docs/install.md: installs from the registry; test/package/install.test.ts does it with packed files",
      "docs/ladder.md: learns for minutes",
      "docs/latentify.md: the model and the texts are not in the repository",
      "docs/latentify.md: it takes half an hour",
      "docs/models.md: the model is downloaded",
      "docs/models.md: the model is downloaded",
      "docs/performance.md: takes minutes",
      "docs/performance.md: it measures programs that are built elsewhere",
      "docs/performance.md: it writes 9 GB and takes a quarter of an hour",
      "docs/performance.md: it measures a program that is built elsewhere",
      "docs/quality.md: the model and the text are not in the repository",
      "docs/quality.md: takes an hour",
      "docs/server.md: it serves until it is stopped",
      "docs/server.md: it needs the server",
      "docs/server.md: it needs a server started with --slot-save-path ./slots",
      "docs/speculation.md: the model is not in the repository",
      "docs/training.md: the text is the reader's",
      "docs/training.md: the runs are the reader's",
      "docs/training.md: the model and the adapter are not in the repository",
      "docs/training.md: the model and the chats are not in the repository",
      "docs/training.md: takes an hour",
    ]
  `)
})

it.each(PAGES)('%s has no code without a fence, and every fence names its language', page => {
  const lines = prose(page)
  const indented = lines.filter(({ line }, i) => /^ {4}\S/.test(line) && lines[i - 1]?.line === '')
  expect(indented).toEqual([])
  expect(blocksOf(page).filter(({ language }) => language === '')).toEqual([])
})

function run(program: string, args: readonly string[]) {
  const env = {
    PATH: [join(playground, 'bin'), process.env.PATH].join(delimiter),
    HOME: playground,
    HF_HUB_OFFLINE: '1',
    LATENTKIT_CACHE_DIR: join(playground, 'cache'),
    LATENTKIT_STATE_DIR: join(playground, 'state'),
  }
  return new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve => {
    const child = execFile(program, args, { cwd: playground, env, maxBuffer: 64 << 20 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    )
    child.stdin?.end()
  })
}
