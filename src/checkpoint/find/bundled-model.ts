import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The name of the model in the package. */
export const BUNDLED_MODEL = 'tales-mla-8m'

/**
 * The folder of the bundled model: a storyteller of 8 million parameters with latent attention. `Engine.load` also
 * accepts its name, `tales-mla-8m`, unless a folder of that name exists.
 */
export function bundledModel(): string {
  // Walk up from this file: its depth differs between source and build.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const model = join(folder, 'models', BUNDLED_MODEL)
    if (existsSync(join(model, 'config.json')) || dirname(folder) === folder) return model
  }
}
