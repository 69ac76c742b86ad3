/** Chats that are longer than the context. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines } from './run.ts'

const TEMPLATE =
  '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}'
const ARGS = ['chat', '--context', '256', '--max-tokens', '40', '--temperature', '0', '--ignore-eos', '--json']
const QUESTIONS = Array.from({ length: 9 }, (_, i) => `And what did the fox of house ${i} say to the girl?`)

function templated(): string[] {
  return ['--system', 'Be brief.', '--template', join(tempFolder({ 'a.jinja': TEMPLATE }), 'a.jinja')]
}

async function talk(input: readonly string[], ...more: string[]) {
  const { code, stdout, stderr } = await latentkit([...ARGS, ...more], { input: `${input.join('\n')}\n` })
  return { code, stderr, turns: lines(stdout).map(line => JSON.parse(line)) }
}

const FULL = /^the context of 256 tokens is full: from here on the oldest messages are left out \(.*--no-roll.*\)$/gm

describe('a chat that fills its context', () => {
  it.each([
    ['with a template', true],
    ['without', false],
  ])('goes on without its oldest messages, says so once, and reads nothing twice: %s', async (_, hasTemplate) => {
    const { code, stderr, turns } = await talk(QUESTIONS, ...(hasTemplate ? templated() : []))
    expect(turns).toHaveLength(QUESTIONS.length)
    expect(stderr.match(FULL)).toHaveLength(1)
    expect(code).toBe(0)
    const prompts = turns.map(({ usage }) => usage.promptTokens)
    expect(Math.max(...prompts)).toBeLessThanOrEqual(256 - 40)
    // It was full more than once.
    expect(prompts.filter((n, i) => i > 0 && n < prompts[i - 1]).length).toBeGreaterThanOrEqual(2)
    // New are the question and the answer's last token; with a template also the answer, whose text may be other tokens.
    for (const { usage } of turns.filter((_, i) => i > 0 && prompts[i] < prompts[i - 1])) {
      expect(usage.promptTokens - usage.cachedTokens).toBeLessThan(hasTemplate ? 80 : 40)
    }
    for (const { finishReason } of turns) expect(finishReason).toBe('length')
  })

  it('keeps the whole conversation in its history', async () => {
    const { stderr } = await talk([...QUESTIONS, '/history'], ...templated())
    expect(stderr.match(/^user: /gm)).toHaveLength(QUESTIONS.length)
    expect(stderr).toMatch(/^system: Be brief\.$/m)
  })

  it('ends with --no-roll: questions fail, and the error says what to do', async () => {
    const { code, stderr, turns } = await talk(QUESTIONS, '--no-roll')
    expect(stderr).not.toMatch(FULL)
    expect(turns.at(-1)).toEqual({
      error: { code: 'context_length', message: expect.stringMatching(/context is 256; .*--context/) },
    })
    expect(code).toBe(1)
  })

  it('tells a question that is too long by itself, and forgets nothing for it', async () => {
    const long = 'word '.repeat(300)
    const { code, stderr, turns } = await talk([QUESTIONS[0] as string, long, QUESTIONS[1] as string], ...templated())
    expect(turns.map(turn => turn.error?.code ?? 'answered')).toEqual(['answered', 'context_length', 'answered'])
    expect(stderr).not.toMatch(FULL)
    expect(turns[2].usage.cachedTokens).toBeGreaterThanOrEqual(turns[0].usage.promptTokens)
    expect(code).toBe(1)
  })

  it('is kept and gone on with', async () => {
    const env = { LATENTKIT_STATE_DIR: tempFolder() }
    const run = (input: readonly string[], ...more: string[]) =>
      latentkit([...ARGS, ...templated(), ...more], { input: `${input.join('\n')}\n`, env })
    await run(QUESTIONS, '--name', 'long')
    const { code, stdout } = await run(['And then?'], '--resume', 'long')
    expect(JSON.parse(stdout).usage.promptTokens).toBeLessThanOrEqual(216)
    expect(code).toBe(0)
  })
})

it('an answer has a bound where none is given', async () => {
  const bounds = async (...more: string[]) =>
    (
      await latentkit(['chat', ...more], { input: '/set\n/set max-tokens 7\n/set\n/set max-tokens default\n/set\n' })
    ).stderr.match(/^max-tokens .*$/gm)
  expect(await bounds()).toEqual(['max-tokens 200', 'max-tokens 7', 'max-tokens 200'])
  expect(await bounds(...templated())).toEqual(['max-tokens 2048', 'max-tokens 7', 'max-tokens 2048'])
})
