/** What a conversion has done so far, in a folder beside its output: one that is interrupted goes on from there. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSafetensorsHeader } from '../checkpoint/safetensors/safetensors.ts'
import { openFile } from '../checkpoint/source/file-source.ts'
import type { TensorEntry } from '../checkpoint/tensor-entry.ts'
import { ConversionError } from '../conversion/errors.ts'
import { writeSafetensors } from '../conversion/hub/write-safetensors.ts'
import { writeError, writeWhole } from '../conversion/output.ts'
import { encodeNumbers } from '../quant/numbers.ts'
import { f32Tensor } from '../training/run/f32-tensor.ts'
import type { Dense } from './dense.ts'
import type { NamedMatrix } from './form.ts'
import type { LayerStatistics } from './statistics.ts'

/** Changes when files of an earlier version mean something else. */
const VERSION = 5

/** What is in such a folder. */
const OWN =
  /^(identity\.json|(layer-\d+\.(statistics|streams|tensors|healed)|healing\.(json|safetensors)|measured\.json|samples)(\.(.*\.)?partial)?)$/

const [HEALING, HEALED, SAMPLES, MEASURED] = ['healing.json', 'healing.safetensors', 'samples', 'measured.json']

/** Texts that the original has written, all of one length, and the time that this took. */
export interface Samples {
  /** Of the kernels that wrote them. */
  readonly numerics: string
  readonly windows: readonly Int32Array[]
  readonly seconds: number
}

/** By path, such as `rows`: the shape of its numbers, which follow in this order as f32: sums of the kernels are no more exact. */
type Header = Readonly<Record<string, readonly number[]>>

