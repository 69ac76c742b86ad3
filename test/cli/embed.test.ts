import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shortest } from '../../apps/cli/embed/shortest.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit } from './run.ts'

const BERT = 'test/fixtures/embeddings/bert'
const { texts, mean } = JSON.parse(readFileSync(`${BERT}/expected.json`, 'utf8')) as {
  texts: string[]
  mean: number[][]
}
const close = (vector: readonly number[]) => vector.map(x => expect.closeTo(x, 4))

describe('latentkit embed', () => {
  it('prints a line of JSON for each text, from arguments and from a pipe', async () => {
    const { code, stdout, stderr } = await latentkit(['embed', BERT, ...texts])
    expect(code).toBe(0)
    expect(stderr).toMatch(/^7 texts of \d+ tokens in .* tok\/s\)\n$/)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as object)
    expect(lines).toEqual(texts.map((text, index) => ({ index, text, embedding: close(mean[index] as number[]) })))
    for (const args of [
      ['embed', BERT],
      ['embed', BERT, '-'],
    ]) {
      const piped = await latentkit([...args, '--quiet'], { input: `${texts.join('\n')}\n` })
      expect(piped).toMatchObject({ code: 0, stdout, stderr: '' })
    }
  })

  it('writes the array that NumPy reads', async () => {
    const folder = tempFolder({ 'lines.txt': `${texts.join('\r\n')}\r\n` })
    const out = join(folder, 'vectors.npy')
    const { code, stdout } = await latentkit(['embed', BERT, '--file', join(folder, 'lines.txt'), '--npy', out])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    const file = readFileSync(out)
    expect(file.subarray(0, 8)).toEqual(Buffer.from('\x93NUMPY\x01\x00', 'latin1'))
    const start = 10 + file.readUInt16LE(8)
    expect(start % 64).toBe(0)
    expect(file.toString('latin1', 10, start)).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(7, 32\), \} *\n$/,
    )
    const numbers = Array.from({ length: 7 * 32 }, (_, i) => file.readFloatLE(start + 4 * i))
    expect(file.length).toBe(start + 4 * 7 * 32)
    expect(numbers).toEqual(close(mean.flat()))
  })

  it('prints one object with --json, in the form that flags ask for', async () => {
    const flags = ['--pooling', 'cls', '--no-normalize', '--dimensions', '4', '--prompt-name', 'query', '--truncate']
    const long = 'cat '.repeat(60)
    const { stdout } = await latentkit(['embed', BERT, 'the cat', long, '--json', ...flags])
    const report = JSON.parse(stdout) as { embeddings: number[][]; usage: { tokens: number } }
    expect(report).toMatchObject({ model: 'bert', texts: 2, truncated: [1], embedding: { dimensions: 32 } })
    expect(report.embeddings.map(({ length }) => length)).toEqual([4, 4])
  })

  it.each([
    [['embed', BERT], 2, 'there is no text'],
    [['embed', BERT, 'x', '--file', 'docs/words.md'], 2, '--file and the text "x" were given'],
    [['embed', BERT, '--file', 'docs/words.md'], 2, 'line 2 of docs/words.md is empty'],
    [['embed', BERT, 'cat '.repeat(60)], 2, 'text 1 has 62 tokens; this model reads at most 40'],
    [['embed', BERT, 'x', '--dimensions', '33'], 2, "--dimensions is 33; this model's vectors have 32"],
    [['embed', BERT, 'x', '--prompt-name', 'a'], 2, 'expected query, document'],
    [['embed', BERT, 'x', '--npy', '/dev/full'], 1, '/dev/full cannot be written'],
    [['embed', BERT, 'x', '--npy', '/nowhere/x.npy'], 1, '/nowhere/x.npy cannot be written: its folder is not there'],
    [['embed', BERT, 'cat '.repeat(60)], 2, 'or give --truncate to cut its end'],
    [['generate', BERT, 'x'], 1, 'Use engine.embed() (latentkit embed)'],
    [['chat', BERT], 1, 'is an encoder'],
  ])('%j says what is wrong', async (args, code, message) => {
    const result = await latentkit(args as string[], { ...(args[0] === 'chat' && { input: 'x\n' }) })
    expect(result.stderr).toContain(message)
    expect(result).toMatchObject({ code, stdout: '' })
  })

  it('says which word was taken for a text where a model would be', async () => {
    const embed = async (...args: string[]) => (await latentkit(['embed', ...args, '--json'])).stderr
    expect(await embed('nope', 'a')).toContain(
      '"nope" is taken as the text; a folder or a file of that name is not here',
    )
    expect(await embed('my-modle', 'a cat')).toContain('"my-modle" is taken as the text')
    expect(await embed('A cat', 'a dog')).toBe('')
    expect(await embed('nope', 'a', '--quiet')).toBe('')
  })

  it('takes no text for a model', async () => {
    const { code, stderr } = await latentkit(['embed', 'Once upon a time', 'There was a fox', '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const folder = tempFolder()
    writeFileSync(join(folder, 'lines.txt'), '')
    const empty = await latentkit(['embed', BERT, '--file', join(folder, 'lines.txt')])
    expect(empty.stderr).toContain('holds no text')
  })

  it('reads texts with line breaks from JSON lines, and writes the array to standard output', async () => {
    const folder = tempFolder({ 'texts.jsonl': '"the\\ncat"\n{"text": "the dog", "id": 1}\n', 'bad.jsonl': '5\n' })
    const { stdout, code } = await latentkit(['embed', BERT, '--file', join(folder, 'texts.jsonl'), '--quiet'])
    expect([code, stdout.match(/"text":"[^"]*"/g)]).toEqual([0, ['"text":"the\\ncat"', '"text":"the dog"']])
    const bad = await latentkit(['embed', BERT, '--file', join(folder, 'bad.jsonl')])
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('line 1 of')])
    const array = await latentkit(['embed', BERT, 'the cat', '--npy', '-', '--quiet'])
    expect(array.stdout).toContain("NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 32), }")
  })
})

describe('numbers', () => {
  it('are the shortest that are read as the same f32', () => {
    const all = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 10 ** ((i % 40) - 30)).fill(1 / 3, 0, 1)
    const short = shortest(all)
    expect(Float32Array.from(short)).toEqual(all)
    expect(short[0]).toBe(0.33333334)
    expect(shortest(Float32Array.of(0.1, -2, 0, 3.4028234e38))).toEqual([0.1, -2, 0, 3.4028235e38])
  })
})
