import { OptionError } from '../../../errors.ts'
import { connect, LoadedEngine } from '../../api/engine.ts'
import type { LoadOptions } from '../../types/options/load.ts'
import type { Links } from '../../types/protocol.ts'
import { findAssets } from './assets.ts'
import { type ModelSource, readSource } from './source.ts'
import { web } from './web-globals.ts'

/** Options of `Engine.load` in a page. */
export interface WebLoadOptions extends Omit<LoadOptions, 'inline'> {
  /**
   * The folder with the files of `latentkit/dist/browser`. Default: beside the module, where bundlers that know
   * `new URL('…', import.meta.url)` and plain module scripts find them.
   */
  readonly assets?: string | URL
  /** Keep what is downloaded in the browser, and use what is kept. Default true. */
  readonly keep?: boolean
}

/**
 * A loaded model in a worker of the page. Holds no conversation; those are sessions, any number of them at once.
 *
 *     const engine = await Engine.load('HuggingFaceTB/SmolLM2-135M-Instruct')
 *     const session = engine.session()
 *     for await (const { text } of session.prompt('Once upon a time')) document.body.append(text)
 *     await engine.dispose()
 */
export class Engine extends LoadedEngine {
  /**
   * Loads a model. `source` is a name on the hub (`owner/name`, `owner/name@revision`, `owner/name:Q4_K_M`), the address of
   * a GGUF file, of a safetensors file or of a folder with config.json, tokenizer.json and safetensors, or files that the
   * user picked or dropped: a `File`, several (a `FileList`, of a split set all parts), a file's or folder's handle.
   *
   * Computes with WebAssembly, with threads where the page is cross-origin isolated; `engine.info.kernels.threads` says how
   * many, and `engine.info.fallbackReason` why there is only one.
   *
   * Throws CheckpointError, ConfigError, UnsupportedModelError for what cannot be read or run, HubError for what cannot be
   * had, OutOfMemoryError for what is too large, WorkerError where the worker cannot be started, OptionError, the signal's
   * reason.
   */
  static async load(source: ModelSource, options: WebLoadOptions = {}): Promise<Engine> {
    const { assets: given, keep = true, ...rest } = options
    if (typeof keep !== 'boolean') throw new OptionError(`keep is ${String(keep)}; expected true or false`)
    const page = web.document?.baseURI ?? web.location?.href ?? import.meta.url
    const assets = findAssets(given, page)
    const model = await readSource(source, page)
    const { openWorker } = await import('./link-worker.ts')
    const links: Links = {
      worker: async () => events => openWorker({ assets, model, keep }, events),
      inline: async () => {
        throw new OptionError('inline is not for pages: the model always runs in a worker')
      },
    }
    return new Engine(await connect(links, model.name, rest))
  }
}
