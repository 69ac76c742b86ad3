/** SentencePiece's own model files (`sentencepiece_model.proto`): what of them a tokenizer is made of. */
import { CheckpointError } from '../../errors.ts'

/** What a piece is for, as the file numbers it. */
export const PIECE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

export interface Piece {
  readonly text: string
  readonly score: number
  /** One of `PIECE`. */
  readonly type: number
}

export interface SentencePieceModel {
  readonly pieces: readonly Piece[]
  /** 1: unigrams. */
  readonly modelType: number
  /** The normaliser's map of characters; empty: none. */
  readonly charsMap: Uint8Array
  /** A text begins with a space. */
  readonly prefix: boolean
  /** Spaces at the ends of a text, and all but one of several, are dropped. */
  readonly removesSpaces: boolean
}

/** Throws CheckpointError for bytes that are no such file. `file` names it. */
export function parseSentencePiece(bytes: Uint8Array, file: string): SentencePieceModel {
  const pieces: Piece[] = []
  let modelType = 1
  let charsMap = new Uint8Array()
  let prefix = true
  let removesSpaces = true
  for (const { field, value } of fieldsOf(bytes, file)) {
    if (field === 1) pieces.push(pieceOf(asBytes(value, file), file))
    if (field === 2) {
      for (const one of fieldsOf(asBytes(value, file), file)) if (one.field === 3) modelType = Number(one.value)
    }
    if (field === 3) {
      for (const one of fieldsOf(asBytes(value, file), file)) {
        if (one.field === 2) charsMap = asBytes(one.value, file).slice()
        if (one.field === 3) prefix = one.value !== 0
        if (one.field === 4) removesSpaces = one.value !== 0
      }
    }
  }
  if (pieces.length === 0) throw new CheckpointError(`${file} has no pieces; expected a model of SentencePiece`)
  return { pieces, modelType, charsMap, prefix, removesSpaces }
}

function pieceOf(bytes: Uint8Array, file: string): Piece {
  let [text, score, type]: [string, number, number] = ['', 0, PIECE.normal]
  for (const { field, value } of fieldsOf(bytes, file)) {
    if (field === 1) text = new TextDecoder().decode(asBytes(value, file))
    if (field === 2) score = floatOf(asBytes(value, file))
    if (field === 3) type = Number(value)
  }
  return { text, score, type }
}

interface Field {
  readonly field: number
  /** A varint, or the bytes of another kind. */
  readonly value: number | Uint8Array
}

/** The fields of a message of protocol buffers, in their order. Groups, which no file here has, end in an error. */
function* fieldsOf(bytes: Uint8Array, file: string): Generator<Field> {
  let at = 0
  const broken = () =>
    new CheckpointError(`${file} is no model of SentencePiece, or is cut off: byte ${at} begins no field`)
  const varint = () => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) throw broken()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw broken()
  }
  const take = (length: number) => {
    if (at + length > bytes.length) throw broken()
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const key = varint()
    const field = Math.floor(key / 8)
    switch (key % 8) {
      case 0:
        yield { field, value: varint() }
        break
      case 1:
        yield { field, value: take(8) }
        break
      case 2:
        yield { field, value: take(varint()) }
        break
      case 5:
        yield { field, value: take(4) }
        break
      default:
        throw broken()
    }
  }
}

function asBytes(value: number | Uint8Array, file: string): Uint8Array {
  if (typeof value !== 'number') return value
  throw new CheckpointError(`${file} is no model of SentencePiece: a number stands where bytes are expected`)
}

function floatOf(bytes: Uint8Array): number {
  return bytes.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true) : 0
}
