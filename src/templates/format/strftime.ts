import { valueError } from '../errors.ts'
import type { Work } from '../work.ts'

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

interface Field {
  readonly text: string
  /** What fills a number up to its usual width, and that width. */
  readonly pad: string
  readonly width: number
}

const number = (value: number, width = 2, pad = '0'): Field => ({ text: String(value), pad, width })
const text = (value: string): Field => ({ text: value, pad: ' ', width: 0 })

/**
 * Python's strftime on Linux, in English whatever the locale, so that a prompt is the same everywhere. Local time
 * without a zone. A code that does not exist is an error: left in the prompt it would only be noise.
 */
export function strftime(work: Work, date: Date, format: string): string {
  work.walk(format.length)
  let result = ''
  let at = 0
  for (;;) {
    const percent = format.indexOf('%', at)
    if (percent < 0) return result + format.slice(at)
    const found = /^%([-_0^#]?)(\d{0,3})[EO]?(.)/su.exec(format.slice(percent, percent + 8))
    if (found === null)
      throw valueError(`strftime: the format ends within a code: "${format.slice(percent, percent + 8)}"`)
    const [whole, flag, width, code] = found
    const made = field(date, code!)
    if (made === undefined) throw valueError(`strftime does not know the code "%${code}"`)
    result += format.slice(at, percent) + shown(made, flag!, Number(width))
    work.checkLength(result.length)
    work.spend(16)
    at = percent + whole.length
  }
}

function shown(made: Field, flag: string, width: number): string {
  const pad = flag === '_' ? ' ' : flag === '0' ? '0' : made.pad
  const padded = flag === '-' ? made.text : made.text.padStart(Math.max(width, made.width), pad)
  return flag === '^' || flag === '#' ? padded.toUpperCase() : padded
}

/** Days since the year began, from 0. */
function dayOfYear(date: Date): number {
  return Math.round(
    (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 1)) / 86_400_000,
  )
}

/** ISO 8601: the week that holds this week's Thursday, and its year. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() - ((date.getDay() + 6) % 7) + 3)
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 }
}

function field(date: Date, code: string): Field | undefined {
  const year = date.getFullYear()
  const hour = date.getHours()
  const all = (format: string) => text(format.replace(/%(.)/g, (_, inner: string) => shown(field(date, inner)!, '', 0)))
  switch (code) {
    case 'Y':
      return number(year, 0)
    case 'C':
      return number(Math.floor(year / 100))
    case 'y':
      return number(year % 100)
    case 'm':
      return number(date.getMonth() + 1)
    case 'B':
      return text(MONTHS[date.getMonth()]!)
    case 'b':
    case 'h':
      return text(MONTHS[date.getMonth()]!.slice(0, 3))
    case 'd':
      return number(date.getDate())
    case 'e':
      return number(date.getDate(), 2, ' ')
    case 'j':
      return number(dayOfYear(date) + 1, 3)
    case 'A':
      return text(DAYS[date.getDay()]!)
    case 'a':
      return text(DAYS[date.getDay()]!.slice(0, 3))
    case 'w':
      return number(date.getDay(), 1)
    case 'u':
      return number(date.getDay() || 7, 1)
    case 'H':
      return number(hour)
    case 'k':
      return number(hour, 2, ' ')
    case 'I':
      return number(hour % 12 || 12)
    case 'l':
      return number(hour % 12 || 12, 2, ' ')
    case 'p':
      return text(hour < 12 ? 'AM' : 'PM')
    case 'P':
      return text(hour < 12 ? 'am' : 'pm')
    case 'M':
      return number(date.getMinutes())
    case 'S':
      return number(date.getSeconds())
    case 'f':
      return number(date.getMilliseconds() * 1000, 6)
    case 's':
      return number(Math.floor(date.getTime() / 1000), 0)
    case 'z':
    case 'Z':
      return text('')
    case 'U':
      return number(Math.floor((dayOfYear(date) + 7 - date.getDay()) / 7))
    case 'W':
      return number(Math.floor((dayOfYear(date) + 7 - ((date.getDay() + 6) % 7)) / 7))
    case 'V':
      return number(isoWeek(date).week)
    case 'G':
      return number(isoWeek(date).year, 0)
    case 'g':
      return number(isoWeek(date).year % 100)
    case 'D':
    case 'x':
      return all('%m/%d/%y')
    case 'F':
      return all('%Y-%m-%d')
    case 'T':
    case 'X':
      return all('%H:%M:%S')
    case 'R':
      return all('%H:%M')
    case 'r':
      return all('%I:%M:%S %p')
    case 'c':
      return all('%a %b %e %H:%M:%S %Y')
    case 'n':
      return text('\n')
    case 't':
      return text('\t')
    case '%':
      return text('%')
    default:
      return undefined
  }
}
