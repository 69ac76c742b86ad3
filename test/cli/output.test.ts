/** Texts of the command line that are held to a form. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit } from './run.ts'

const QUICK = ['--quiet', '--no-echo', '--seed', '1', '--threads', '1', '--max-tokens', '150']
const SCHEMA = { type: 'object', properties: { legs: { type: 'integer', minimum: 0, maximum: 9 } }, required: ['legs'] }

it('generate holds a text to a schema, a choice, an expression and a grammar', async () => {
  const folder = tempFolder({ 'pet.json': JSON.stringify(SCHEMA), 'x.lark': 'start: "x" "y"' })
  const write = async (...flags: string[]) => (await latentkit(['generate', ...QUICK, ...flags])).stdout
  expect(JSON.parse(await write('--schema', join(folder, 'pet.json')))).toEqual({ legs: expect.any(Number) })
  const whole = JSON.parse(await write('--schema', join(folder, 'pet.json'), '--json')) as {
    text: string
    value: unknown
  }
  expect(whole.value).toEqual(JSON.parse(whole.text))
  expect((await write('--choice', 'sun', '--choice', 'rain')).trim()).toMatch(/^(sun|rain)$/)
  expect((await write('--regex', '[ab]{3}')).trim()).toMatch(/^[ab]{3}$/)
  expect((await write('--grammar', join(folder, 'x.lark'))).trim()).toBe('xy')
  writeFileSync(join(folder, 'pet.json'), '{')
  const bad = await latentkit(['generate', ...QUICK, '--schema', join(folder, 'pet.json')])
  expect(bad.stderr).toMatch(/pet\.json is not JSON/)
  const both = await latentkit(['generate', ...QUICK, '--regex', 'a', '--choice', 'b'])
  expect(both.stderr).toMatch(/--?regex and .*choice.* were given/)
})

it('chat answers with one of the choices', async () => {
  const { stdout } = await latentkit(['chat', '--threads', '1', '--seed', '1', '--choice', 'yes', '--choice', 'no'], {
    input: 'Is it?\n',
  })
  expect(stdout.trim()).toMatch(/^(yes|no)$/)
})
