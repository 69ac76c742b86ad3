/** `latentkit tokenize`: the tokens of a text, or the text of ids. */
import { type Command, Option } from 'commander'
import type { Tokenizer } from '../../../src/index.ts'
import { UsageError } from '../exit.ts'
import { hubOptions } from '../hub.ts'
import { watchInterrupt } from '../interrupt.ts'
import { withProgress } from '../load-engine.ts'
import { modelAndText } from '../model-argument.ts'
import { integer } from '../options/parsers.ts'
import { type Colours, colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { note, write, writeJson, writeView } from '../output/stdout.ts'
import { table } from '../output/table.ts'

interface Flags {
  ids?: boolean
  specialTokens?: boolean
  parseSpecial: boolean
  json?: boolean
  offline?: boolean
}

interface Piece {
  readonly id: number
  /** As the vocabulary writes it. */
  readonly token: string | null
  /** What it stands for; null where its bytes are part of a character. */
  readonly text: string | null
  /** Where `text` is null. */
  readonly bytes?: readonly number[]
  readonly special: boolean
}

export function addTokenize(program: Command): void {
  program
    .command('tokenize')
    .summary('text into token ids, and back')
    .description('Shows the tokens of a text as the model sees them, or the text of token ids.')
    .argument('[model]', 'a folder, a GGUF file, or org/name on the hub (default: the bundled model)')
    .argument('[text]', 'the text, or with --ids the ids; - reads standard input, and so does a pipe')
    .option('--ids', 'the argument is a list of token ids; print their text')
    .option('--no-parse-special', 'control tokens that are written out (<|im_end|>) are plain text')
    .option('--special-tokens', 'begin as a prompt does, with the begin-of-text token if the model wants one')
    .addOption(new Option('--offline', 'never use the network'))
    .option('--json', 'ids and pieces as one object')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit tokenize "Once upon a time"
  $ latentkit tokenize ./my-model "naïve café" --json
  $ latentkit tokenize ./my-model --ids "464 2068 7586"`,
    )
    .action(tokenize)
}

async function tokenize(first: string | undefined, second: string | undefined, flags: Flags): Promise<void> {
  const { signal, release } = watchInterrupt()
  const { model, text } = await modelAndText(first, second)
  if (text === undefined) throw new UsageError('there is no text (see latentkit tokenize --help)')
  const { openTokenizer } = await import('../../../src/index.ts')
  const hub = await hubOptions(flags)
  const tokenizer = await withProgress(onProgress => openTokenizer(model.source, { ...hub, signal, onProgress }))
  release()
  if (flags.ids) await decode(tokenizer, text, flags)
  else await encode(tokenizer, text, flags)
}

async function encode(tokenizer: Tokenizer, text: string, flags: Flags): Promise<void> {
  const { parseSpecial } = flags
  const ids = flags.specialTokens
    ? tokenizer.encodePrompt(text, { parseSpecial })
    : tokenizer.encode(text, { addSpecialTokens: false, parseSpecial })
  const pieces = ids.map(id => pieceOf(tokenizer, id))
  if (flags.json) return writeJson({ text, ids, pieces })
  const c = colours(process.stdout)
  if (c.isColorSupported) await writeView(`${painted(pieces, c)}\n`)
  const rows = pieces.map((p, i) => [String(i), String(p.id), p.token ?? '', shown(p, c)])
  const right = (head: string) => ({ head, align: 'right' as const })
  await writeView(table([right('#'), right('id'), { head: 'token' }, { head: 'text' }], rows, { style: c.bold }))
  note(
    colours(process.stderr).dim(
      `${format.plural(ids.length, 'token')} for ${format.plural([...text].length, 'character')}`,
    ),
  )
}

async function decode(tokenizer: Tokenizer, list: string, flags: Flags): Promise<void> {
  const ids = parseIds(list, tokenizer.vocabSize)
  const text = tokenizer.decode(ids, { skipSpecialTokens: false })
  if (flags.json) return writeJson({ ids, text })
  await write(`${text}\n`)
}

/** `1 2 3`, `1,2,3` or `[1, 2, 3]`. */
function parseIds(list: string, vocabSize: number): number[] {
  const id = integer(0, vocabSize - 1)
  const words = list.replace(/^\s*\[|\]\s*$/g, '').match(/[^\s,]+/g) ?? []
  return words.map(word => {
    try {
      return id(word)
    } catch {
      throw new UsageError(`${JSON.stringify(word)} is no token id; expected integers from 0 to ${vocabSize - 1}`)
    }
  })
}

function pieceOf(tokenizer: Tokenizer, id: number): Piece {
  const token = tokenizer.idToToken(id) ?? null
  const special = tokenizer.isSpecial(id)
  const bytes = tokenizer.tokenBytes(id)
  try {
    return { id, token, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), special }
  } catch {
    return { id, token, text: null, bytes: [...bytes], special }
  }
}

function shown({ text, bytes, special, token }: Piece, c: Colours): string {
  if (special) return c.dim(token ?? '')
  return text === null ? c.yellow(hex(bytes ?? [])) : JSON.stringify(text)
}

function hex(bytes: readonly number[]): string {
  return bytes.map(b => `<${b.toString(16).padStart(2, '0')}>`).join('')
}

/** The text once more, neighbours in different colours, so that the cuts can be seen. */
function painted(pieces: readonly Piece[], c: Colours): string {
  const paints = [c.bgBlue, c.bgMagenta, c.bgCyan, c.bgGreen]
  const cells = pieces.map(({ text, bytes, special, token }, i) => {
    if (special) return c.inverse(token ?? '')
    const paint = paints[i % paints.length] as (text: string) => string
    // A background across a line break would colour the rest of the line.
    return (text ?? hex(bytes ?? []))
      .split('\n')
      .map(line => (line === '' ? '' : paint(c.black(line))))
      .join('⏎\n')
  })
  return cells.join('')
}
