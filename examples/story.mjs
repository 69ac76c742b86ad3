// A story, token by token: node examples/story.mjs (in a clone after `npm ci`)
import { bundledModel, Engine } from 'latentkit'

const engine = await Engine.load(bundledModel())
const session = engine.session()
for await (const { text } of session.prompt('Once upon a time', { minP: 0.1, maxTokens: 200 })) {
  process.stdout.write(text)
}
console.log(`\n${session.cache.tokens} tokens are remembered in ${session.cache.usedBytes} bytes`)
await engine.dispose()
