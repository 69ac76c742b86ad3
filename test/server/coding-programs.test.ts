/** Bodies of the shape that coding programs send (Claude Code 2.1.197, Codex 0.171.0), with texts of our own. */
import { expect, test } from 'vitest'
import { MODEL, post, testServer } from './support.ts'

const server = await testServer()

const READ = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { path: { type: 'string', description: 'The file' }, limit: { type: 'integer', exclusiveMinimum: 0 } },
  required: ['path'],
  additionalProperties: false,
}

const claude = (cch: string, more: readonly object[] = []) => ({
  model: MODEL,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: '<note>\nToday is a good day.\n</note>\n' },
        { type: 'text', text: 'say hello', cache_control: { type: 'ephemeral' } },
      ],
    },
    { role: 'system', content: 'Helpers that are there:\n- one: reads' },
    ...more,
  ],
  system: [
    { type: 'text', text: `x-anthropic-billing-header: cc_version=2.1.197.1c0; cc_entrypoint=cli; cch=${cch};` },
    { type: 'text', text: 'You help with files.', cache_control: { type: 'ephemeral' } },
    { type: 'text', text: '\nBe short.', cache_control: { type: 'ephemeral' } },
  ],
  tools: [
    { name: 'Read', description: 'Reads a file', input_schema: READ },
    { type: 'web_search_20250305', name: 'web_search', max_uses: 8 },
  ],
  metadata: { user_id: '{"device_id":"d","session_id":"s"}' },
  max_tokens: 32_000,
  thinking: { type: 'adaptive' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  output_config: { effort: 'high' },
  stream: true,
})

async function streamed(path: string, body: object): Promise<{ status: number; text: string }> {
  const response = await server.app.request(path, { method: 'POST', body: JSON.stringify(body) })
  return { status: response.status, text: await response.text() }
}

test("22, 23: Claude Code's turns, with a call, its failure and thoughts", async () => {
  const short = { stop_sequences: ['.'] }
  const first = await streamed('/v1/messages?beta=true', { ...claude('a'), ...short })
  expect([first.status, first.text]).toEqual([200, expect.stringMatching(/event: message_stop\n/)])
  const call = { type: 'tool_use', id: 'toolu_1', name: 'Read', input: { path: 'a.txt' } }
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', is_error: true, content: 'no such file' }
  const more = [
    { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature: 'x' }, call] },
    { role: 'user', content: [result, { type: 'text', text: 'go on' }] },
  ]
  const next = await streamed('/v1/messages?beta=true', { ...claude('b', more), ...short })
  expect([next.status, next.text]).toEqual([200, expect.stringMatching(/event: message_stop\n/)])
  // Only the line that is taken out differs.
  const counts = ['a', 'b'].map(cch => post(server, '/v1/messages/count_tokens?beta=true', claude(cch)))
  const [a, b] = await Promise.all(counts)
  expect(a?.body).toEqual(b?.body)
})

const codex = (more: readonly object[] = []) => ({
  model: MODEL,
  stream: true,
  input: [
    { type: 'message', id: 'msg_1', role: 'developer', content: [{ type: 'input_text', text: 'You help.' }] },
    {
      ...{ type: 'message', id: 'msg_2', role: 'developer' },
      content: [
        { type: 'input_text', text: '<skills/>' },
        { type: 'input_text', text: '<permissions/>' },
      ],
    },
    { type: 'message', id: 'msg_3', role: 'user', content: [{ type: 'input_text', text: 'say hello' }] },
    ...more,
  ],
  tools: [
    { type: 'function', name: 'exec', description: 'Runs', strict: false, parameters: READ },
    { type: 'namespace', name: 'agents', description: 'Others', tools: [{ type: 'function', name: 'close' }] },
    { type: 'custom', name: 'patch', format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } },
    { type: 'web_search', external_web_access: false },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  reasoning: { summary: 'auto' },
  store: false,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: 'thread',
  client_metadata: { session_id: 's', turn_id: 't' },
  max_output_tokens: 20,
})

test("22: Codex's turns, with calls and outputs in both forms", async () => {
  const first = await post(server, '/v1/responses', { ...codex(), stream: false })
  expect([first.status, first.headers.get('x-latentkit-ignored')]).toEqual([200, 'namespace, custom, web_search'])
  const call = (id: string) => ({
    type: 'function_call',
    id,
    status: 'completed',
    name: 'exec',
    arguments: '{"path":"a"}',
    call_id: id,
  })
  const more = [
    {
      ...{ type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] },
      encrypted_content: null,
    },
    call('call_1'),
    call('call_2'),
    { type: 'function_call_output', call_id: 'call_1', output: 'failed: no such file' },
    { type: 'function_call_output', call_id: 'call_2', output: [{ type: 'input_text', text: 'one line' }] },
    {
      type: 'message',
      id: 'msg_4',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Done.' }],
      phase: 'final',
    },
    { type: 'message', id: 'msg_5', role: 'user', content: [{ type: 'input_text', text: 'thanks' }] },
  ]
  const next = await streamed('/v1/responses', codex(more))
  expect([next.status, next.text]).toEqual([200, expect.stringMatching(/event: response\.(completed|incomplete)\n/)])
})
