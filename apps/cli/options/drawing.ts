/** Options of drawing that people know of llama.cpp and koboldcpp: the same names where there are any. */
import { type Command, InvalidArgumentError } from 'commander'
import type { OptionRow, OptionRows } from '../../../src/for-apps.ts'
import { engineFlag } from './engine-flags.ts'
import { collect, unescaped } from './parsers.ts'

const GROUP = { group: 'Further options of drawing (docs/sampling.md):' }

/** The flags of these options, and of their fields where they have some. */
export function addDrawingOptions(command: Command, rows: OptionRows): Command {
  for (const row of Object.values(rows)) {
    if (row.kind.kind === 'options') addDrawingOptions(command, row.kind.of)
    else if (row.flag !== undefined) command.addOption(drawingFlag(row))
  }
  return command
}

function drawingFlag(row: OptionRow) {
  const several = { ...GROUP, description: `${row.description}; may be given again`, parse: unescaped }
  if (row.kind.kind === 'list') return engineFlag(row, several).argParser(collect(unescaped))
  if (row.kind.kind !== 'biases') return engineFlag(row, GROUP)
  const description = `${row.description}; a token's id or text; may be given again`
  return engineFlag(row, { ...several, description }).argParser(addBias)
}

/** `464=-2`, ` the=1.5`, `=====3`, `</s>=-inf`: the last `=` parts the token from the number. */
function addBias(text: string, before: Record<string, number> = {}): Record<string, number> {
  const at = text.lastIndexOf('=')
  const number = text.slice(at + 1)
  const bias = /^-inf(inity)?$/i.test(number) ? Number.NEGATIVE_INFINITY : Number(number)
  if (at < 1 || number.trim() === '' || Number.isNaN(bias)) {
    throw new InvalidArgumentError('Expected a token and a number, such as 464=-2 or " the=-inf".')
  }
  return { ...before, [unescaped(text.slice(0, at))]: bias }
}
