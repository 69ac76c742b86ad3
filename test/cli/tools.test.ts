import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { latentkit, lines, ROOT, TALES } from './run.ts'
import { HAS_TERMINAL, KEY, onTerminal } from './terminal.ts'

/** Calls in it are Hermes'. */
const TEMPLATE =
  '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{# <tool_call> "arguments" #}{% if add_generation_prompt %}[assistant]{% endif %}'
const parameters = {
  type: 'object',
  properties: { city: { enum: ['Bonn', 'Rom'] } },
  required: ['city'],
  additionalProperties: false,
}
const THEIRS = [{ type: 'function', function: { name: 'sky', description: 'The sky', parameters } }]

/** The bundled model with a chat template, and files of tools. */
const folder = mkdtempSync(join(tmpdir(), 'latentkit-tools-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
for (const [name, text] of Object.entries({
  'theirs.json': JSON.stringify(THEIRS),
  'ours.json': JSON.stringify({ sky: { description: 'The sky', parameters } }),
  'none.json': '5',
}))
  writeFileSync(join(folder, name), text)
for (const file of ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json']) {
  copyFileSync(join(TALES, file), join(folder, file))
}
const config = JSON.parse(readFileSync(join(TALES, 'tokenizer_config.json'), 'utf8'))
writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ ...config, chat_template: TEMPLATE }))
const file = (name: string) => join(folder, name)
const SHORT = ['--max-tokens', '150', '--seed', '1', '--no-parallel']
const toolbox = `"${process.execPath}" "${join(ROOT, 'test', 'mcp', 'server.mjs')}"`

describe('--tools', () => {
  it.each(['theirs.json', 'ours.json'])('prints the calls of an answer, and has them as data: %s', async name => {
    const args = ['generate', folder, 'The sky?', '--tools', file(name), '--tool-choice', 'sky', ...SHORT]
    const { code, stdout } = await latentkit([...args, '--quiet'])
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^sky\(\{"city":"(Bonn|Rom)"\}\)\n$/),
    })
    const { stdout: data } = await latentkit([...args, '--json'])
    const { toolCalls, content, finishReason, text } = JSON.parse(data)
    expect(toolCalls[0]).toMatchObject({ name: 'sky', arguments: { city: expect.any(String) }, complete: true })
    expect(content).toBe('')
    expect(text).toMatch(/^sky\(/)
    expect(finishReason).toBe('toolCalls')
  })

  it.each(['', '/tools theirs.json\n'])(
    'in a chat, the next message is what the call gave, after %j, too',
    async between => {
      const args = ['chat', folder, '--tools', file('ours.json'), '--tool-choice', 'sky', ...SHORT, '--json']
      const input = `The sky?\n${between}blue\n/save-transcript -.json\n`
      const { code, stdout } = await latentkit(args, { input, cwd: folder })
      const [first] = lines(stdout).map(line => JSON.parse(line))
      expect(first.toolCalls.length).toBeGreaterThan(0)
      expect(code).toBe(0)
      const saved = JSON.parse(readFileSync(file('-.json'), 'utf8'))
      expect(saved.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant'])
      expect(saved[2]).toMatchObject({ toolCallId: saved[1].toolCalls[0].id, content: 'blue' })
      expect(saved[1].toolCalls[0].name).toBe('sky')
    },
  )

  it('/tools and /schema of a chat show, take a file and give it up; what is wrong with one is told', async () => {
    writeFileSync(file('yes.schema.json'), '{"enum": ["yes"]}')
    writeFileSync(file('bad.schema.json'), '{"type": "array", "contains": {}, "minContains": 20}')
    const input = [
      ...['/tools', '/tools ours.json', 'The sky?', 'blue', '/tools none', 'So?'],
      ...['/schema yes.schema.json', 'And?', '/schema bad.schema.json', 'Well?', '/schema none', '/schema'],
      ...['/tools none.json', '/tools gone.json', '/schema ours.txt', '/tools theirs.json'],
    ].join('\n')
    const args = ['chat', folder, '--tool-choice', 'sky', '--mcp', toolbox, '--mcp-allow', 'all', ...SHORT, '--json']
    const refused = await latentkit(args, { input: '/tools\n', cwd: folder })
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--tool-choice names sky') })
    const { stdout, stderr } = await latentkit(['chat', folder, ...SHORT, '--json'], { input, cwd: folder })
    expect(stderr).toMatch(/The model has no tools\.\n *sky +The sky\n/)
    const all = lines(stdout).map(line => JSON.parse(line))
    expect(all[0].toolCalls).toBeDefined()
    expect(all.map(one => one.text ?? one.error.code)).toEqual(expect.arrayContaining(['"yes"', 'bad_schema']))
    expect(stderr).toContain('Answers are held to the schema in yes.schema.json.')
    expect(stderr).toContain('Answers are free.')
    expect(stderr).toContain("none.json has no tools; expected a list in OpenAI's form")
    expect(stderr.match(/The model has no tools/g)).toHaveLength(2)
    expect(stderr).toMatch(/error: .*gone\.json/)
    expect(stderr).toMatch(/error: .*ours\.txt/)
    expect(stderr.trim().endsWith('The sky')).toBe(true)
  })

  it('refuses what is none, and what does not go with it', async () => {
    const said = async (...args: string[]) => {
      const { code, stderr } = await latentkit(args)
      expect(code).toBe(2)
      return stderr
    }
    const generate = ['generate', folder, 'x', '--tools']
    expect(await said(...generate, file('none.json'))).toContain("expected a list in OpenAI's form")
    expect(await said(...generate, file('ours.json'), '--tool-choice', 'sun')).toContain('there are sky')
    expect(await said(...generate, file('ours.json'), '--n', '2')).toContain('--tools is for one answer')
    expect(await said('generate', 'x', '--tools', file('ours.json'))).toContain('has no chat template')
    expect(await said('generate', folder, 'x', '--tool-choice', 'sky')).toContain('--tool-choice is for --tools')
    expect(await said('chat', folder, '--mcp-allow', 'all')).toContain('--mcp-allow is for the tools of --mcp')
  })
})

