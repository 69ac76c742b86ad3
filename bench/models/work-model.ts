/** The models that benches work on, by name: random ones are written once into a folder, real ones lie beside us. */
import { existsSync, mkdirSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { weightBytes } from '../../src/tensor/dtype.ts'
import { refuse } from '../support/options.ts'
import { SHAPES } from './shapes.ts'
import { writeModel } from './write-model.ts'

const REAL: Readonly<Record<string, string>> = {
  smollm2: '../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf',
  tales: 'models/tales-mla-8m',
}

export const WORK_MODELS = [...Object.keys(SHAPES), ...Object.keys(REAL)]

/** The file of a work model, or the path itself. Writes a random one that is not in `folder` yet. */
export function workModel(name: string, folder: string): string {
  const shape = SHAPES[name]
  const file = shape ? path.join(folder, `${name}.gguf`) : (REAL[name] ?? name)
  if (existsSync(file)) return file
  if (!shape) refuse(`${file} is not there; a name is one of ${WORK_MODELS.join(', ')}, or a path`)
  const model = shape.make()
  const bytes = model.tensors.reduce(
    (n, t) =>
      n +
      weightBytes(
        t.type,
        t.ne.reduce((a, b) => a * b, 1),
        1,
      ),
    0,
  )
  mkdirSync(folder, { recursive: true })
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < 1.1 * bytes)
    throw new Error(`${folder} has no room for the ${Math.ceil(bytes / 1e6)} MB of ${name}`)
  console.log(`writing ${file}: ${shape.what}`)
  writeModel(file, model)
  return file
}