export class WorkFolder {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /**
   * The folder for a text and a model, by what identifies both. What was left there by other ones is removed. Throws ConversionError where it cannot be
   * made, or has files that no conversion has left.
   */
  static async open(path: string, identity: object): Promise<WorkFolder> {
    const wanted = JSON.stringify({ version: VERSION, ...identity })
    const folder = new WorkFolder(path)
    const other = (await namesIn(path)).find(name => !OWN.test(name))
    if (other !== undefined) {
      throw new ConversionError(
        'output_exists',
        `${path} is where a conversion keeps what it has done so far, and ${other} there is none of it; give another place for the output`,
      )
    }
    const found = await readFile(join(path, 'identity.json'), 'utf8').catch(() => undefined)
    if (found !== wanted) {
      await folder.remove()
      await folder.#try(async () => {
        await mkdir(path, { recursive: true })
        await writeFile(join(path, 'identity.json'), wanted)
      })
    }
    return folder
  }

  /** Layers whose statistics are there, from the first on. */
  async layersDone(): Promise<number> {
    const names = new Set(await readdir(this.path))
    let layers = 0
    while (names.has(statisticsName(layers))) layers++
    return layers
  }

  async keepStatistics(layer: number, statistics: LayerStatistics): Promise<void> {
    const parts = partsOf('', statistics)
    const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(parts.map(p => [p.name, p.shape]))))
    const padded = 8 * Math.ceil((header.length + 8) / 8)
    const start = new Uint8Array(padded).fill(0x20)
    new DataView(start.buffer).setUint32(0, padded, true)
    start.set(header, 8)
    const numbers = parts.map(({ values }) => bytesOf(Float32Array.from(values)))
    await this.#write(statisticsName(layer), [start, ...numbers])
  }

  async statistics(layer: number): Promise<LayerStatistics> {
    const bytes = new Uint8Array(await readFile(join(this.path, statisticsName(layer))))
    const padded = new DataView(bytes.buffer).getUint32(0, true)
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, padded))) as Header
    const found: Record<string, unknown> = {}
    let at = padded
    for (const [path, shape] of Object.entries(header)) {
      const length = shape.reduce((n, size) => n * size, 1)
      const values = Float64Array.from(new Float32Array(bytes.buffer.slice(at, at + 4 * length)))
      at += 4 * length
      const [name, inner] = path.split('.') as [string, string?]
      const value = shape.length === 0 ? values[0] : shape.length === 1 ? values : dense(shape, values)
      if (inner === undefined) found[name] = value
      else found[name] = { ...(found[name] as object), [inner]: value }
    }
    return found as unknown as LayerStatistics
  }

  /** The streams that enter `layer`. */
  async keepStreams(layer: number, streams: readonly Float32Array[]): Promise<void> {
    await this.#write(streamsName(layer), streams.map(bytesOf))
  }

  async dropStreams(layer: number): Promise<void> {
    await rm(join(this.path, streamsName(layer)), { force: true })
  }

  /** Undefined where they are not there. */
  async streams(layer: number, windows: number): Promise<Float32Array[] | undefined> {
    const file = await readFile(join(this.path, streamsName(layer))).catch(() => undefined)
    if (!file) return undefined
    const all = new Float32Array(new Uint8Array(file).buffer)
    const each = all.length / windows
    return Array.from({ length: windows }, (_, w) => all.slice(w * each, (w + 1) * each))
  }

  /** Tensors of a layer, as entries of a checkpoint over a file. `type`: of what need not be exact. `healed`: those that have learned. */
  async keepTensors(
    layer: number,
    tensors: readonly NamedMatrix[],
    type: 'f32' | 'bf16',
    kind: 'tensors' | 'healed' = 'tensors',
  ): Promise<TensorEntry[]> {
    const name = `layer-${layer}.${kind}`
    const made = tensors.map(({ name, shape, values, exact }) => {
      const dtype = exact ? 'f32' : type
      return { name, shape, dtype, bytes: encodeNumbers(dtype, values) }
    })
    await this.#write(
      name,
      made.map(({ bytes }) => bytes),
    )
    const source = await openFile(join(this.path, name))
    let offset = 0
    return made.map(({ name, shape, dtype, bytes }) => {
      const entry = { name, shape, dtype: dtype.toUpperCase(), bytes: { source, offset, length: bytes.length } }
      offset += bytes.length
      return entry as TensorEntry
    })
  }

  /** What was measured of sizes under an identity; that of others stays. */
  async keepMeasured(identity: string, measured: object): Promise<void> {
    const all = { ...(await this.#allMeasured()), [identity]: measured }
    await this.#write(MEASURED, [new TextEncoder().encode(JSON.stringify(all))])
  }

  /** Undefined: nothing was kept. */
  async measured(identity: string): Promise<unknown> {
    return (await this.#allMeasured())[identity]
  }

  async #allMeasured(): Promise<Record<string, unknown>> {
    const text = await readFile(join(this.path, MEASURED), 'utf8').catch(() => '{}')
    return JSON.parse(text)
  }

  /** Begins healing, or takes it up: what is kept of another one is removed. */
  async beginHealing(identity: object): Promise<void> {
    const wanted = JSON.stringify(identity)
    const place = join(this.path, HEALING)
    if ((await readFile(place, 'utf8').catch(() => undefined)) === wanted) return
    for (const name of [HEALING, HEALED]) await rm(join(this.path, name), { force: true })
    await this.#write(HEALING, [new TextEncoder().encode(wanted)])
  }

  /** Numbers by name, as healing goes on from them. */
  async keepHealing(numbers: ReadonlyMap<string, Float32Array>): Promise<void> {
    const tensors = [...numbers].map(([name, values]) => f32Tensor(name, [values.length], values))
    await writeWhole(join(this.path, HEALED), output => writeSafetensors(output, tensors))
  }

  /** Undefined: nothing was kept. */
  async healing(): Promise<Map<string, Float32Array> | undefined> {
    if (!(await readdir(this.path)).includes(HEALED)) return undefined
    const { tensors } = await readSafetensorsHeader(await openFile(join(this.path, HEALED)))
    const numbers = new Map<string, Float32Array>()
    for (const { name, bytes } of tensors.values()) {
      const stored = new Uint8Array(await bytes.source.read(bytes.offset, bytes.length))
      numbers.set(name, new Float32Array(stored.buffer))
    }
    return numbers
  }

  /** Texts that the original has written. */
  async keepSamples({ windows, ...others }: Samples): Promise<void> {
    const text = JSON.stringify({ ...others, windows: windows.map(ids => [...ids]) })
    await this.#write(SAMPLES, [new TextEncoder().encode(text)])
  }

  /** Undefined: kernels of these numerics have written none. */
  async samples(numerics: string): Promise<Samples | undefined> {
    const text = await readFile(join(this.path, SAMPLES), 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    const kept = JSON.parse(text)
    if (kept.numerics !== numerics) return undefined
    return { ...kept, windows: kept.windows.map((ids: number[]) => Int32Array.from(ids)) }
  }

  /** Keeps what another size can begin from: statistics, what was measured of sizes, texts that the original has written. */
  async dropTensors(): Promise<void> {
    for (const name of await readdir(this.path)) {
      const isKept = ['identity.json', MEASURED, SAMPLES].includes(name) || name.endsWith('.statistics')
      if (!isKept) await rm(join(this.path, name), { force: true })
    }
  }

  /** Whether nothing was kept yet. */
  async isEmpty(): Promise<boolean> {
    return (await namesIn(this.path)).every(name => name === 'identity.json')
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }

  /** Whole or not at all. */
  async #write(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const place = join(this.path, name)
    const partial = `${place}.partial`
    await this.#try(async () => {
      try {
        await writeFile(partial, parts, { flush: true })
        await rename(partial, place)
      } catch (error) {
        // A full disk needs its room back.
        await rm(partial, { force: true })
        throw error
      }
    })
  }

  async #try(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      throw writeError(this.path, error)
    })
  }
}

/** None where there is no such folder. */
async function namesIn(path: string): Promise<string[]> {
  return readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw writeError(path, error)
  })
}

interface Part {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float64Array
}

function partsOf(before: string, statistics: object): Part[] {
  return Object.entries(statistics).flatMap(([key, value]): Part[] => {
    const name = before + key
    if (typeof value === 'number') return [{ name, shape: [], values: Float64Array.of(value) }]
    if (value instanceof Float64Array) return [{ name, shape: [value.length], values: value }]
    if (value.values instanceof Float64Array) return [{ name, shape: [value.rows, value.cols], values: value.values }]
    return partsOf(`${name}.`, value)
  })
}

function dense(shape: readonly number[], values: Float64Array): Dense {
  const [rows, cols] = shape as readonly [number, number]
  return { rows, cols, values }
}

function statisticsName(layer: number): string {
  return `layer-${layer}.statistics`
}

function streamsName(layer: number): string {
  return `layer-${layer}.streams`
}

function bytesOf(values: Float64Array | Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
