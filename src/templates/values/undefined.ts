import { Fault } from '../errors.ts'
import { typeName } from './inspect.ts'
import { Loop } from './loop.ts'
import { Namespace, Undefined, type Value } from './objects.ts'

/** What Jinja calls an object in its messages. */
function objectName(value: Value): string {
  if (value === null) return 'None'
  if (value instanceof Loop) return 'jinja2.runtime.LoopContext object'
  return value instanceof Namespace ? 'namespace object' : `${typeName(value)} object`
}

export function undefinedName(name: string): Undefined {
  return new Undefined(() => new Fault('UndefinedError', `${quotedName(name)} is undefined`))
}

export function undefinedBecause(message: string): Undefined {
  return new Undefined(() => new Fault('UndefinedError', message))
}

export function undefinedMember(value: Value, key: Value): Undefined {
  return new Undefined(
    () =>
      new Fault(
        'UndefinedError',
        typeof key === 'string'
          ? `${quotedName(objectName(value))} has no attribute ${quotedName(key)}`
          : `${objectName(value)} has no element ${typeof key === 'number' ? key : `of this ${typeName(key)}`}`,
      ),
  )
}

export function unsafeMember(value: Value, name: string): Undefined {
  return new Undefined(
    () =>
      new Fault(
        'SecurityError',
        `access to attribute ${quotedName(name)} of ${quotedName(typeName(value))} object is unsafe.`,
      ),
  )
}

/** A name in quotes, for messages: never longer than a line. */
export function quotedName(name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 79)}…` : name
  return short.includes("'") ? JSON.stringify(short) : `'${short}'`
}
