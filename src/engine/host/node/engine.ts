import { connect, LoadedEngine } from '../../api/engine.ts'
import type { LoadOptions } from '../../types/options/load.ts'
import type { Links } from '../../types/protocol.ts'

/** Only what is used is loaded: the inline host brings all of the engine into the caller's thread. */
const LINKS: Links = {
  worker: async () => (await import('./link-worker.ts')).openWorker,
  inline: async () => (await import('./link-inline.ts')).openInline,
}

/**
 * A loaded model in a thread of its own. Holds no conversation; those are sessions, any number of them at once.
 *
 *     const engine = await Engine.load(bundledModel())
 *     const session = engine.session()
 *     for await (const { text } of session.prompt('Once upon a time')) process.stdout.write(text)
 *     await engine.dispose()
 */
export class Engine extends LoadedEngine {
  /**
   * Loads a model. `source` is a folder with config.json, tokenizer.json and safetensors, a GGUF file (of a split set any
   * part), a safetensors file beside its config.json, a name on the hub (`owner/name`, `owner/name@revision`), which is
   * downloaded into the hub's cache unless it is there, or `tales-mla-8m`, the model that comes with the package. Files
   * are known by their first bytes, so Ollama's blobs (`sha256-…`) and manifests load too.
   *
   * Throws CheckpointError, ConfigError, UnsupportedModelError for what cannot be read or run, KernelsUnavailableError
   * for kernels that were asked for by name and are not there, OptionError, OutOfMemoryError, the signal's reason.
   */
  static async load(source: string, options: LoadOptions = {}): Promise<Engine> {
    return new Engine(await connect(LINKS, source, options))
  }
}
