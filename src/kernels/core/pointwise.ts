import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import type { Activation } from '../contract/operations.ts'
import { axisOf, expect, expectDense, expectLike, expectStrided, strideOf } from './check.ts'
import { ACTIVATION_CODES } from './codes.ts'
import type { CommandList } from './command-list.ts'

/** An exponential costs about as much as so many multiply-adds. */
const EXPONENTIAL = 16

export function activate(list: CommandList, y: Tensor, x: Tensor, activation: Activation): void {
  expectLike('activate: x', x, 'f32', x)
  expectLike('activate: y', y, 'f32', x)
  list.begin('activate', EXPONENTIAL * elementCount(x.shape))
  list.put(ACTIVATION_CODES[activation])
  list.putExtent(x.shape)
  list.putStrided(y)
  list.putStrided(x)
  list.end()
}

export function gate(list: CommandList, y: Tensor, gates: Tensor, up: Tensor, activation: Activation): void {
  expectLike('gate: gate', gates, 'f32', gates)
  expectLike('gate: y', y, 'f32', gates)
  expectLike('gate: up', up, 'f32', gates)
  list.begin('gate', EXPONENTIAL * elementCount(gates.shape))
  list.put(ACTIVATION_CODES[activation])
  list.putExtent(gates.shape)
  list.putStrided(y)
  list.putStrided(gates)
  list.putStrided(up)
  list.end()
}

export function ropeTable(list: CommandList, cosSin: Tensor, positions: Tensor, frequencies: Tensor, m: number): void {
  const T = axisOf(positions, 0)
  const r = axisOf(frequencies, 0)
  expectDense('ropeTable: positions', positions, 'i32', T)
  expectDense('ropeTable: frequencies', frequencies, 'f64', r)
  expectDense('ropeTable: cosSin', cosSin, 'f32', T, 2 * r)
  list.begin('ropeTable', 200 * T * r)
  list.put(cosSin.address)
  list.put(positions.address)
  list.put(frequencies.address)
  list.put(T)
  list.put(r)
  list.put(m)
  list.end()
}

export function rope(list: CommandList, y: Tensor, x: Tensor, cosSin: Tensor, interleaved: boolean): void {
  const T = axisOf(x, 0)
  const heads = axisOf(x, 1)
  const n = axisOf(x, 2)
  const r = axisOf(cosSin, 1) / 2
  expectStrided('rope: x', x, 'f32', T, heads, n)
  expectStrided('rope: y', y, 'f32', T, heads, n)
  expectDense('rope: cosSin', cosSin, 'f32', T, 2 * r)
  if (!Number.isInteger(r) || 2 * r > n) expect('rope: cosSin', false, `an even number of at most ${n} columns`)
  list.begin('rope', 4 * T * heads * n)
  list.put(y.address)
  list.put(strideOf(y, 0))
  list.put(strideOf(y, 1))
  list.put(x.address)
  list.put(strideOf(x, 0))
  list.put(strideOf(x, 1))
  list.put(cosSin.address)
  list.put(T)
  list.put(heads)
  list.put(n)
  list.put(r)
  list.put(interleaved ? 1 : 0)
  list.end()
}
