import { TemplateError } from './errors.ts'
import { TEMPLATE_BOUNDS } from './jinja-bounds.ts'

/** What every chat template finds beside its messages: the names that transformers defines. */
export function templateGlobals(now: Date): Record<string, unknown> {
  return {
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    range,
    raise_exception: (message: unknown) => {
      throw new TemplateError(typeof message === 'string' ? message : 'The chat template refuses these messages', {
        raised: true,
      })
    },
    strftime_now: (format: unknown) => strftime(now, String(format)),
  }
}

function range(first: number, last?: number, step = 1): number[] {
  const [from, to] = last === undefined ? [0, first] : [first, last]
  const count = Math.ceil((to - from) / step)
  if (step === 0 || !Number.isFinite(count))
    throw new TemplateError('range() takes whole numbers and a step other than 0')
  if (count > TEMPLATE_BOUNDS.items) {
    throw new TemplateError(`range() of ${count} items; expected at most ${TEMPLATE_BOUNDS.items}`)
  }
  return Array.from({ length: Math.max(0, count) }, (_, i) => from + i * step)
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** Python's strftime in English whatever the locale, so that a prompt is the same everywhere. Local time. */
export function strftime(date: Date, format: string): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const hour12 = date.getHours() % 12 || 12
  const yearStart = new Date(date.getFullYear(), 0, 1)
  const dayOfYear = Math.round((new Date(date).setHours(0, 0, 0, 0) - yearStart.getTime()) / 86_400_000) + 1
  const fields: Record<string, string> = {
    Y: String(date.getFullYear()),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    B: MONTHS[date.getMonth()]!,
    b: MONTHS[date.getMonth()]!.slice(0, 3),
    d: two(date.getDate()),
    e: String(date.getDate()).padStart(2, ' '),
    j: String(dayOfYear).padStart(3, '0'),
    A: DAYS[date.getDay()]!,
    a: DAYS[date.getDay()]!.slice(0, 3),
    H: two(date.getHours()),
    I: two(hour12),
    p: date.getHours() < 12 ? 'AM' : 'PM',
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    '%': '%',
  }
  fields.F = `${fields.Y}-${fields.m}-${fields.d}`
  fields.T = `${fields.H}:${fields.M}:${fields.S}`
  return format.replace(/%-?([A-Za-z%])/g, (met: string, name: string) => {
    const field = fields[name]
    if (field === undefined) return met
    return met.startsWith('%-') ? field.replace(/^[0 ]+(?=.)/, '') : field
  })
}
