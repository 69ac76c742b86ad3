import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { latentkit, lines, TALES } from './run.ts'

const TEXTS = ['Once upon a time', 'naïve café 🙂 日本語', '  two  spaces\n\ttab', '"quotes" \\ <|endoftext|>!']

describe('tokenize', () => {
  it.each(TEXTS)('and back: %j', async text => {
    const { stdout } = await latentkit(['tokenize', TALES, text, '--json'])
    const { ids, pieces, ...rest } = JSON.parse(stdout)
    expect(rest).toEqual({ text })
    expect(pieces.map((p: { id: number }) => p.id)).toEqual(ids)
    const back = await latentkit(['tokenize', TALES, '--ids', ids.join(' ')])
    expect(back.stdout).toBe(`${text}\n`)
    expect(JSON.parse((await latentkit(['tokenize', '--ids', JSON.stringify(ids), '--json'])).stdout)).toEqual({
      ids,
      text,
    })
  })

  it('pieces are text, or bytes where a character is cut', async () => {
    const { stdout } = await latentkit(['tokenize', 'a 🙂', '--json'])
    const { pieces } = JSON.parse(stdout) as { pieces: { text: string | null; bytes?: number[] }[] }
    const bytes = pieces.flatMap(p => p.bytes ?? [...Buffer.from(p.text ?? '')])
    expect(Buffer.from(bytes).toString()).toBe('a 🙂')
    expect(pieces.some(p => p.text === null)).toBe(true)
  })

  it('is a table with one line per token', async () => {
    const { stdout, stderr } = await latentkit(['tokenize', 'Once upon a time'])
    expect(lines(stdout)).toHaveLength(5)
    expect(lines(stdout)[2]).toMatch(/^1 +558 +Ġupon +" upon"$/)
    expect(stderr).toBe('4 tokens for 16 characters\n')
  })

  it('--special-tokens begins as a prompt does', async () => {
    const { stdout } = await latentkit(['tokenize', 'Once', '--special-tokens', '--json'])
    expect(JSON.parse(stdout).pieces[0]).toMatchObject({ id: 0, token: '<|endoftext|>', special: true })
  })

  it('--no-parse-special takes control tokens as plain text', async () => {
    const { stdout } = await latentkit(['tokenize', 'a<|endoftext|>', '--no-parse-special', '--json'])
    const { ids, pieces } = JSON.parse(stdout) as { ids: number[]; pieces: { text: string; special: boolean }[] }
    expect(ids).not.toContain(0)
    expect(pieces.some(p => p.special)).toBe(false)
    expect(pieces.map(p => p.text).join('')).toBe('a<|endoftext|>')
  })

  it('reads a pipe', async () => {
    const piped = await latentkit(['tokenize', '--json'], { input: 'Once upon\n' })
    expect(piped.stdout).toBe((await latentkit(['tokenize', 'Once upon', '--json'])).stdout)
  })

  it('gives the ids of the expected numbers', async () => {
    const [first] = JSON.parse(readFileSync(`${TALES}/expected.json`, 'utf8')).prompts
    const { stdout } = await latentkit(['tokenize', first.text, '--special-tokens', '--json'])
    expect(JSON.parse(stdout).ids).toHaveLength(first.tokens)
  })
})
