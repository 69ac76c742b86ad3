import { typeError } from '../errors.ts'
import type { Kwargs, Value } from './objects.ts'

/** What a function takes, in the order of its parameters; undefined where nothing was given. */
type Bound = readonly (Value | undefined)[]

/**
 * Binds arguments as Python does. `form` lists the parameters: `name`, `name=` for one that may be left out; `/` at the
 * end: all by position only.
 */
export function binder(name: string, form: string): (args: readonly Value[], kwargs: Kwargs) => Bound {
  const words = form.split(' ').filter(word => word !== '')
  const positional = words.at(-1) === '/'
  const parameters = (positional ? words.slice(0, -1) : words).map(word => word.replace('=', ''))
  const required = words.filter(word => word !== '/' && !word.endsWith('=')).length
  return (args, kwargs) => {
    if (args.length > parameters.length) {
      throw typeError(`${name}() takes at most ${parameters.length} arguments (${args.length} given)`)
    }
    if (kwargs.size === 0 && args.length >= required) return args
    const bound: (Value | undefined)[] = [...args]
    for (const [key, value] of kwargs) {
      const place = positional ? -1 : parameters.indexOf(key)
      if (place < 0) throw typeError(`${name}() got an unexpected keyword argument '${key}'`)
      if (bound[place] !== undefined) throw typeError(`${name}() got multiple values for argument '${key}'`)
      bound[place] = value
    }
    for (let i = 0; i < required; i++) {
      if (bound[i] === undefined) throw typeError(`${name}() missing a required argument: '${parameters[i]}'`)
    }
    return bound
  }
}
