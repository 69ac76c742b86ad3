import { binder } from '../values/arguments.ts'
import type { Kwargs, Value } from '../values/objects.ts'
import type { Work } from '../work.ts'

/** What a filter may ask of the run it works in. */
export interface Host {
  readonly work: Work
  filter(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): Value
  test(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): boolean
}

export type Filter = (host: Host, value: Value, args: readonly Value[], kwargs: Kwargs) => Value

/** A filter with named parameters behind the value; `form` as `binder` takes it. */
export function filter(
  name: string,
  form: string,
  body: (host: Host, value: Value, ...args: (Value | undefined)[]) => Value,
): [string, Filter] {
  const bind = binder(name, form)
  return [name, (host, value, args, kwargs) => body(host, value, ...bind(args, kwargs))]
}
