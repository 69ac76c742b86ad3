import type { ZodType } from 'zod'
import { Failure, invalid } from '../failure.ts'

/** The body as JSON, checked. Any content type will do: curl -d sends a form's. Throws Failure. */
export async function readBody<T>(request: Request, schema: ZodType<T>, mostBytes: number): Promise<T> {
  const text = await readText(request, mostBytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const reason = text.trim() === '' ? 'The body is empty' : `The body is no JSON: ${(error as Error).message}`
    throw new Failure('invalid', `${reason}; expected a JSON object.`, { code: 'invalid_json' })
  }
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  const [issue] = error.issues
  const param = pathOf(issue?.path ?? [])
  throw invalid(`${param === '' ? 'The body' : param}: ${issue?.message ?? 'is not valid'}`, param || undefined)
}

async function readText(request: Request, mostBytes: number): Promise<string> {
  const refused = () =>
    new Failure('tooLarge', `The body has more than ${mostBytes} bytes, which is the most this server takes.`, {
      code: 'body_too_large',
    })
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw refused()
  if (!request.body) return ''
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of request.body) {
    bytes += part.byteLength
    if (bytes > mostBytes) throw refused()
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** `messages[0].role`. */
function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((all, part) => {
    if (typeof part === 'number') return `${all}[${part}]`
    return all === '' ? String(part) : `${all}.${String(part)}`
  }, '')
}
