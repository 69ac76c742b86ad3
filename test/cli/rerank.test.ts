import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit } from './run.ts'

const RERANKER = 'test/fixtures/embeddings/bert-reranker'
const { query, documents, scores } = JSON.parse(readFileSync(`${RERANKER}/expected.json`, 'utf8')) as {
  query: string
  documents: string[]
  scores: number[]
}
const expected = documents
  .map((text, index) => ({
    index,
    score: expect.closeTo(scores[index] as number, 4),
    text,
    at: scores[index] as number,
  }))
  .sort((a, b) => b.at - a.at)
  .map(({ at: _, ...row }) => row)

describe('latentkit rerank', () => {
  it('prints a line of JSON for each document, the best first, from arguments and from a pipe', async () => {
    const { code, stdout, stderr } = await latentkit(['rerank', RERANKER, query, ...documents])
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^\d+ documents of \d+ tokens in /)])
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual(expected)
    const piped = await latentkit(['rerank', RERANKER, query, '--quiet'], { input: `${documents.join('\n')}\n` })
    expect(piped).toMatchObject({ code: 0, stdout, stderr: '' })
  })

  it('prints one object with --json: the best n of a file', async () => {
    const folder = tempFolder({ 'documents.txt': documents.join('\n') })
    const flags = ['--file', join(folder, 'documents.txt'), '--top-n', '2', '--json']
    const { stdout } = await latentkit(['rerank', RERANKER, query, ...flags])
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'bert-reranker',
      query,
      ranking: expected.slice(0, 2),
      documents: documents.length,
      truncated: [],
    })
  })

  it.each([
    [['rerank', RERANKER, 'q'], 2, 'there is no text (see latentkit rerank --help)'],
    [['rerank', RERANKER], 2, "missing required argument 'text'"],
    [['rerank', RERANKER, 'q', 'cat '.repeat(90)], 2, 'document 1 with the query has'],
    [['rerank', RERANKER, 'q', 'cat '.repeat(90)], 2, 'or give --truncate to cut its end'],
    [['rerank', 'test/fixtures/embeddings/bert', 'q', 'x'], 1, 'is no reranker'],
    [['rerank', './nowhere', 'q', 'x'], 1, './nowhere is not there'],
  ])('%j says what is wrong', async (args, code, message) => {
    const result = await latentkit(args)
    expect(result.stderr).toContain(message)
    expect(result).toMatchObject({ code, stdout: '' })
  })
})
