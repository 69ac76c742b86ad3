/** Many texts from a file: in order, the same after a kill, and a line's error is its own. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, start } from './run.ts'

const LINES = Array.from({ length: 60 }, (_, i) => ({
  id: `t${i}`,
  prompt: `Once there were ${i} foxes`,
  maxTokens: 12,
}))
const jsonl = (lines: readonly object[]) => `${lines.map(line => JSON.stringify(line)).join('\n')}\n`
const parsed = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))

describe('generate --batch', () => {
  it('answers each line in order, and ends with the same file after a kill', async () => {
    const folder = tempFolder({ 'in.jsonl': jsonl(LINES) })
    const [input, whole, cut] = ['in.jsonl', 'whole.jsonl', 'cut.jsonl'].map(name => join(folder, name)) as [
      string,
      string,
      string,
    ]
    const run = (out: string) => latentkit(['generate', '--batch', input, '--out', out])
    expect((await run(whole)).code).toBe(0)
    const results = parsed(readFileSync(whole, 'utf8'))
    expect(results.map(({ id }) => id)).toEqual(LINES.map(({ id }) => id))
    expect(results[7]).toMatchObject({ index: 7, finishReason: 'length', usage: { completionTokens: 12 }, seed: 7 })
    const child = start(['generate', '--batch', input, '--out', cut], { stdio: 'ignore' })
    const ended = new Promise(resolve => child.on('exit', resolve))
    const written = () => {
      try {
        return readFileSync(cut, 'utf8').length
      } catch {
        return 0
      }
    }
    while (written() === 0 && child.exitCode === null) await new Promise(resolve => setTimeout(resolve, 5))
    child.kill('SIGKILL')
    await ended
    // In the middle of a line.
    truncateSync(cut, Math.max(written() - 5, 0))
    expect((await run(cut)).code).toBe(0)
    expect(readFileSync(cut, 'utf8')).toBe(readFileSync(whole, 'utf8'))
    writeFileSync(input, jsonl([{ id: 'other', prompt: 'a' }, ...LINES.slice(1)]))
    const other = await run(cut)
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(/the results are of another batch/)])
  })

  it("takes OpenAI's lines, and makes an error of a line its result", async () => {
    const body = { model: 'any', prompt: 'The fox', max_tokens: 4, temperature: 0, stop: null }
    const lines = `${JSON.stringify({ custom_id: 'a', body })}\n\nno json\n${JSON.stringify({ id: 3, prompt: 'x', maxTokns: 1 })}\n{"id":4}\n`
    const folder = tempFolder({ 'in.jsonl': lines })
    const { stdout, code } = await latentkit(['generate', '--batch', join(folder, 'in.jsonl')])
    const [a, b, c, d] = parsed(stdout)
    expect(a).toMatchObject({ id: 'a', finishReason: 'length', usage: { completionTokens: 4 } })
    expect(b).toMatchObject({ id: null, error: { message: expect.stringMatching(/no JSON/) } })
    expect(c).toMatchObject({ id: 3, error: { code: 'bad_option', message: expect.stringMatching(/did you mean/) } })
    expect(d).toMatchObject({
      id: 4,
      error: { message: expect.stringMatching(/expected either "prompt" or "messages"/) },
    })
    expect(code).toBe(1)
    expect((await latentkit(['generate', '--batch', join(folder, 'none.jsonl')])).stderr).toMatch(/cannot be read/)
    expect((await latentkit(['generate', '--out', 'x'])).code).toBe(2)
  })

  it("holds lines to the command's form, or to their own, and gives values", async () => {
    const schema = { type: 'object', properties: { legs: { type: 'integer', maximum: 4 } }, required: ['legs'] }
    const own = { prompt: 'Yes?', choices: ['yes'] }
    const folder = tempFolder({ 'in.jsonl': jsonl([{ prompt: 'A pet:' }, own]), 'schema.json': JSON.stringify(schema) })
    const files = ['in.jsonl', 'schema.json'].map(name => join(folder, name))
    const { stdout } = await latentkit(['generate', '--batch', files[0]!, '--schema', files[1]!])
    const [pet, yes] = parsed(stdout)
    expect(pet.value).toEqual(JSON.parse(pet.text))
    expect(pet.value.legs).toBeLessThanOrEqual(4)
    expect(yes).toMatchObject({ text: 'yes' })
    expect(yes).not.toHaveProperty('value')
  })

  it('reads standard input, a byte order mark and 40 lines at once without a warning', async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ id: i, prompt: 'The fox', maxTokens: 1 }))
    const { stdout, stderr, code } = await latentkit(['generate', '--batch', '-', '--quiet'], {
      input: `\ufeff${jsonl(many)}`,
    })
    expect([parsed(stdout).length, stderr, code]).toEqual([40, '', 0])
    const folder = tempFolder({ 'in.jsonl': `\ufeff${jsonl(many.slice(0, 2))}` })
    const read = await latentkit(['generate', '--batch', join(folder, 'in.jsonl'), '--quiet'])
    expect([parsed(read.stdout).map(({ id }) => id), read.code]).toEqual([[0, 1], 0])
  })

  it('names options as a line does, and counts the failures of earlier runs', async () => {
    const folder = tempFolder({ 'in.jsonl': jsonl([{ prompt: 'x', maxTokens: -1 }]) })
    const run = () => latentkit(['generate', '--batch', join(folder, 'in.jsonl'), '--out', join(folder, 'out.jsonl')])
    expect((await run()).code).toBe(1)
    const again = await run()
    expect([again.code, again.stderr]).toEqual([1, '1 line failed; its result says why\n'])
    const [result] = parsed(readFileSync(join(folder, 'out.jsonl'), 'utf8'))
    expect(result.error).toEqual({ code: 'bad_option', message: expect.stringMatching(/^maxTokens is -1; expected/) })
  })

  it('refuses to write what another process writes, the batch itself and what is no file', async () => {
    const folder = tempFolder({ 'in.jsonl': jsonl([{ id: 'a', prompt: 'x' }]) })
    const run = (out: string) => latentkit(['generate', '--batch', join(folder, 'in.jsonl'), '--out', out])
    const out = join(folder, 'out.jsonl')
    writeFileSync(`${out}.writing`, `${process.pid} ${hostname()}\n`)
    const results = await Promise.all([run(out), run(join(folder, 'in.jsonl')), run(folder)])
    expect(results.map(({ code, stderr }) => `${code} ${stderr}`)).toEqual([
      expect.stringMatching(/^1 .*another process writes/),
      expect.stringMatching(/^2 .*is the batch itself/),
      expect.stringMatching(/^2 .*is not a file/),
    ])
  })
})
