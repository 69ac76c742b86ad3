// What nightly -- runtimes runs in each runtime: latentkit with each kernel set, then latentkit/browser without a page. The last line
// is JSON: by name the text that was written, or the error.
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const model = path.join(root, 'models', 'tales-mla-8m')
const PROMPT = 'Once upon a time, there was a little girl named Lily.'
const schema = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 8 } },
  required: ['name'],
  additionalProperties: false,
}
const outcomes = {}

async function attempt(name, run) {
  try {
    outcomes[name] = await run()
  } catch (error) {
    outcomes[name] = { error: String(error?.stack ?? error) }
  }
}

async function write(engine) {
  const { text } = await engine.generate(PROMPT, { maxTokens: 12, temperature: 0 })
  const { value } = await engine.generate('Once', { schema, maxTokens: 60, seed: 1 })
  const { kernels, fallbackReason } = engine.info
  return { text, valid: typeof value?.name === 'string', kernels, fallbackReason }
}

const { Engine } = await import(new URL('../../../dist/src/index.js', import.meta.url).href)
for (const [kernels, inline] of [
  ['native', false],
  ['wasm', false],
  ['wasm', true],
]) {
  await attempt(`latentkit, ${kernels}${inline ? ', inline' : ''}`, async () => {
    const engine = await Engine.load(model, { kernels, inline })
    const written = await write(engine)
    await engine.dispose()
    return written
  })
}

const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' }
const server = createServer((request, response) => {
  const [, folder, name] = request.url.split('/')
  const file = path.join(folder === 'model' ? model : path.join(root, 'dist', 'browser'), name ?? '')
  if (!existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end()
  response.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream')
  response.setHeader('content-length', statSync(file).size)
  if (request.method === 'HEAD') response.end()
  else createReadStream(file).pipe(response)
})
await new Promise(resolve => server.listen(0, 'localhost', resolve))
await attempt('latentkit/browser', async () => {
  const { Engine: WebEngine } = await import(new URL('../../../dist/browser/latentkit.js', import.meta.url).href)
  const engine = await WebEngine.load(`http://localhost:${server.address().port}/model/`, { keep: false })
  const written = await write(engine)
  await engine.dispose()
  return written
})
console.log(JSON.stringify(outcomes))
process.exit(0)
