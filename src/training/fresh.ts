import { Checkpoint, type CheckpointContents } from '../checkpoint/checkpoint.ts'
import { lazyMatrix } from '../checkpoint/recode/lazy-matrix.ts'
import type { TensorEntry } from '../checkpoint/tensor-entry.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import { surveyPredictions, surveyWeights } from '../model/load.ts'
import { modelOf, type OpenedModel } from '../model/open/opened-model.ts'
import { COPIES } from '../model/prediction.ts'
import { fillNormals } from '../sampling/normals.ts'
import { Rng } from '../sampling/rng.ts'

/** How tensors begin, by their names on the hub: the first row that fits counts. A matrix that none fits is drawn. */
const BEGINNINGS = [
  { pattern: /(norm|ln_[^.]*)\.weight$/i, vector: true, fill: 'one' },
  { pattern: /./, vector: true, fill: 'zero' },
  { pattern: /\.(o_proj|down_proj|c_proj|dense|dense_4h_to_h)\.weight$/, vector: false, fill: 'residual' },
] as const

/**
 * A model that has learned nothing, from its config.json alone: matrices are drawn from a normal distribution of deviation `initializer_range`
 * (default 0.02), those that write into the stream of 1 / sqrt(2 L) of it (GPT-2's rule); norms' weights are 1, biases 0. The same seed
 * gives the same model. Throws ConfigError or UnsupportedModelError.
 */
export async function freshModel(contents: Omit<CheckpointContents, 'tensors'>, seed: number): Promise<OpenedModel> {
  const asked = new AskedCheckpoint({ ...contents, tensors: new Map() })
  const opened = modelOf(asked)
  await surveyWeights(opened)
  const { num_nextn_predict_layers: further } = contents.config
  const indices = Array.from({ length: typeof further === 'number' ? further : 0 }, (_, k) => opened.config.nLayers + k)
  await surveyPredictions(opened, indices)
  const past = opened.family.names.prediction ? [] : [...asked.shapes.values()]
  for (const { name } of past.filter(({ name }) => name.endsWith('.eh_proj.weight'))) {
    // The model's own once more, as published: saving makes them equal.
    const { vocabSize, hiddenSize } = opened.config
    for (const part of Object.keys(COPIES)) asked.matrix(name.replace('eh_proj.weight', part), vocabSize, hiddenSize)
  }
  const range = contents.config.initializer_range
  const deviation = typeof range === 'number' && range > 0 ? range : 0.02
  const { names } = opened.family
  const offset = names.normOffset ?? 0
  const depth = Math.sqrt(2 * opened.config.nLayers)
  const tensors = new Map<string, TensorEntry>()
  for (const { name, rows, cols, shape } of asked.shapes.values()) {
    const fill =
      BEGINNINGS.find(({ pattern, vector }) => vector === (shape.length === 1) && pattern.test(name))?.fill ?? 'normal'
    const source = lazyMatrix({ name, dtype: 'f32', rows, cols }, 'fresh weights', async (start, count) => {
      const numbers = new Float32Array(count * cols)
      if (fill === 'one') numbers.fill(1 - offset)
      else if (fill !== 'zero') {
        const scale = fill === 'residual' ? deviation / depth : deviation
        for (let row = 0; row < count; row++) {
          const rng = Rng.seeded(seedOf(`${seed} ${start + row} ${name}`))
          fillNormals(numbers.subarray(row * cols, (row + 1) * cols), rng, scale)
        }
      }
      return new Uint8Array(numbers.buffer)
    })
    tensors.set(name, { name, dtype: 'F32', shape, bytes: source.bytes })
  }
  return modelOf(new Checkpoint({ ...contents, tensors }))
}

/** FNV-1a, 64 bits: a seed of its own for each text. */
export function seedOf(text: string): bigint {
  let h = 0xcbf29ce484222325n
  for (let i = 0; i < text.length; i++) h = BigInt.asUintN(64, (h ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n)
  return h
}

interface Asked {
  readonly name: string
  readonly rows: number
  readonly cols: number
  /** As it is stored. */
  readonly shape: readonly number[]
}

/** Has whatever it is asked for by name, and remembers the shape. */
class AskedCheckpoint extends Checkpoint {
  readonly shapes = new Map<string, Asked>()

  override matrix(name: string, rows: number, cols: number, { transposed = false } = {}): WeightSource {
    const [first, second] = transposed ? [cols, rows] : [rows, cols]
    this.shapes.set(name, { name, rows: first, cols: second, shape: [first, second] })
    return this.#source(name, rows, cols)
  }

  override vector(name: string, length: number): WeightSource {
    this.shapes.set(name, { name, rows: 1, cols: length, shape: [length] })
    return this.#source(name, 1, length)
  }

  #source(name: string, rows: number, cols: number): WeightSource {
    return lazyMatrix({ name, dtype: 'f32', rows, cols }, 'fresh weights', async () => new Uint8Array())
  }
}
