// Greedy text, awaited as a whole; types included. Node 24 and later run it as it is: node examples/generate.ts
import { bundledModel, Engine, type PromptOptions } from 'latentkit'

const engine = await Engine.load(bundledModel(), { cacheType: 'f32' })
const options: PromptOptions = { temperature: 0, maxTokens: 40, stopSequences: ['\n'] }
const { text, finishReason, usage, timings } = await engine.generate('The old fox said to the wolf: "', options)
console.log(text)
console.log(`${finishReason} after ${usage.completionTokens} tokens, ${timings.tokensPerSecond.toFixed(0)} a second`)
await engine.dispose()
