// Contenders of `npm run bench -- browser`, in a page; ours in Node, too. Each opens a model and then writes: `write({ text, ids,
// tokens })` continues a prompt greedily by so many tokens and gives what `Written` of pages.ts says.

/** When the first of so many tokens came, and how long the others took. */
async function timed(tokens, run) {
  const start = performance.now()
  let first = 0
  let count = 0
  const result = await run(() => {
    count++
    if (count === 1) first = performance.now()
  })
  const end = performance.now()
  if (count < tokens / 2) throw new Error(`${count} of ${tokens} tokens came`)
  return { firstMs: first - start, restMs: end - first, ...result }
}

export async function openOurs({ Engine, source, threads, isa }) {
  // Pages of the bench are private ones, which hold in memory what is kept.
  const kept = globalThis.document ? { keep: false } : {}
  const engine = await Engine.load(source, { kernels: 'wasm', threads, ...(isa && { isa }), ...kept })
  const { name, isa: set, threads: count } = engine.info.kernels
  return {
    name: `latentkit ${name} ${set}, ${count} threads`,
    isa: set,
    write: ({ text, tokens }) =>
      timed(tokens, async came => {
        const writing = engine.generate(text, { maxTokens: tokens, temperature: 0, ignoreEos: true })
        for await (const _ of writing) came()
        const { usage, text: written } = await writing
        return { promptTokens: usage.promptTokens - usage.cachedTokens, text: written }
      }),
  }
}

export async function openWllama({ folder, source, threads }) {
  const { Wllama } = await import(`${folder}/@wllama/wllama/esm/index.js`)
  const wasm = `${folder}/@wllama/wllama/esm/wasm/wllama.wasm`
  const quiet = { debug() {}, log() {}, warn() {}, error: console.error }
  const wllama = new Wllama({ default: wasm }, { logger: quiet })
  const blob = await (await fetch(source)).blob()
  await wllama.loadModel([blob], { n_ctx: 2048, n_threads: threads, n_gpu_layers: 0 })
  return {
    name: `wllama, ${wllama.getNumThreads?.() ?? threads} threads`,
    write: ({ text, tokens }) =>
      timed(tokens, async came => {
        let written = ''
        let promptTokens = 0
        const onData = chunk => {
          const piece = chunk.choices?.[0]?.text
          if (piece) {
            came()
            written += piece
          }
          if (chunk.timings) promptTokens = chunk.timings.prompt_n
        }
        const asked = { prompt: text, max_tokens: tokens, temperature: 0, stream: true, ignore_eos: true, onData }
        await wllama.createCompletion(asked)
        return { promptTokens, text: written }
      }),
  }
}

export async function openTransformers({ folder, source, threads, dtype }) {
  const { AutoModelForCausalLM, BaseStreamer, Tensor, env } = await import(
    `${folder}/@huggingface/transformers/dist/transformers.min.js`
  )
  env.allowRemoteModels = false
  env.allowLocalModels = true
  env.useBrowserCache = false
  env.localModelPath = new URL('..', new URL(source, location.href)).href
  env.backends.onnx.wasm.wasmPaths = new URL(`${folder}/onnxruntime-web/dist/`, location.href).href
  env.backends.onnx.wasm.numThreads = threads
  const name = source.split('/').filter(Boolean).at(-1)
  const model = await AutoModelForCausalLM.from_pretrained(name, { dtype, device: 'wasm' })
  const tensorOf = (ids, value) => new Tensor('int64', BigInt64Array.from(ids, value), [1, ids.length])
  return {
    name: `transformers.js ${dtype}, ${threads} threads`,
    write: ({ ids, tokens }) =>
      timed(tokens, async came => {
        let puts = 0
        const written = []
        class Streamer extends BaseStreamer {
          put([values]) {
            // The prompt comes first.
            if (puts++ === 0) return
            came()
            written.push(...values.map(Number))
          }
          end() {}
        }
        await model.generate({
          input_ids: tensorOf(ids, BigInt),
          attention_mask: tensorOf(ids, () => 1n),
          max_new_tokens: tokens,
          min_new_tokens: tokens,
          do_sample: false,
          streamer: new Streamer(),
        })
        return { promptTokens: ids.length, ids: written }
      }),
  }
}
