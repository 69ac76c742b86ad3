/** What llama-quantize stores where a matrix's rows are not whole blocks of a type. */
import { WEIGHT_TYPES, type WeightType } from '../tensor/dtype.ts'

type Fallback = 'iq4_nl' | 'q5_0' | 'q5_1' | 'q8_0' | 'f16'

/** `type`, or its substitute for rows of `cols` numbers. */
export function fitting<T extends WeightType>(type: T, cols: number): T | Fallback {
  const { elements, bytes } = WEIGHT_TYPES[type]
  if (cols % elements === 0) return type
  const substitute = substituteFor((8 * bytes) / elements)
  return elements > WEIGHT_TYPES[substitute].elements && cols % WEIGHT_TYPES[substitute].elements === 0
    ? substitute
    : 'f16'
}

/** Of the types with blocks of 32, for one of longer blocks. */
function substituteFor(bits: number): Exclude<Fallback, 'f16'> {
  if (bits < 4.5) return 'iq4_nl'
  return bits < 5 ? 'q5_0' : bits < 6 ? 'q5_1' : 'q8_0'
}
