/**
 * What the formats of JSON Schema and OpenAPI demand of a text, as patterns in Rust's syntax. Each allows only what
 * ajv-formats accepts; where a format is endless, less.
 */

/** A table that knows only its own names, as schemas may say any. */
const table = <T>(rows: Readonly<Record<string, T>>): Readonly<Record<string, T>> => Object.setPrototypeOf(rows, null)

const DAY = '(?:0[1-9]|1[0-9]|2[0-8])'
const DATE =
  '(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-' +
  `${DAY})|[0-9]{2}(?:0[48]|[2468][048]|[13579][26])-02-29)`
const CLOCK = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?'
const ZONE = '(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])'
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const HOST = `${LABEL}(?:\\.${LABEL}){0,8}`
const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const IPV4 = `${OCTET}(?:\\.${OCTET}){3}`
const H = '[0-9A-Fa-f]{1,4}'
const IPV6 = [
  `(?:${H}:){7}${H}`,
  ...[1, 2, 3, 4, 5, 6].map(n => `(?:${H}:){1,${n}}(?::${H}){1,${7 - n}}`),
  `(?:${H}:){1,7}:`,
  `:(?::${H}){1,7}`,
  '::',
].join('|')
const DIGITS = '[0-9]{1,6}'
const DURATION =
  `P(?:${DIGITS}W|(?:${DIGITS}Y(?:${DIGITS}M)?(?:${DIGITS}D)?|${DIGITS}M(?:${DIGITS}D)?|${DIGITS}D)(?:T(?:${DIGITS}H` +
  `(?:${DIGITS}M)?(?:${DIGITS}S)?|${DIGITS}M(?:${DIGITS}S)?|${DIGITS}S))?|T(?:${DIGITS}H(?:${DIGITS}M)?(?:${DIGITS}S)?|` +
  `${DIGITS}M(?:${DIGITS}S)?|${DIGITS}S))`
const PATH_CHARACTER = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
const TAIL = `(?:/${PATH_CHARACTER}*)*(?:\\?(?:${PATH_CHARACTER}|[/?])*)?(?:#(?:${PATH_CHARACTER}|[/?])*)?`
const SCHEME = '[A-Za-z][A-Za-z0-9+.-]{0,20}'
const AUTHORITY = `//(?:[A-Za-z0-9._~-]{1,64}@)?${HOST}(?::[0-9]{1,5})?`
const URI = `(?:${SCHEME}:${AUTHORITY}${TAIL}|${SCHEME}:(?:/)?(?:${PATH_CHARACTER})+${TAIL})`
const URI_REFERENCE = `(?:${URI}|/(?:${PATH_CHARACTER}+${TAIL})?|[A-Za-z0-9._~-]+${TAIL})`
const URL = `https?://[a-z0-9]{1,61}(?:\\.[a-z0-9]{1,61}){0,4}\\.[a-z]{2,12}(?::[0-9]{2,5})?(?:/${PATH_CHARACTER}*)*`
const ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}"
const EMAIL = `${ATOM}(?:\\.${ATOM}){0,4}@(?:${LABEL}\\.){1,6}${LABEL}`
const BASE64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?'
const HEX = '[0-9a-f]'
const uuid = (version: string) => `${HEX}{8}-${HEX}{4}-${version}${HEX}{3}-[89ab]${HEX}{3}-${HEX}{12}`
const POINTER = '(?:/(?:[^/~\\x00-\\x1f]|~0|~1)*)*'

const COLOR =
  '#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})|aqua|black|blue|fuchsia|gray|green|lime|maroon|navy|olive|orange|purple|red|silver|teal|white|yellow'

