import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines } from './run.ts'
import { HAS_TERMINAL, KEY, onTerminal } from './terminal.ts'

const TEMPLATE =
  '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}'
const SHORT = ['--max-tokens', '8', '--seed', '1']

function templated(): string[] {
  return ['--template', join(tempFolder({ 'chat.jinja': TEMPLATE }), 'chat.jinja')]
}

interface JsonAnswer {
  readonly text: string
  readonly finishReason: string
  readonly seed: number
  readonly usage: { readonly promptTokens: number; readonly cachedTokens: number }
}

async function answers(input: string, ...args: string[]): Promise<JsonAnswer[]> {
  const { stdout, code } = await latentkit(['chat', ...SHORT, ...args, '--json'], { input })
  expect(code).toBe(0)
  return lines(stdout).map(line => JSON.parse(line))
}

describe('what is said to a chat', () => {
  it.each([
    ['is plain text', []],
    ['is plain text with a template, too', ['template']],
  ])('%s; --parse-special makes tokens of it', async (_, [template]) => {
    const args = template ? templated() : []
    const [plain] = await answers('a<|endoftext|>b\n', ...args)
    const [parsed] = await answers('a<|endoftext|>b\n', '--parse-special', ...args)
    expect(plain!.usage.promptTokens).toBeGreaterThan(parsed!.usage.promptTokens + 2)
  })
})

describe('chat from a pipe', () => {
  it('answers each line on stdout; one sentence says that there is no template', async () => {
    const { code, stdout, stderr } = await latentkit(['chat', ...SHORT], { input: 'Once upon a time\nThe fox\n' })
    expect(lines(stdout).length).toBeGreaterThanOrEqual(2)
    expect(lines(stderr)).toHaveLength(1)
    expect(stderr).toMatch(/has no chat template/)
    expect(code).toBe(0)
  })

  it('without a template goes on with one text: nothing said is computed again', async () => {
    const [first, second] = await answers('Once upon a time\nThe fox\n')
    expect(first?.usage.cachedTokens).toBe(0)
    // The last token of the answer has no row yet.
    expect(second!.usage.cachedTokens).toBeGreaterThanOrEqual(first!.usage.promptTokens + 7)
    const [again] = await answers('Once upon a time\n')
    expect(again?.text).toBe(first?.text)
  })

  it('with a template renders the conversation, system message first', async () => {
    const all = await answers('Hello\nAnd now?\n', '--system', 'Be brief.', ...templated())
    expect(all).toHaveLength(2)
    expect(all[1]!.usage.cachedTokens).toBeGreaterThan(0)
    const { stderr } = await latentkit(['chat', ...SHORT, ...templated()], { input: 'Hello\n/history\n' })
    expect(stderr).toMatch(/user: Hello\n\nassistant: /)
    expect(stderr).not.toMatch(/no chat template/)
  })

  it('a message may have several lines', async () => {
    const { stderr } = await latentkit(['chat', ...SHORT], {
      input: 'one \\\ntwo\n"""\nthree\\\nfour\n"""\n/history\n',
    })
    expect(stderr).toContain('user: one \ntwo\n')
    expect(stderr).toContain('user: three\\\nfour\n')
  })

  it('/commands work, wrong ones are told and left', async () => {
    const folder = tempFolder()
    const input = [
      'Once',
      '/temperature 0',
      '/temperature hot',
      '/nonsense',
      '/tempreature 1',
      '/set',
      `/save ${folder}/said.json`,
      '/undo',
      '/undo',
      `/load ${folder}/said.json`,
      `/save-transcript ${folder}/said.txt`,
      '/reset',
      '//not a command',
      '/stats',
      '/exit',
      'never reached',
    ].join('\n')
    const { code, stdout, stderr } = await latentkit(['chat', ...SHORT, ...templated()], { input })
    expect(code).toBe(0)
    expect(stderr).toMatch(/error: \/temperature is "hot"\. Expected a finite number of at least 0/)
    expect(stderr).toMatch(/error: there is no \/nonsense; \/help lists/)
    expect(stderr).toMatch(/error: there is no \/tempreature; did you mean \/temperature\?/)
    expect(stderr).toMatch(/^temperature 0$/m)
    expect(stderr).toMatch(/8 tokens · .* · seed 1$/m)
    const said = JSON.parse(readFileSync(`${folder}/said.json`, 'utf8'))
    expect(said.map((m: { role: string }) => m.role)).toEqual(['user', 'assistant'])
    expect(readFileSync(`${folder}/said.txt`, 'utf8')).toMatch(/^user: Once\n\nassistant: /)
    expect(lines(stdout).length).toBeGreaterThanOrEqual(2)
  })

  it('/retry answers again with another seed, the same one without it', async () => {
    const [first, second] = await answers('Once upon a time\n/retry\n', '--temperature', '1')
    expect([first?.seed, second?.seed]).toEqual([1, 2])
  })

  it('a message that does not fit is told, the next is answered, and the exit code says that one was not', async () => {
    const input = `${'long '.repeat(40)}\nOnce\n`
    const { code, stdout, stderr } = await latentkit(['chat', ...SHORT, '--context', '32'], { input })
    expect(stderr).toMatch(/error: .*context is 32/)
    expect(lines(stdout)).toHaveLength(1)
    expect(code).toBe(1)
  })

  it('with --json each question has a line, of its answer or of its error', async () => {
    const input = `Once\n${'long '.repeat(40)}\nThen\n`
    const { code, stdout, stderr } = await latentkit(['chat', ...SHORT, '--context', '32', '--json'], { input })
    const [first, second, third, ...more] = lines(stdout).map(line => JSON.parse(line))
    expect(more).toEqual([])
    expect(first).toMatchObject({ finishReason: 'length', text: expect.any(String) })
    expect(Object.keys(first)).toEqual(['text', 'tokenIds', 'finishReason', 'usage', 'timings', 'seed'])
    expect(second).toEqual({ error: { code: 'context_length', message: expect.stringMatching(/context is 32/) } })
    expect(third).toMatchObject({ finishReason: 'length' })
    expect(stderr).not.toMatch(/error/)
    expect(code).toBe(1)
  })

  it.each([
    ['a template that fails', ['--template', 'TEMPLATE'], 'Hello\n', 1],
    ['a command that fails, when all questions were answered', [], '/nonsense\nOnce\n', 0],
  ])('exit code of %s', async (_, args, input, expected) => {
    const file = join(tempFolder({ 'bad.jinja': "{{ raise_exception('no') }}" }), 'bad.jinja')
    const given = args.map(arg => (arg === 'TEMPLATE' ? file : arg))
    const { code } = await latentkit(['chat', ...SHORT, ...given], { input })
    expect(code).toBe(expected)
  })

  it('--system needs a template', async () => {
    const { code, stderr } = await latentkit(['chat', '--system', 'x'], { input: '' })
    expect(stderr).toMatch(/no chat template, so --system has no place/)
    expect(code).toBe(2)
  })
})

