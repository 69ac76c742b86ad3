import { typeError } from '../errors.ts'
import { bitLength, type Int, toInt } from '../values/numbers.ts'
import { Float, Func, Tuple, type Value } from '../values/objects.ts'

/** An attribute or method of a number. */
export function numberMember(value: Int | boolean | Float, name: string): Value | undefined {
  if (value instanceof Float) return floatMember(value, name)
  const int = toInt(value)
  if (name === 'real' || name === 'numerator') return int
  if (name === 'imag') return 0
  if (name === 'denominator') return 1
  const big = BigInt(int)
  if (name === 'bit_length') return nullary(name, bitLength(big))
  if (name === 'bit_count') return nullary(name, (big < 0n ? -big : big).toString(2).replaceAll('0', '').length)
  if (name === 'conjugate') return nullary(name, int)
  return name === 'as_integer_ratio' ? nullary(name, new Tuple([int, 1])) : undefined
}

function floatMember(value: Float, name: string): Value | undefined {
  if (name === 'real') return value
  if (name === 'imag') return new Float(0)
  if (name === 'conjugate') return nullary(name, value)
  return name === 'is_integer' ? nullary(name, Number.isInteger(value.value)) : undefined
}

function nullary(name: string, result: Value): Func {
  return new Func(name, (_, args, kwargs) => {
    if (args.length > 0 || kwargs.size > 0) throw typeError(`${name}() takes no arguments (${args.length} given)`)
    return result
  })
}
