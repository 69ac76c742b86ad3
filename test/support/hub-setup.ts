import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DownloadProgress, HubOptions } from '../../src/checkpoint/hub/options.ts'
import { FakeHub, type Fault, sha256 } from './fake-hub.ts'
import { writeSafetensors } from './safetensors-writer.ts'
import { tempFolder } from './temp-folder.ts'

export const name = { id: 'org/tiny', revision: 'main' }
export const REPO = 'models--org--tiny'
export const WEIGHTS = 'model.safetensors'

/** Larger than one network chunk, so that connections can break inside. */
export function weights(tensor = 'w', length = 1 << 20): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 24)
  return writeSafetensors({ [tensor]: { dtype: 'U8', shape: [length], bytes } })
}

/** The files of a small model. */
export const single = () => ({
  'config.json': '{"model_type":"llama"}',
  'tokenizer.json': '{}',
  'chat_template.jinja': '',
  'README.md': 'a card',
  'pytorch_model.bin': 'not fetched',
  [WEIGHTS]: weights(),
})

/** A hub with one model, an empty cache, and the options to bring them together. */
export async function setUp(files: Record<string, string | Uint8Array> = single(), fault?: Fault) {
  const hub = await new FakeHub(name.id, files).start()
  if (fault) hub.fault = fault
  const events: DownloadProgress[] = []
  const options: HubOptions = {
    cacheDir: tempFolder(),
    endpoint: hub.endpoint,
    token: 'hf_secret',
    retryDelay: 1,
    retries: 3,
    onProgress: event => events.push(event),
  }
  const repo = join(options.cacheDir, REPO)
  const data = hub.files.get(WEIGHTS) as Buffer
  const incomplete = data && join(repo, 'blobs', `${sha256(data)}.incomplete`)
  const begin = (content: Uint8Array) => {
    mkdirSync(join(repo, 'blobs'), { recursive: true })
    writeFileSync(incomplete, content)
  }
  return { hub, options, events, repo, data, incomplete, begin }
}

/** What a promise that has to fail failed with. */
export async function failure(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (e: unknown) => e,
  )
  return error as Error
}

/** A request for the bytes of a large file. */
export const isStore = (path: string) => path.startsWith('/store/')
