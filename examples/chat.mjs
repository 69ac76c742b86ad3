// Two turns of a conversation. With a model of your own: node examples/chat.mjs ./my-model
import { bundledModel, Engine } from 'latentkit'

// The bundled model has no chat template, so it is given a plain one.
const chatTemplate = '{% for m in messages %}{{ m.content }}\n{% endfor %}'
const [model = bundledModel()] = process.argv.slice(2)
const engine = await Engine.load(model, process.argv[2] ? {} : { chatTemplate })
const session = engine.session()
const messages = []
for (const content of ['Tom had a small red boat.', 'One day the boat was gone.']) {
  messages.push({ role: 'user', content })
  const { text, usage } = await session.prompt(messages, { maxTokens: 60 })
  messages.push({ role: 'assistant', content: text })
  console.log(
    `> ${content}\n${text.trim()}\n(${usage.cachedTokens} of ${usage.promptTokens} tokens were still known)\n`,
  )
}
await engine.dispose()
