/** Some rows of a table of options. */

/** The rows of these names, in their order. */
export function pickRows<T extends object, K extends keyof T>(rows: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map(name => [name, rows[name]])) as Pick<T, K>
}

/** The rows of all other names. */
export function withoutRows<T extends object, K extends keyof T>(rows: T, names: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(rows).filter(([name]) => !names.includes(name as K))) as Omit<T, K>
}
