/** The texts to embed: arguments, or the lines of a file or of standard input. */
import { UsageError } from '../exit.ts'
import { looksLikeModel, type ModelArgument, modelArgument } from '../model-argument.ts'
import { isPiped, readBytes } from '../stdin.ts'
import { readTextFile } from '../text-input.ts'

export interface TextsToEmbed {
  readonly model: ModelArgument
  readonly texts: readonly string[]
}

/** `[MODEL] [TEXT...]`: the first argument is the model if it looks like one, or if texts come from elsewhere. */
export async function textsToEmbed(args: readonly string[], file: string | undefined): Promise<TextsToEmbed> {
  const [first, ...others] = args
  const elsewhere = file !== undefined || others.includes('-') || (args.length === 1 && isPiped())
  const isModel = first !== undefined && first !== '-' && (looksLikeModel(first) || elsewhere)
  const model = modelArgument(isModel ? first : undefined)
  const given = isModel ? others : args
  if (file !== undefined && given.length > 0) {
    throw new UsageError(`--file and the text ${JSON.stringify(given[0])} were given; give one of them`)
  }
  if (file !== undefined) return { model, texts: lines(await readTextFile(file), file) }
  const dash = given.length === 1 && given[0] === '-'
  if (dash || (given.length === 0 && isPiped())) return { model, texts: lines(await readBytes(), 'standard input') }
  if (given.length === 0) throw new UsageError('there is no text (see latentkit embed --help)')
  return { model, texts: given }
}

/** Throws UsageError for a line without a text: vectors are told apart by their place. */
function lines(bytes: Uint8Array, name: string): string[] {
  const all = new TextDecoder().decode(bytes).split(/\r?\n/)
  if (all.at(-1) === '') all.pop()
  const empty = all.findIndex(line => line.trim() === '')
  if (empty >= 0) throw new UsageError(`line ${empty + 1} of ${name} is empty; expected a text in every line`)
  if (all.length === 0) throw new UsageError(`${name} holds no text`)
  return all
}
