import { keptStorage, removeCached, removeKeptModel, removeKeptSession } from 'latentkit/browser'

const [sum, list] = ['sum', 'list'].map(id => document.getElementById(id))
const megabytes = bytes => (bytes === null ? '?' : `${(bytes / 1e6).toFixed(1)} MB`)

function row(text, bytes, remove) {
  const item = document.createElement('li')
  const button = document.createElement('button')
  button.textContent = 'Remove'
  button.onclick = () => remove().then(show).catch(failed)
  item.append(`${text}, ${megabytes(bytes)} `, button)
  return item
}

function failed(error) {
  sum.textContent = error.message
}

async function show() {
  const { models, sessions, caches, bytes, usage, quota, persisted } = await keptStorage()
  const mayGo = persisted ? 'kept until you remove it' : 'the browser may clear it'
  sum.textContent = `${megabytes(bytes)} kept; ${megabytes(usage)} of ${megabytes(quota)} used; ${mayGo}`
  list.replaceChildren(
    ...models.map(m =>
      row(`Model ${m.source}${m.complete ? '' : ' (in part)'}`, m.bytes, () => removeKeptModel(m.source)),
    ),
    ...sessions.map(s => row(`Session ${s.name}`, s.bytes, () => removeKeptSession(s.name))),
    ...caches.map(c => row(`Cache ${c.cacheDir}`, c.bytes, () => removeCached(c.cacheDir))),
  )
}

await show().catch(failed)
