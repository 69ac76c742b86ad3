/** The engine's parts bundled for a browser: nothing of Node comes along, and they write, save and restore without it. */
import { openAsBlob, readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectedTexts, TALES } from '../tales.ts'
import type { Picked, Written, write } from './program.ts'

const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
const PREBUILT = new URL('../../../prebuilt/', import.meta.url)

/** What every browser has, and JavaScript itself; nothing of Node's. */
const { AbortController, AbortSignal, Blob, crypto, DOMException, performance, structuredClone } = globalThis
const { atob, clearTimeout, setTimeout, TextDecoder, TextEncoder, URL: Url } = globalThis
const WEB = {
  ...{ AbortController, AbortSignal, Blob, crypto, DOMException, performance, structuredClone },
  ...{ atob, clearTimeout, setTimeout, TextDecoder, TextEncoder, URL: Url },
  fetch: async (url: URL) => new Response(readFileSync(new URL(url.pathname.split('/').at(-1) as string, PREBUILT))),
}

describe('the engine in a browser', () => {
  let run: typeof write
  let code: string

  beforeAll(async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [new URL('./program.ts', import.meta.url).pathname],
      bundle: true,
      platform: 'browser',
      format: 'iife',
      globalName: 'latentkit',
      // An import of Node that is left over stops here.
      logLevel: 'silent',
      define: { 'import.meta.url': '"https://example.org/src/kernels/core/wasm/wasm.js"' },
      metafile: true,
      write: false,
    })
    code = outputFiles[0]?.text ?? ''
    expect(Object.keys(metafile.inputs).filter(file => /\/(node|disk|files|find|hub)\//.test(file))).toEqual([])
    const context = createContext({ ...WEB })
    runInContext(code, context)
    run = (await runInContext('latentkit', context)).write
  })

  it('has no import of Node and asks for none of its globals', () => {
    expect(code.length).toBeGreaterThan(100_000)
    // ajv can write a validator as a file of Node; that text is never run.
    const own = code.replaceAll(/require\("ajv[^)]*"\)/g, '')
    const found = own.match(/.*(['"]node:|\brequire\(|\bBuffer\b|__dirname|\bsetImmediate\b|\bprocess\.\w).*/g) ?? []
    expect(found).toEqual([])
  })

  it.each(['reference', 'wasm'] as const)(
    'writes the expected text on %s kernels, and goes on from a saved session',
    {
      timeout: 120_000,
    },
    async kernels => {
      const picked: Record<string, Blob> = {}
      for (const file of FILES) picked[file] = await openAsBlob(`${TALES}/${file}`)
      for (const { text, greedyText } of expectedTexts().slice(0, 1)) {
        const written: Written = await run(picked as Picked, kernels, text, 24)
        expect(written.kernels).toBe(kernels)
        expect(written.text.length).toBeGreaterThan(50)
        expect(greedyText.startsWith(written.text)).toBe(true)
        expect(written.restored).toBe(written.text)
        expect(written.held).toEqual({ name: expect.any(String), age: expect.any(Number) })
      }
    },
  )
})
