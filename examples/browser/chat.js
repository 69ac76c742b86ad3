import { Engine } from 'latentkit/browser'

const [log, form, input] = ['log', 'form', 'text'].map(id => document.getElementById(id))
const model = new URLSearchParams(location.search).get('model') ?? 'HuggingFaceTB/SmolLM2-135M-Instruct'
const onProgress = ({ status, loaded, total }) => (log.textContent = `${status} ${loaded} of ${total} bytes`)
addEventListener('unhandledrejection', ({ reason }) => log.append(`\n${reason.message}`))
const engine = await Engine.load(model, { onProgress })
const session = engine.session()
const messages = []
log.textContent = `${engine.info.name}, ${engine.info.kernels.threads} threads\n`
form.onsubmit = async event => {
  event.preventDefault()
  messages.push({ role: 'user', content: input.value })
  log.append(`\n> ${input.value}\n`)
  form.reset()
  const answer = session.prompt(messages, { maxTokens: 200 })
  for await (const { text } of answer) log.append(text)
  messages.push({ role: 'assistant', content: (await answer).text })
}