export const FORMAT_PATTERNS = table<string>({
  date: DATE,
  time: `${CLOCK}${ZONE}`,
  'date-time': `${DATE}T${CLOCK}${ZONE}`,
  'iso-time': `${CLOCK}${ZONE}?`,
  'iso-date-time': `${DATE}[T ]${CLOCK}${ZONE}?`,
  duration: DURATION,
  email: EMAIL,
  'idn-email': EMAIL,
  hostname: HOST,
  'idn-hostname': HOST,
  ipv4: IPV4,
  ipv6: IPV6,
  // Draft 3.
  'ip-address': IPV4,
  'host-name': HOST,
  color: COLOR,
  // Those of pydantic and zod; networks of one address, as others must have no bits beyond their prefix.
  ...Object.fromEntries(['1', '3', '4', '5', '6', '7', '8'].map(version => [`uuid${version}`, uuid(version)])),
  ipvanyaddress: `${IPV4}|${IPV6}`,
  ipv4network: `${IPV4}/32`,
  ipv6network: `(?:${IPV6})/128`,
  ipvanynetwork: `${IPV4}/32`,
  ipv4interface: `${IPV4}(?:/(?:3[0-2]|[12]?[0-9]))?`,
  ipv6interface: `(?:${IPV6})(?:/[1-9]?[0-9])?`,
  ipvanyinterface: `${IPV4}(?:/(?:3[0-2]|[12]?[0-9]))?`,
  ulid: '[0-7][0-9A-HJKMNP-TV-Z]{25}',
  // Protocol Buffers' durations, and Python's.
  'google-duration': '-?(?:0|[1-9][0-9]{0,11})(?:\\.[0-9]{1,9})?s',
  'time-delta': DURATION,
  uuid: '[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}',
  uri: URI,
  'uri-reference': URI_REFERENCE,
  iri: URI,
  'iri-reference': URI_REFERENCE,
  url: URL,
  // Any such text is an expression.
  regex: '\\^?[A-Za-z0-9 _,:;<>=!@#%&~"/-]*\\$?',
  byte: BASE64,
  base64: BASE64,
  // What needs no filling.
  base64url: '(?:[A-Za-z0-9_-]{4})*',
  'json-pointer': POINTER,
  'json-pointer-uri-fragment': "#(?:/(?:[A-Za-z0-9_.!$&'()*+,;:=@-]|~0|~1)*)*",
  'relative-json-pointer': `(?:0|[1-9][0-9]{0,6})(?:#|${POINTER})`,
})

/** Patterns that look around, as zod writes them beside a format: every text of the format as it is held here has them. */
export const IMPLIED_PATTERNS = table<string>({
  duration: '^P(?:(\\d+W)|(?!.*W)(?=\\d|T\\d)(\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+([.,]\\d+)?S)?)?)$',
})

/** What every text of a format has that ajv-formats accepts: others are none of the format. In JavaScript's syntax. */
export const FORMAT_BOUNDS = table<string>({
  date: '^\\d{4}-\\d\\d-\\d\\d$',
  time: '^\\d\\d:\\d\\d:',
  'date-time': '^\\d{4}-\\d\\d-\\d\\d[tT\\s]',
  'iso-time': '^\\d\\d:\\d\\d:',
  'iso-date-time': '^\\d{4}-\\d\\d-\\d\\d[tT\\s]',
  duration: '^P',
  email: '@',
  ipv4: '^\\d+\\.\\d+\\.\\d+\\.\\d+$',
  ipv6: ':',
  uuid: '-[\\da-fA-F]{4}-[\\da-fA-F]{4}-[\\da-fA-F]{4}-[\\da-fA-F]{12}$',
  uri: '^[A-Za-z][A-Za-z0-9+.-]*:',
  url: ':\\/\\/',
})

/** Longest text of formats that have a limit. */
export const FORMAT_LENGTHS = table<number>({ hostname: 253, 'idn-hostname': 253 })

/** Formats that demand nothing of a text or a number beyond its type, or what no text shows (that a file exists). */
export const FREE_FORMATS: ReadonlySet<string> = new Set([
  ...['float', 'double', 'password', 'binary', 'int-or-string', 'int64-or-string'],
  ...['path', 'file-path', 'directory-path', 'commonmark', 'html'],
])

/** Whole numbers of so many bits. */
export const NUMBER_FORMATS = table<readonly [number, number]>({
  int8: [-128, 127],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint: [0, 2 ** 64],
  uint8: [0, 255],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, 2 ** 64],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
})
