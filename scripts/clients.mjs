// The clients that people use, in two sets (the newest for Node 20, and the newest), against a running server: texts, streams, forced calls,
// schemas, vectors, counts, errors, by each. The sets are no dependencies of the project: npm installs them, exact versions, into build/clients.
// Skips, and says so, where they are not to be had. usage: node scripts/clients.mjs   (LATENTKIT_CLIENTS: where the sets are)
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { serve } from './served.mjs'

const SETS = {
  'for Node 20': {
    ...{ openai: '6.49.0', '@anthropic-ai/sdk': '1.14.0', ollama: '0.6.4', zod: '4.6.7' },
    ...{
      ai: '6.0.325',
      '@ai-sdk/openai-compatible': '2.0.92',
      '@ai-sdk/anthropic': '3.0.140',
      '@ai-sdk/openai': '3.0.141',
    },
    ...{ '@langchain/openai': '1.4.6', '@langchain/core': '1.4.0' },
  },
  newest: {
    ...{ openai: '7.59.0', '@anthropic-ai/sdk': '1.14.0', ollama: '0.6.4', zod: '4.6.7' },
    ...{
      ai: '7.0.173',
      '@ai-sdk/openai-compatible': '3.0.92',
      '@ai-sdk/anthropic': '4.0.105',
      '@ai-sdk/openai': '4.0.118',
    },
    ...{ '@langchain/openai': '1.6.0', '@langchain/core': '1.4.0' },
  },
}
const MODEL = 'tales-mla-8m'
const PROMPT = 'Once upon a time'
const messages = [{ role: 'user', content: PROMPT }]
const PLACE = {
  type: 'object',
  properties: { city: { enum: ['Bonn', 'Rom'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
  required: ['city', 'days'],
  additionalProperties: false,
}
const TOOL = { name: 'weather', description: 'The weather' }
const isPlace = ({ city, days }) => {
  assert.match(city, /^(Bonn|Rom)$/)
  assert.ok(days >= 1 && days <= 9)
}
const isText = text => assert.ok(typeof text === 'string' && text.length > 10, `a text: ${JSON.stringify(text)}`)

const folder = process.env.LATENTKIT_CLIENTS ?? path.resolve('build/clients')
const server = await serve('--no-disk-cache')
for (const [name, versions] of Object.entries(SETS)) {
  const home = path.join(folder, name.replace(/ /g, '-').toLowerCase())
  if (!install(home, versions)) {
    console.log(`SKIPPED ${name}: npm has not got its packages`)
    continue
  }
  const load = async id => import(pathToFileURL(resolved(home, id)).href)
  for (const [title, call] of Object.entries(await calls(load, server.url))) {
    try {
      await call()
      console.log(`passed ${name}: ${title}`)
    } catch (error) {
      console.log(`FAILED ${name}: ${title}: ${error.stack}`)
      process.exitCode = 1
    }
  }
}
server.process.kill('SIGTERM')

async function calls(load, url) {
  const baseURL = `${url}/v1`
  const settings = { baseURL, apiKey: 'any', maxRetries: 0 }
  const { default: OpenAI } = await load('openai')
  const openai = new OpenAI(settings)
  const { default: Anthropic } = await load('@anthropic-ai/sdk')
  const anthropic = new Anthropic({ ...settings, baseURL: url })
  const { Ollama } = await load('ollama')
  const ollama = new Ollama({ host: url })
  const ai = await load('ai')
  const models = {
    'openai-compatible': (await load('@ai-sdk/openai-compatible')).createOpenAICompatible({
      ...{ name: 'latentkit', baseURL, includeUsage: true, supportsStructuredOutputs: true },
    })(MODEL),
    anthropic: (await load('@ai-sdk/anthropic')).createAnthropic(settings)(MODEL),
    'openai responses': (await load('@ai-sdk/openai')).createOpenAI(settings).responses(MODEL),
  }
  const { ChatOpenAI, OpenAIEmbeddings } = await load('@langchain/openai')
  const chain = { model: MODEL, apiKey: 'any', configuration: { baseURL }, maxRetries: 0 }
  const asked = { model: MODEL, messages, max_tokens: 24 }
  const tools = [{ type: 'function', function: { ...TOOL, parameters: PLACE } }]
  const chosen = { tools, tool_choice: { type: 'function', function: { name: 'weather' } }, max_tokens: 300 }
  const format = { type: 'json_schema', json_schema: { name: 'place', strict: true, schema: PLACE } }
  const responded = { model: MODEL, input: PROMPT, max_output_tokens: 300 }
  const flat = { type: 'function', ...TOOL, parameters: PLACE, strict: true }
  const claude = {
    ...asked,
    max_tokens: 300,
    tools: [{ ...TOOL, input_schema: PLACE }],
    tool_choice: { type: 'tool', name: 'weather' },
  }
  const sdk = Object.entries(models).flatMap(([name, model]) => [
    [
      `ai, ${name}: a stream`,
      async () => {
        const result = ai.streamText({ model, prompt: PROMPT, maxOutputTokens: 24, maxRetries: 0 })
        let text = ''
        for await (const part of result.textStream) text += part
        isText(text)
        assert.ok((await result.usage).outputTokens > 0)
        assert.equal(await result.finishReason, 'length')
      },
    ],
    [
      `ai, ${name}: a forced call`,
      async () => {
        const weather = ai.tool({ description: 'The weather', inputSchema: ai.jsonSchema(PLACE) })
        const toolChoice = { type: 'tool', toolName: 'weather' }
        const result = ai.streamText({
          model,
          prompt: PROMPT,
          tools: { weather },
          toolChoice,
          maxOutputTokens: 300,
          maxRetries: 0,
        })
        const [call] = await result.toolCalls
        isPlace(call.input)
        assert.equal(await result.finishReason, 'tool-calls')
      },
    ],
    [
      `ai, ${name}: an object`,
      async () => {
        const output = ai.Output.object({ schema: ai.jsonSchema(PLACE) })
        const result = await ai.generateText({ model, prompt: PROMPT, output, maxOutputTokens: 300, maxRetries: 0 })
        isPlace(result.output)
      },
    ],
  ])
  return {
    'openai: a stream with usage': async () => {
      const stream = openai.chat.completions.stream({ ...asked, stream_options: { include_usage: true } })
      isText((await stream.finalChatCompletion()).choices[0].message.content)
      assert.equal((await stream.totalUsage()).completion_tokens, 24)
    },
    'openai: a forced call, streamed': async () => {
      const { choices } = await openai.chat.completions.stream({ ...asked, ...chosen }).finalChatCompletion()
      isPlace(JSON.parse(choices[0].message.tool_calls[0].function.arguments))
      assert.equal(choices[0].finish_reason, 'tool_calls')
    },
    'openai: runTools': async () => {
      const parse = { parse: JSON.parse, function: () => 'sunny' }
      const one = [{ type: 'function', function: { ...tools[0].function, ...parse } }]
      const run = openai.chat.completions.runTools({ ...asked, ...chosen, tools: one }, { maxChatCompletions: 2 })
      await run.done()
      assert.ok(run.messages.some(({ role }) => role === 'tool'))
    },
    'openai: an answer by a schema': async () => {
      const { choices } = await openai.chat.completions.parse({ ...asked, max_tokens: 200, response_format: format })
      isPlace(choices[0].message.parsed)
    },
    'openai: responses, streamed': async () => {
      const stream = openai.responses.stream({ ...responded, max_output_tokens: 24 })
      isText((await stream.finalResponse()).output_text)
    },
    'openai: a forced call of responses, streamed': async () => {
      const choice = { type: 'function', name: 'weather' }
      const stream = openai.responses.stream({ ...responded, tools: [flat], tool_choice: choice })
      const [call] = (await stream.finalResponse()).output
      isPlace(JSON.parse(call.arguments))
    },
    'openai: vectors, models, an unknown model': async () => {
      const { data } = await openai.embeddings.create({ model: MODEL, input: ['a cat', 'a dog'] })
      assert.equal(data.length, 2)
      assert.equal((await openai.models.list()).data[0].id, MODEL)
      const refused = await openai.chat.completions.create({ ...asked, model: 'none' }).catch(error => error)
      assert.deepEqual([refused.status, refused.code], [404, 'model_not_found'])
    },
    'anthropic: a stream': async () => {
      const { content, usage } = await anthropic.messages.stream(asked).finalMessage()
      isText(content[0].text)
      assert.equal(usage.output_tokens, 24)
    },
    'anthropic: a forced call, streamed; its tokens counted': async () => {
      const { content, stop_reason: reason } = await anthropic.messages.stream(claude).finalMessage()
      isPlace(content[0].input)
      assert.equal(reason, 'tool_use')
      const { max_tokens: _, ...counted } = claude
      assert.ok((await anthropic.messages.countTokens(counted)).input_tokens > 20)
    },
    'ollama: a stream, a schema, vectors': async () => {
      let text = ''
      const options = { num_predict: 24 }
      for await (const part of await ollama.chat({ model: MODEL, messages, options, stream: true }))
        text += part.message.content
      isText(text)
      const held = await ollama.chat({ model: MODEL, messages, format: PLACE, options: { num_predict: 200 } })
      isPlace(JSON.parse(held.message.content))
      assert.equal((await ollama.embed({ model: MODEL, input: ['a cat', 'a dog'] })).embeddings.length, 2)
    },
    'ollama: a forced call': async () => {
      const asks = { model: MODEL, messages, tools, tool_choice: chosen.tool_choice, options: { num_predict: 300 } }
      isPlace((await ollama.chat(asks)).message.tool_calls[0].function.arguments)
    },
    ...Object.fromEntries(sdk),
    'LangChain: a stream': async () => {
      let text = ''
      for await (const part of await new ChatOpenAI({ ...chain, maxTokens: 24 }).stream(PROMPT)) text += part.content
      isText(text)
    },
    'LangChain: a forced call, a schema, vectors': async () => {
      const model = new ChatOpenAI({ ...chain, maxTokens: 300 })
      const [call] = (await model.bindTools(tools, { tool_choice: 'weather' }).invoke(PROMPT)).tool_calls
      isPlace(call.args)
      isPlace(await model.withStructuredOutput({ title: 'place', ...PLACE }, { method: 'jsonSchema' }).invoke(PROMPT))
      assert.ok((await new OpenAIEmbeddings(chain).embedQuery('a cat')).length > 10)
    },
  }
}

/** True if the packages are there, in these versions; an install of others goes first. */
function install(home, versions) {
  if (Object.entries(versions).every(([id, version]) => installed(home, id) === version)) return true
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  writeFileSync(path.join(home, 'package.json'), JSON.stringify({ private: true, dependencies: versions }))
  const npm = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
    cwd: home,
    stdio: 'inherit',
  })
  return npm.status === 0
}

function installed(home, id) {
  const file = path.join(home, 'node_modules', id, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : null
}

/** The module that Node's `import` would take. */
function resolved(home, id) {
  return createRequire(path.join(home, 'index.js')).resolve(id)
}