describe('--mcp', () => {
  const chat = [
    'chat',
    folder,
    '--mcp',
    toolbox,
    '--tools',
    file('ours.json'),
    '--tool-choice',
    'add',
    '--temperature',
    '0',
    ...SHORT,
  ]

  it('makes calls that are allowed, and shows what they gave', async () => {
    const { code, stdout, stderr } = await latentkit([...chat, '--mcp-allow', 'add'], { input: 'Add\n' })
    expect(stderr).toContain('toolbox: 6 tools')
    expect(stdout).toMatch(/add\(\{"a":[-\d.e]+,"b":[-\d.e]+\}\)\nadd: [-\d.e]+/)
    expect(code).toBe(0)
  })

  it('calls nothing where nobody can be asked', async () => {
    const { stdout, stderr } = await latentkit(chat, { input: 'Add\n' })
    expect(stdout).toContain('add: Error: the user did not allow this call of add')
    expect(stderr).toContain('--mcp-allow add allows it')
  })

  it('says what is wrong with a server, or a name', async () => {
    const broken = await latentkit(['chat', folder, '--mcp', `${toolbox} --broken`], { input: '' })
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining('it wrote: no licence') })
    const other = await latentkit([...chat, '--mcp-allow', 'sub'], { input: '' })
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--mcp-allow names sub, which no server has'),
    })
  })

  it.skipIf(!HAS_TERMINAL)('asks before each call on a terminal (needs python3)', () => {
    const { text, left } = onTerminal(chat, [
      ['> ', `Add${KEY.enter}`],
      ['[a]lways this tool: ', `a${KEY.enter}`],
      ['> ', `${KEY.end}`],
    ])
    expect(left).toBe(0)
    expect(text).toMatch(/call add\(\{"a":.*\}\)\?/)
    expect(text).toMatch(/\nadd: [-\d.e]+/)
  })
})
