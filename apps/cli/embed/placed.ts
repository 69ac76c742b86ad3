import { UsageError } from '../exit.ts'

/** Throws the error of one of several texts with its place as people count. `list`: what the engine calls them. */
export function placed(error: unknown, list: 'texts' | 'documents', from = 0): never {
  const place = new RegExp(`^${list}\\[(\\d+)\\](.*)$`, 's')
  const [, index, rest] = error instanceof Error ? (place.exec(error.message) ?? []) : []
  if (index === undefined) throw error
  const what = `${list.slice(0, -1)} ${from + Number(index) + 1}`
  throw new UsageError(`${what}${rest?.replace('set truncate', 'give --truncate')}`)
}
