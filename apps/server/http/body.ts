import type { ZodType, z } from 'zod'
import { Failure, invalid } from '../failure.ts'

/** Levels of lists and objects in each other. More than any schema needs; what goes through a value by recursion stays far from the stack's end. */
const MAX_DEPTH = 256

/** The body as JSON, checked. Any content type will do: curl -d sends a form's. Throws Failure. */
export async function readBody<T>(
  request: Request,
  schema: ZodType<T>,
  { most, mayBeEmpty = false }: { readonly most: number; readonly mayBeEmpty?: boolean | undefined },
): Promise<T> {
  const sent = await readText(request, most)
  const text = mayBeEmpty && sent.trim() === '' ? '{}' : sent
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const reason = text.trim() === '' ? 'The body is empty' : `The body is no JSON: ${(error as Error).message}`
    throw new Failure('invalid', `${reason}; expected a JSON object.`, { code: 'invalid_json' })
  }
  if (isDeeper(value, MAX_DEPTH)) {
    throw invalid(`The body has lists and objects more than ${MAX_DEPTH} deep; that is the most this server reads.`)
  }
  const { success, data, error } = checked(value, schema)
  if (success) return data
  const [issue] = error.issues
  const param = pathOf(issue?.path ?? [])
  throw invalid(`${param === '' ? 'The body' : param}${reasonOf(issue)}`, param || undefined)
}

function reasonOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return ` is missing; expected ${issue.expected}`
  }
  return `: ${issue?.message ?? 'is not valid'}`
}

function checked<T>(value: unknown, schema: ZodType<T>) {
  try {
    return schema.safeParse(value)
  } catch {
    // zod compares the length of what has a field of that name, even where it is no list and its length no number.
    throw invalid('The body has an object where a list is expected.')
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(part => isDeeper(part, levels - 1))
}

async function readText(request: Request, mostBytes: number): Promise<string> {
  const refused = () =>
    new Failure('tooLarge', `The body has more than ${mostBytes} bytes, which is the most this server takes.`, {
      code: 'body_too_large',
    })
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw refused()
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  if (encoding !== '' && encoding !== 'identity') {
    throw new Failure('encoding', `The body is compressed (content-encoding: ${encoding}); expected JSON as it is.`, {
      code: 'unsupported_encoding',
    })
  }
  if (!request.body) return ''
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of request.body) {
    bytes += part.byteLength
    if (bytes > mostBytes) throw refused()
    parts.push(part)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch {
    throw new Failure('invalid', 'The body is not in UTF-8; expected a JSON object.', { code: 'invalid_json' })
  }
}

/** `messages[0].role`. */
function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((all, part) => {
    if (typeof part === 'number') return `${all}[${part}]`
    return all === '' ? String(part) : `${all}.${String(part)}`
  }, '')
}