describe.skipIf(!HAS_TERMINAL)('chat on a terminal (needs python3)', () => {
  const LONG = ['chat', '--max-tokens', '1900', '--ignore-eos']

  it('Ctrl-C stops the answer, not the program', () => {
    const { text, code, left } = onTerminal(LONG, [
      ['> ', `Once upon a time${KEY.enter}`],
      ['.', KEY.interrupt],
      ['(stopped)', ''],
      ['> ', `/stats${KEY.enter}`],
      ['stopped · ', ''],
      ['> ', `/exit${KEY.enter}`],
    ])
    expect({ left, text }).toEqual({ left: 0, text: expect.stringContaining('/stats') })
    expect(code).toBe(0)
  })

  it('shows how far a long message is read, and takes the line away', () => {
    const message = 'Once upon a time there was a fox. '.repeat(150).trim()
    const { text, left } = onTerminal(
      ['chat', '--kernels', 'wasm', '--threads', '1', '--max-tokens', '3', '--no-save'],
      [
        ['> ', `${message}${KEY.enter}`],
        ['Reading  ', ''],
        ['tokens', ''],
        ['> ', KEY.end],
      ],
    )
    expect({ left, text }).toEqual({
      left: 0,
      text: expect.stringMatching(/Reading {2}━*─* +\d+ % {2}\d+ of 1,\d+ tokens/),
    })
  })

  it('Ctrl-C twice at an empty prompt leaves; once clears what was typed', () => {
    const { text, code, left } = onTerminal(LONG, [
      ['> ', 'abc'],
      ['abc', KEY.interrupt],
      ['> ', KEY.interrupt],
      ['leaves)', KEY.interrupt],
    ])
    expect({ left, code, text }).toMatchObject({ left: 0, code: 0 })
  })

  it('Ctrl-D leaves', () => {
    expect(onTerminal(LONG, [['> ', KEY.end]])).toMatchObject({ left: 0, code: 0 })
  })

  it('pasted lines are one message; backslashes and a slash in them are text', () => {
    const pasted = `${KEY.paste}one\\\ntwo\n/three${KEY.pasted}`
    const { text, code, left } = onTerminal(
      ['chat', '--max-tokens', '3'],
      [
        ['> ', pasted],
        ['/three', KEY.enter],
        ['> ', `/history${KEY.enter}`],
        ['user: one\\\r\ntwo\r\n/three', ''],
        ['> ', KEY.end],
      ],
    )
    expect({ left, code, text }).toMatchObject({ left: 0, code: 0 })
  })

  it('what is typed during an answer is the next message', () => {
    const { text, code, left } = onTerminal(
      ['chat', '--max-tokens', '300', '--ignore-eos'],
      [
        ['> ', `Once${KEY.enter}`],
        [' ', `/stats${KEY.enter}`],
        ['300 tokens', ''],
        ['> ', KEY.end],
      ],
    )
    expect({ left, code, text }).toMatchObject({ left: 0, code: 0 })
  })

  it('Ctrl-C ends generate with 130', () => {
    const { text, code } = onTerminal(
      ['generate', '--ignore-eos', '--max-tokens', '2000'],
      [['Once upon a time', KEY.interrupt]],
    )
    expect(text).toMatch(/stopped · tales-mla-8m/)
    expect(code).toBe(130)
  })
})

if (!HAS_TERMINAL) console.warn('SKIPPED: 6 tests of the terminal need python3')
