/** The texts to embed or to rank: arguments, or the lines of a file or of standard input. */
import { UsageError } from '../exit.ts'
import { hintAtModel, looksLikeModel, type ModelArgument, modelArgument } from '../model-argument.ts'
import { isPiped, readBytes } from '../stdin.ts'
import { readTextFile } from '../text-input.ts'

export interface TextsToEmbed {
  readonly model: ModelArgument
  readonly texts: readonly string[]
}

/** `[MODEL] [TEXT...]`: the first argument is the model if it looks like one, or if texts come from elsewhere. */
export async function textsToEmbed(
  args: readonly string[],
  file: string | undefined,
  { quiet = false }: { readonly quiet?: boolean | undefined } = {},
): Promise<TextsToEmbed> {
  const [first, ...others] = args
  const elsewhere = file !== undefined || others.includes('-') || (args.length === 1 && isPiped())
  const isModel = first !== undefined && first !== '-' && (looksLikeModel(first) || elsewhere)
  if (first !== undefined && first !== '-' && !isModel && !quiet) hintAtModel(first, others.length > 0)
  const model = modelArgument(isModel ? first : undefined)
  return { model, texts: await textsGiven(isModel ? others : args, file, 'embed') }
}

/** Texts of arguments, of `--file`, or of standard input for `-` and for a pipe without texts. Throws UsageError, CliError. */
export async function textsGiven(
  given: readonly string[],
  file: string | undefined,
  command: string,
): Promise<readonly string[]> {
  if (file !== undefined && given.length > 0) {
    throw new UsageError(`--file and the text ${JSON.stringify(given[0])} were given; give one of them`)
  }
  if (file !== undefined) return textsIn(await readTextFile(file), file)
  const dash = given.length === 1 && given[0] === '-'
  if (dash || (given.length === 0 && isPiped())) return textsIn(await readBytes(), 'standard input')
  if (given.length === 0) throw new UsageError(`there is no text (see latentkit ${command} --help)`)
  return given
}

/** Throws UsageError for a line without a text: results are told apart by their place. */
function textsIn(bytes: Uint8Array, name: string): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const inJson = /\.(jsonl|ndjson)$/i.test(name)
  const texts = lines.map((line, i) => (inJson ? textOf(line, `line ${i + 1} of ${name}`) : line))
  const empty = texts.findIndex(text => text.trim() === '')
  if (empty >= 0) throw new UsageError(`line ${empty + 1} of ${name} is empty; expected a text in every line`)
  if (texts.length === 0) throw new UsageError(`${name} holds no text`)
  return texts
}

/** Of a line of JSON: a text, or an object's `text`. */
function textOf(line: string, place: string): string {
  if (line.trim() === '') return ''
  try {
    const value: unknown = JSON.parse(line)
    const text = typeof value === 'object' && value !== null && 'text' in value ? value.text : value
    if (typeof text === 'string') return text
  } catch {}
  throw new UsageError(`${place} is neither a text in JSON nor an object with a "text"`)
}
