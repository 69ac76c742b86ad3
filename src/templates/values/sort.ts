/**
 * A stable sort whose comparison may throw or count its work. The one of JavaScript is stable too, but treats what is
 * neither less nor greater (a NaN) in an order of its own; this one asks only "is b less than a", as Python's does.
 */
export function sortItems<T>(items: readonly T[], compare: (a: T, b: T) => number): T[] {
  return [...items].sort((a, b) => {
    const order = compare(a, b)
    return Number.isNaN(order) ? 0 : order
  })
}
