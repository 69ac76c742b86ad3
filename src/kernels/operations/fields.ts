/**
 * What the fields of a record are. A record is how an operation is handed to a machine: a row of numbers that the recorder
 * of the core writes and a struct of C++ reads (native/core/records.h), both made from these kinds.
 */
import type { DType } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { RowSlice, Sequences } from '../contract/cached-rows.ts'
import type { Activation } from '../contract/operation-options.ts'
import type { ExpertWeights, Weight } from '../contract/weights.ts'
import type { CoreType } from './codes.ts'

/** Structs that several records hold, with their fields in the order of their numbers. */
export const STRUCTS = {
  /** A prepared matrix. `scales`: e4m3 only, one factor per block of blockRows x blockCols; else 0. */
  weight: {
    address: 'address',
    dtype: 'dtype',
    rows: 'count',
    cols: 'count',
    scales: 'f32 address',
    blockRows: 'count',
    blockCols: 'count',
  },
  /** Matrices of one shape. `table`: [address, dtype, scales] of each; `packed`: all are quantised and packed, or none. */
  experts: {
    packed: 'flag',
    table: 'f64 address',
    experts: 'count',
    rows: 'count',
    cols: 'count',
    blockRows: 'count',
    blockCols: 'count',
  },
  /** The sequences of a step. `directory`: a word that points at the addresses of blocks, by id. */
  sequences: {
    rows: 'i32 address',
    count: 'count',
    tables: 'i32 address',
    directory: 'u64 address',
  },
  /** A slice of rows of the cache. */
  slice: {
    /** Of a block; 0: contiguous rows from `base` on, the first at keyStart. */
    blockTokens: 'count',
    /** Of the contiguous rows, or bytes from a block's address to this layer's first row. The slice's offset included. */
    base: 'count',
    rowBytes: 'count',
    dtype: 'dtype',
    heads: 'count',
    width: 'count',
    headStride: 'count',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>

export type Struct = keyof typeof STRUCTS

export type FieldKind =
  | {
      readonly kind: 'tensor'
      readonly dtype: DType
      readonly written: boolean
      readonly optional: boolean
      readonly axes: readonly string[]
    }
  | { readonly kind: 'address'; readonly written: boolean; readonly dtype: DType }
  | { readonly kind: 'strided' | 'extent' | 'count' | 'real' | 'real64' | 'flag' | 'dtype' | 'activation' }
  | { readonly kind: Struct | 'slices' | 'exact' | 'mustQuantise' }

/** `Value`: what the table gives for the field. */
export type Field<Value = unknown> = FieldKind & { readonly value?: Value }

const tensor =
  <Value>(written: boolean, optional: boolean) =>
  (dtype: DType, ...axes: readonly string[]): Field<Value> => ({ kind: 'tensor', dtype, written, optional, axes })

/** A tensor that is written: its address, and the strides of the axes that are named. */
export const output = tensor<Tensor>(true, false)
/** The same of one that is read. */
export const input = tensor<Tensor>(false, false)
/** One that may be absent: address and strides are 0 then. */
export const maybe = tensor<Tensor | null | undefined>(false, true)
export const maybeOutput = tensor<Tensor | null | undefined>(true, true)

/** Sizes of up to four axes; `strided`: an address and three outer strides, to go with it. */
export const extent: Field<readonly number[]> = { kind: 'extent' }
export const strided: Field<Tensor | null | undefined> = { kind: 'strided' }

export const count: Field<number> = { kind: 'count' }
export const flag: Field<boolean> = { kind: 'flag' }
/** A number that the core computes with as f32, or as f64. */
export const real: Field<number> = { kind: 'real' }
export const real64: Field<number> = { kind: 'real64' }
export const dtype: Field<CoreType> = { kind: 'dtype' }
export const activation: Field<Activation> = { kind: 'activation' }

export const weight: Field<Weight> = { kind: 'weight' }
export const experts: Field<ExpertWeights> = { kind: 'experts' }
export const sequences: Field<Sequences> = { kind: 'sequences' }
export const slice: Field<RowSlice> = { kind: 'slice' }
/** So many at most; their number comes first. A record ends with them. */
export const slices: Field<readonly RowSlice[]> = { kind: 'slices' }
export const MAX_SLICES = 8

/** Whether factors have to be f32; kernels that compute exactly set it whatever the value. */
export const exact: Field<boolean> = { kind: 'exact' }
/** The rows that a quantised weight needs in 8 bits: whether the core must quantise them, or has them from the product before. */
export const mustQuantise: Field<Tensor | null> = { kind: 'mustQuantise' }

/** Memory of the core itself, `bytes` apart from any tensor. */
export const addressOf = (dtype: DType, written: boolean): Field<number> => ({ kind: 'address', dtype, written })

export type Fields = Readonly<Record<string, Field>>

export type Values<F extends Fields> = { readonly [N in keyof F]: F[N] extends Field<infer Value> ? Value : never }

export interface Operation<F extends Fields = Fields, Args extends readonly unknown[] = readonly never[]> {
  /** The header in native/ops that has the kernel, a function of the operation's name. */
  readonly kernel: string
  readonly record: F
  /**
   * Checks the arguments and gives the record's values. Throws the contract's RangeError. `work`: about the multiply-adds or
   * elements moved; little work is done by one thread alone.
   */
  readonly from: (...args: Args) => Values<F> & { readonly work: number }
}

/** States an operation. */
export function operation<F extends Fields, Args extends readonly unknown[]>(stated: Operation<F, Args>) {
  return stated
}

/** An exponential costs about as much as so many multiply-adds. */
export const EXPONENTIAL = 16
