import { readFloats, readIntegers } from '../checkpoint/read-tensor.ts'
import { readSafetensorsHeader, type SafetensorsFile } from '../checkpoint/safetensors/safetensors.ts'
import { openFile } from '../checkpoint/source/file-source.ts'
import type { TensorEntry } from '../checkpoint/tensor-entry.ts'
import { ReferenceFileError } from './errors.ts'
import type { Reference, ReferenceRows } from './reference.ts'
import { decodeRow, FORMAT, referenceTensors } from './reference-format.ts'
import type { Cut, Windows } from './windows.ts'

/** A reference file whose header has been read. */
export interface ReferenceFile {
  /** The model it was made with. */
  readonly model: string
  readonly cut: Cut
  readonly windows: number
  /** Opens the rows. Throws ReferenceFileError unless tokens and vocabulary are the same. */
  open(windows: Windows, vocabSize: number): Promise<Reference>
}

/** Throws CheckpointError if it is not safetensors or is truncated, ReferenceFileError for other content. */
export async function openReferenceFile(path: string): Promise<ReferenceFile> {
  const file = await readSafetensorsHeader(await openFile(path))
  const format = file.metadata.get('format')
  if (format !== FORMAT) {
    const met = format === undefined ? 'says no format' : `says format ${JSON.stringify(format)}`
    throw new ReferenceFileError(`${path} ${met} in its metadata; expected ${FORMAT}, as --save-reference writes it`)
  }
  const number = (key: string) => {
    const text = file.metadata.get(key) ?? ''
    if (/^\d{1,9}$/.test(text)) return Number(text)
    throw new ReferenceFileError(`${path}: ${key} is ${JSON.stringify(text)} in its metadata; expected a whole number`)
  }
  const cut = { size: number('window'), step: number('step'), from: number('scored_from') }
  return {
    model: file.metadata.get('model') ?? path,
    cut,
    windows: file.tensors.get('tokens')?.shape[0] ?? 0,
    open: (windows, vocabSize) => openRows(path, file, cut, windows, vocabSize),
  }
}

async function openRows(
  path: string,
  { tensors, metadata }: SafetensorsFile,
  cut: Cut,
  windows: Windows,
  vocabSize: number,
): Promise<Reference> {
  checkCut(path, cut, windows)
  const kept = tensors.get('tokens')?.shape[0] ?? 0
  if (windows.list.length > kept) {
    const met = `${path} holds ${kept} windows, this measurement has ${windows.list.length}`
    throw new ReferenceFileError(`${met}; measure fewer`)
  }
  const codesShape = tensors.get('codes')?.shape
  if (codesShape?.length === 2 && codesShape[1] !== vocabSize) {
    const met = `${path} is of a model with ${codesShape[1]} tokens in its vocabulary`
    throw new ReferenceFileError(`${met}, this one has ${vocabSize}; only models with one vocabulary can be compared`)
  }
  const found = Object.entries(referenceTensors(cut, kept, vocabSize)).map(([name, expected]) => {
    const entry = tensors.get(name)
    if (entry?.dtype === expected.dtype && String(entry.shape) === String(expected.shape)) return [name, entry] as const
    const met = entry ? `is ${entry.dtype} [${entry.shape.join(', ')}]` : 'is missing'
    const wanted = `${expected.dtype} [${expected.shape.join(', ')}]`
    throw new ReferenceFileError(`${path}: tensor ${name} ${met}; expected ${wanted}`)
  })
  const { nll, range, tokens, codes } = Object.fromEntries(found) as Record<string, TensorEntry>
  await checkTokens(path, tokens as TensorEntry, windows)
  return new FileReference(
    metadata.get('model') ?? path,
    await readFloats(nll as TensorEntry),
    await readFloats(range as TensorEntry),
    codes as TensorEntry,
  )
}

function checkCut(path: string, cut: Cut, windows: Windows): void {
  const show = ({ size, step, from }: Cut) => `windows of ${size} tokens every ${step}, scored from token ${from}`
  if (show(cut) === show(windows)) return
  throw new ReferenceFileError(`${path} is of ${show(cut)}, this measurement of ${show(windows)}; take the same`)
}

async function checkTokens(path: string, entry: TensorEntry, { list, size }: Windows): Promise<void> {
  const ids = await readIntegers(entry)
  for (const [w, tokens] of list.entries()) {
    const at = tokens.findIndex((id, i) => id !== ids[w * size + i])
    if (at < 0) continue
    throw new ReferenceFileError(
      `${path} is of another text or tokenizer: token ${at} of window ${w} is ${ids[w * size + at]} there and ${tokens[at]} here`,
    )
  }
}

class FileReference implements Reference {
  readonly name: string
  readonly #nll: Float32Array
  readonly #range: Float32Array
  readonly #codes: TensorEntry
  #row = 0

  constructor(name: string, nll: Float32Array, range: Float32Array, codes: TensorEntry) {
    this.name = name
    this.#nll = nll
    this.#range = range
    this.#codes = codes
  }

  async next(count: number): Promise<ReferenceRows> {
    const vocabSize = this.#codes.shape[1] as number
    const { source, offset } = this.#codes.bytes
    const first = this.#row
    const bytes = await source.read(offset + 2 * first * vocabSize, 2 * count * vocabSize)
    const codes = new Uint16Array(bytes.buffer, bytes.byteOffset, count * vocabSize)
    const logits = new Float32Array(codes.length)
    for (let i = 0; i < count; i++) {
      const [from, to] = [i * vocabSize, (i + 1) * vocabSize]
      const [lowest, step] = this.#range.subarray(2 * (first + i)) as unknown as [number, number]
      decodeRow(logits.subarray(from, to), codes.subarray(from, to), lowest, step)
    }
    this.#row += count
    return { logits, nll: Float64Array.from(this.#nll.subarray(first, first + count)) }
  }

  async dispose(): Promise<void> {}
}
