/** Where no text may become code, schemas are checked all the same: by the same words as ajv, as far as it is yes or no. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'

const CASES: readonly (readonly [schema: object, good: unknown, bad: unknown])[] = [
  [{ type: 'integer', minimum: 1, multipleOf: 3 }, 6, 7],
  [{ type: 'number', multipleOf: 0.01 }, 0.07, 0.075],
  [{ type: 'string', minLength: 2, pattern: '^a+$' }, 'aaa', 'b'],
  [{ type: 'string', format: 'date' }, '2024-02-29', '2023-02-29'],
  [{ enum: ['a', { b: 1 }] }, { b: 1 }, { b: 2 }],
  [{ type: 'array', items: { type: 'boolean' }, uniqueItems: true }, [true, false], [true, true]],
  [{ type: 'array', items: [{ type: 'string' }], additionalItems: false }, ['a'], ['a', 1]],
  [
    { type: 'object', properties: { a: { type: 'null' } }, required: ['a'], additionalProperties: false },
    { a: null },
    {},
  ],
  [{ $defs: { n: { type: 'number' } }, properties: { a: { $ref: '#/$defs/n' } } }, { a: 1 }, { a: 'x' }],
  [{ anyOf: [{ type: 'string' }, { type: 'object', required: ['k'] }] }, { k: 1 }, {}],
  [{ minimum: 5, exclusiveMinimum: true }, 6, 5],
]

it('schemas are checked where code generation is forbidden', async () => {
  const outfile = join(tempFolder(), 'check.mjs')
  await build({
    stdin: {
      contents: `
        import { outputCheck } from './src/grammar/check.ts'
        const answers = []
        for (const [schema, good, bad] of ${JSON.stringify(CASES)}) {
          const check = await outputCheck(schema)
          const met = value => { try { check(JSON.stringify(value)); return null } catch (error) { return error.message } }
          answers.push([met(good), met(bad)])
        }
        console.log(JSON.stringify(answers))`,
      resolveDir: process.cwd(),
    },
    ...{ bundle: true, platform: 'node', format: 'esm', outfile },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
  })
  const answers = (...flags: string[]): [string | null, string | null][] =>
    JSON.parse(execFileSync(process.execPath, [...flags, outfile], { encoding: 'utf8' }))
  const forbidden = answers('--disallow-code-generation-from-strings')
  answers().forEach((compiled, i) => {
    const label = JSON.stringify(CASES[i])
    expect(compiled[0], label).toBe(null)
    expect(compiled[1], label).toMatch(/^The answer is not what its schema demands/)
    expect(forbidden[i]?.[0], label).toBe(null)
    expect(forbidden[i]?.[1], label).toMatch(/^The answer is not what its schema demands/)
  })
  const reference = CASES.findIndex(([schema]) => '$defs' in schema)
  expect(forbidden[reference]?.[1]).toMatch(/demands: \/a Instance type "string" is invalid/)
})
