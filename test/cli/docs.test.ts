/** docs/command-line.md shows what `--help` prints. After a change: npx vitest run test/cli/docs.test.ts -u */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { latentkit } from './run.ts'

const DOC = new URL('../../docs/command-line.md', import.meta.url).pathname
const HELP = /^```text\n\$ latentkit (.*?--help)\n.*?^```$/gms

it('has the help of every command', { timeout: 120_000 }, async () => {
  const doc = readFileSync(DOC, 'utf8')
  const calls = [...doc.matchAll(HELP)].map(match => match[1] as string)
  const printed = new Map<string, string>()
  for (const call of calls) printed.set(call, (await latentkit(call.split(' '))).stdout)
  const commands = (printed.get('--help') ?? '').matchAll(/^ {2}([a-z]+) .*/gm)
  const names = [...commands].map(match => match[1] as string).filter(name => !['latentkit', 'help'].includes(name))
  expect(names.length).toBeGreaterThan(8)
  for (const name of names) expect(calls).toContain(`${name} --help`)
  const shown = doc.replace(HELP, (_, call: string) => `\`\`\`text\n$ latentkit ${call}\n${printed.get(call)}\`\`\``)
  await expect(shown).toMatchFileSnapshot(DOC)
})
