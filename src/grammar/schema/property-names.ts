import { type HeldSchema, isObject } from './json-schema.ts'
import { compilePattern } from './pattern.ts'
import { translated } from './scalars.ts'
import { refusal } from './use.ts'

/** `propertyNames`: names that do not fit are not allowed; what else may come is a pattern or a list. */
export function restrictNames(
  names: unknown,
  path: string,
  properties: Map<string, HeldSchema>,
  required: readonly string[],
  patterns: Map<string, HeldSchema>,
  others: HeldSchema | undefined,
): HeldSchema | undefined {
  if (names === true || (isObject(names) && Object.keys(names).every(key => key === 'type' || key === 'description'))) {
    return others
  }
  const fail = (what: string) => refusal(path, 'propertyNames', what)
  if (patterns.size > 0) throw fail('stands beside patternProperties, which cannot be held')
  const { type: _, description: __, ...rules } = isObject(names) ? names : { false: 1 }
  const [[kind = '', rule] = [], ...more] = Object.entries(rules)
  if (more.length > 0 && !('minLength' in rules && 'maxLength' in rules && more.length === 1)) {
    throw fail('has several rules; expected one of pattern, enum, const, minLength, maxLength')
  }
  const open = others === undefined ? true : others
  if (kind === 'enum' || kind === 'const') {
    const allowed = kind === 'const' ? [rule] : rule
    if (!Array.isArray(allowed)) throw fail('has an enum that is no list')
    for (const name of properties.keys()) if (!allowed.includes(name)) properties.set(name, false)
    for (const name of allowed) if (typeof name === 'string' && !properties.has(name)) properties.set(name, open)
    return false
  }
  let pattern: string
  if (kind === 'pattern' && typeof rule === 'string') pattern = rule
  else if (kind === 'minLength' || kind === 'maxLength') {
    const { minLength = 0, maxLength = '' } = rules as { minLength?: number; maxLength?: number }
    pattern = `^[\\s\\S]{${minLength},${maxLength}}$`
  } else throw fail('has a rule that cannot be held; expected pattern, enum, const, minLength or maxLength')
  const expression = compilePattern(pattern)
  const key = translated(pattern, path, 'propertyNames')
  for (const name of [...properties.keys()]) if (!expression?.test(name)) properties.set(name, false)
  if (required.some(name => !expression?.test(name))) throw fail('forbids a property that is required')
  patterns.set(key, open)
  return false
}
