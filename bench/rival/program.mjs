/**
 * llama.cpp as a program: requests as JSON, one a line on stdin (or one an argument), an answer a line on stdout.
 * `bench/contenders/contender.ts` has the requests and answers; what llama.cpp itself says goes to stderr.
 *
 *     node bench/rival/program.mjs '{"op":"open","model":"model.gguf"}' '{"op":"greedy","text":"Once","maxTokens":8}'
 */
import { createInterface } from 'node:readline'
import { getLlama, LlamaGrammarEvaluationState } from 'node-llama-cpp'

let llama
let model
let context
let sequence

/** Random weights write any token, an end of text too: it is a token like others here. */
const GREEDY = { temperature: 0, yieldEogToken: true }

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** llama.cpp would forget the oldest tokens and go on. */
function mustFit(count) {
  const { nextTokenIndex, contextSize } = sequence
  if (nextTokenIndex + count <= contextSize) return
  throw new Error(`${count} tokens behind ${nextTokenIndex} are more than the context of ${contextSize} holds`)
}

/** Ids as given, or a text's, with the begin-of-text token where the model wants one. */
function tokensOf({ tokens, text }) {
  if (tokens) return tokens
  const ids = model.tokenize(text, true)
  return model.tokens.shouldPrependBosToken && ids[0] !== model.tokens.bos ? [model.tokens.bos, ...ids] : ids
}

const operations = {
  async open({ model: modelPath, lora, threads = 2, contextLength = 512, batchSize = 512, flashAttention = true }) {
    const log = (level, message) => process.stderr.write(`llama.cpp ${level}: ${message}\n`)
    llama ??= await getLlama({ gpu: false, build: 'never', logLevel: 'error', logger: log, maxThreads: 0 })
    await context?.dispose()
    if (model?.modelPath !== modelPath) {
      await model?.dispose()
      model = Object.assign(await llama.loadModel({ modelPath, gpuLayers: 0 }), { modelPath })
    }
    const adapter = lora && { lora }
    context = await model.createContext({ contextSize: contextLength, batchSize, threads, flashAttention, ...adapter })
    sequence = context.getSequence()
    return { name: `llama.cpp, flash attention ${flashAttention ? 'on' : 'off'}`, threads: context.currentThreads }
  },

  async read({ tokens }) {
    mustFit(tokens.length)
    return { ms: await timed(() => sequence.evaluateWithoutGeneratingNewTokens(tokens)) }
  },

  /** A step for each token, its successor drawn greedily and the next given token put in its place. */
  async write({ tokens }) {
    mustFit(tokens.length)
    const ms = []
    const steps = sequence.evaluate([tokens[0]], GREEDY)
    for (let i = 0; i < tokens.length; i++) ms.push(await timed(() => steps.next(i === 0 ? undefined : tokens[i])))
    await steps.return()
    return { ms }
  },

  async truncate({ length }) {
    const end = sequence.nextTokenIndex
    if (length < end) await sequence.eraseContextTokenRanges([{ start: length, end }])
    return { length: sequence.nextTokenIndex }
  },

  async greedy({ maxTokens, ...prompt }) {
    await sequence.clearHistory()
    const promptIds = tokensOf(prompt)
    mustFit(promptIds.length + maxTokens - 1)
    const tokenIds = []
    for await (const token of sequence.evaluate(promptIds, GREEDY)) {
      tokenIds.push(token)
      if (tokenIds.length === maxTokens) break
    }
    return { promptIds, tokenIds, text: model.detokenize(tokenIds) }
  },

  /** Draws at temperature 1; with a schema, under node-llama-cpp's grammar of it, which llama.cpp holds. */
  async draw({ text, maxTokens, seed, schema }) {
    await sequence.clearHistory()
    const start = performance.now()
    const grammar = schema && (await llama.createGrammarForJsonSchema(schema))
    const held = grammar && { grammarEvaluationState: new LlamaGrammarEvaluationState({ model, grammar }) }
    const times = []
    const options = { temperature: 1, topK: 0, topP: 1, minP: 0, seed, yieldEogToken: true, ...held }
    for await (const _ of sequence.evaluate(tokensOf({ text }), options)) {
      times.push(performance.now())
      if (times.length === maxTokens) break
    }
    return { tokens: times.length, firstMs: times[0] - start, ms: times.at(-1) - times[0] }
  },

  /** Natural logarithms of the probabilities of all tokens but the first. */
  async score(prompt) {
    await sequence.clearHistory()
    const promptIds = tokensOf(prompt)
    mustFit(promptIds.length - 1)
    const input = promptIds.slice(0, -1).map((token, i) => {
      // `includeMax` leaves the likeliest token out where others are asked for.
      const logits = { filter: { tokens: [promptIds[i + 1]], includeTop: 1 } }
      return [token, { generateNext: { logits, totalLogitWeight: true } }]
    })
    const results = await sequence.controlledEvaluate(input)
    const logprobs = results.map(({ next }, i) => {
      const max = Math.max(...next.logits.values())
      return next.logits.get(promptIds[i + 1]) - max - Math.log(next.totalLogitWeight)
    })
    return { promptIds, logprobs }
  },

  async save({ file }) {
    return { bytes: (await sequence.saveStateToFile(file)).fileSize }
  },

  async restore({ file }) {
    await sequence.loadStateFromFile(file, { acceptRisk: true })
    return { length: sequence.nextTokenIndex }
  },

  memory: () => ({ residentBytes: process.memoryUsage().rss }),
}

async function answer(line) {
  try {
    const { op, ...request } = JSON.parse(line)
    if (!Object.hasOwn(operations, op)) throw new Error(`op is ${op}, not one of ${Object.keys(operations).join(', ')}`)
    return await operations[op](request)
  } catch (error) {
    return { error: error.message }
  }
}

const given = process.argv.slice(2)
for await (const line of given.length > 0 ? given : createInterface(process.stdin)) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`)
}
await llama?.dispose()
