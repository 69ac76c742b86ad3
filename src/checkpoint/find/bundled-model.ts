import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The name of the model that comes with the package. */
export const BUNDLED_MODEL = 'tales-mla-8m'

/**
 * The folder of the model that comes with the package: a storyteller of 8 million parameters with latent attention.
 * `Engine.load` takes its name `tales-mla-8m` too, where there is no folder of that name.
 */
export function bundledModel(): string {
  // Up from this file, built or not.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const model = join(folder, 'models', BUNDLED_MODEL)
    if (existsSync(join(model, 'config.json')) || dirname(folder) === folder) return model
  }
}
