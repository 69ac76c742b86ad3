import { Exceeded, Fault, valueError } from '../errors.ts'
import type { Work } from '../work.ts'
import { Float, type Value } from './objects.ts'

export type Int = number | bigint

/** Longest int in bits. Python prints no int of more than 4,300 digits, which are 14,285 bits. */
const MAX_BITS = 1 << 16

export function isInt(value: Value): value is Int | boolean {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
}

export function isNumber(value: Value): value is Int | boolean | Float {
  return isInt(value) || value instanceof Float
}

/** A bool is an int in Python. */
export function toInt(value: Int | boolean): Int {
  return typeof value === 'boolean' ? Number(value) : value
}

export function normalInt(value: bigint): Int {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

/** A finite number without fraction as an int. */
export function intOf(value: number): Int {
  return Number.isSafeInteger(value) ? value + 0 : normalInt(BigInt(value))
}

export function toFloat(value: Int | boolean | Float): number {
  if (value instanceof Float) return value.value
  const result = Number(value)
  if (!Number.isFinite(result)) throw new Fault('OverflowError', 'int too large to convert to float')
  return result
}

/** A plain number for a count or a position; what is beyond any text ends at its bounds. */
export function toIndex(value: Int | boolean): number {
  const int = toInt(value)
  if (typeof int === 'number') return int
  return int > 0 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}

export type Operator = '+' | '-' | '*' | '/' | '//' | '%' | '**'

export function arithmetic(work: Work, op: Operator, a: Int | boolean | Float, b: Int | boolean | Float): Value {
  if (a instanceof Float || b instanceof Float) return floatArithmetic(op, toFloat(a), toFloat(b))
  return intArithmetic(work, op, toInt(a), toInt(b))
}

function intArithmetic(work: Work, op: Operator, a: Int, b: Int): Value {
  if (op === '/') {
    if (Number(b) === 0) throw new Fault('ZeroDivisionError', 'division by zero')
    return new Float(toFloat(a) / toFloat(b))
  }
  if (op === '**') return power(work, a, b)
  if (typeof a === 'number' && typeof b === 'number') {
    const quick = safeArithmetic(op, a, b)
    if (Number.isSafeInteger(quick)) return quick + 0
  }
  return bigArithmetic(work, op, BigInt(a), BigInt(b))
}

function safeArithmetic(op: Operator, a: number, b: number): number {
  if (op === '+') return a + b
  if (op === '-') return a - b
  if (op === '*') return a * b
  if (b === 0) throw new Fault('ZeroDivisionError', 'integer division or modulo by zero')
  const rest = a % b
  const mod = rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
  return op === '%' ? mod : (a - mod) / b
}

function bigArithmetic(work: Work, op: Operator, a: bigint, b: bigint): Int {
  const bits = bitLength(a) + bitLength(b)
  work.spend(1 + (bits >> 6) + (op === '+' || op === '-' ? 0 : (bits >> 8) ** 2))
  if (op === '+') return normalInt(a + b)
  if (op === '-') return normalInt(a - b)
  if (op === '*') {
    if (bits > MAX_BITS) throw tooLarge()
    return normalInt(a * b)
  }
  if (b === 0n) throw new Fault('ZeroDivisionError', 'integer division or modulo by zero')
  const rest = a % b
  const mod = rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest
  return normalInt(op === '%' ? mod : (a - mod) / b)
}

function power(work: Work, a: Int, b: Int): Value {
  if (b < 0) {
    if (Number(a) === 0) throw new Fault('ZeroDivisionError', '0.0 cannot be raised to a negative power')
    return new Float(toFloat(a) ** toFloat(b))
  }
  const base = BigInt(a)
  const exponent = Number(b)
  const bits = base === 0n || base === 1n || base === -1n ? 1 : bitLength(base) * exponent
  if (bits > MAX_BITS) throw tooLarge()
  work.spend(1 + (bits >> 6) ** 2 / 16)
  if (bits === 1) return exponent === 0 ? 1 : base === -1n && BigInt(b) % 2n === 0n ? 1 : Number(base)
  return normalInt(base ** BigInt(b))
}

function floatArithmetic(op: Operator, a: number, b: number): Float {
  if (op === '+') return new Float(a + b)
  if (op === '-') return new Float(a - b)
  if (op === '*') return new Float(a * b)
  if (op === '**') return new Float(floatPower(a, b))
  if (b === 0) {
    const what = op === '/' ? 'float division by zero' : op === '//' ? 'float floor division by zero' : 'float modulo'
    throw new Fault('ZeroDivisionError', what)
  }
  if (op === '/') return new Float(a / b)
  let mod = a % b
  if (mod !== 0 && b < 0 !== mod < 0) mod += b
  else if (mod === 0) mod = b < 0 ? -0 : 0
  if (op === '%') return new Float(mod)
  const quotient = (a - mod) / b
  if (quotient === 0) return new Float(a / b < 0 || Object.is(a / b, -0) ? -0 : 0)
  const floor = Math.floor(quotient)
  return new Float(quotient - floor > 0.5 ? floor + 1 : floor)
}

function floatPower(a: number, b: number): number {
  if (a === 0 && b < 0) throw new Fault('ZeroDivisionError', '0.0 cannot be raised to a negative power')
  if (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b))) return 1
  if (a < 0 && Number.isFinite(a) && Number.isFinite(b) && !Number.isInteger(b)) {
    throw valueError('the power is a complex number, which latentkit does not have')
  }
  const result = a ** b
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) {
    throw new Fault('OverflowError', "(34, 'Numerical result out of range')")
  }
  return result
}

export function negate(value: Int | boolean | Float): Value {
  if (value instanceof Float) return new Float(-value.value)
  const int = toInt(value)
  return typeof int === 'bigint' ? normalInt(-int) : 0 - int
}

export function bitLength(value: bigint): number {
  const digits = (value < 0n ? -value : value).toString(16)
  return digits === '0' ? 0 : (digits.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(digits[0]!, 16)))
}

function tooLarge(): Exceeded {
  return new Exceeded(`needs a whole number of more than ${MAX_BITS} bits; latentkit stops it there`)
}
