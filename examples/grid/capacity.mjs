/** Runs the grid of capacity.json: each cell is one kind of attention that learns one task from one seed. `latentkit grid capacity` shows what this yields. */
import { mkdir, readFile } from 'node:fs/promises'
import { OptionError } from 'latentkit'
import { readNumbers } from '../ladder/files.mjs'
import { beginningOf, cellsOf, DESIGN, settingsOf, withBeginnings } from './design.mjs'
import { keepResult, numbersFile, readResult, resultFile } from './folder.mjs'
import { learned } from './learning.mjs'
import { readPooled } from './pool.mjs'
import { schoolOf } from './schools.mjs'

export { cellsOf, DESIGN } from './design.mjs'

/** The runs that come with the package, a result each. */
export async function keptRuns() {
  const lines = (await readFile(new URL('kept.jsonl', import.meta.url), 'utf8')).split('\n').filter(Boolean)
  return lines.map(line => JSON.parse(line))
}

/**
 * Yields, for each cell, and for those that they begin with: { type: 'begin', cell }, while it learns { type: 'step', cell, step, steps, loss }, and { type: 'result', ... }. Cells that
 * `folder` has are not learned again. `texts`: files by name, for tasks of people's texts. `steps`: in place of the tasks' own. Throws where a cell there was learned with
 * other settings, or a text is not given.
 */
export async function* runCells(folder, { cells = cellsOf(), texts = {}, steps, threads } = {}) {
  await mkdir(folder, { recursive: true })
  for (const cell of withBeginnings(cells)) {
    const [task, attention, seed] = cell.split('/')
    const settings = settingsOf(cell, steps)
    const before = beginningOf(cell)
    const begun = before && (await readResult(folder, before)).digest
    const there = await resultIn(folder, cell, { settings, begun })
    // A cell whose text is not given again is taken as it is.
    const school = there && texts[settings.text] === undefined ? null : await schoolOf(task, settings, texts)
    if (there && school && school.digest !== there.text) throw learnedOtherwise(folder, cell, 'from another text')
    if (there) {
      yield { type: 'result', ...there }
      continue
    }
    yield { type: 'begin', cell }
    const begin = before && (lengths => beginningIn(folder, before, settings, lengths))
    const { found, numbers } = yield* learned(cell, settings, school, { begin, threads })
    const from = { ...(school.digest && { text: school.digest }), ...(begun && { begun }) }
    const result = { cell, task, attention, seed: Number(seed), ...found, ...from, settings }
    await keepResult(folder, result, numbers)
    yield { type: 'result', ...result }
  }
}

/** What a cell has learned, as weights of these lengths of the one that goes on with it. */
async function beginningIn(folder, before, { attention, heads }, lengths) {
  const path = await numbersFile(folder, before)
  const same = DESIGN.attention[before.split('/')[1]] === attention
  return same ? readNumbers(path, lengths) : readPooled(path, lengths, heads, attention.nKvHeads)
}

/** Null: it is not there. Throws OptionError where it was learned from something else. */
async function resultIn(folder, cell, { settings, begun }) {
  const result = await readResult(folder, cell)
  if (result === null) return null
  if (JSON.stringify(result.settings) !== JSON.stringify(settings))
    throw learnedOtherwise(folder, cell, 'with other settings')
  if ((result.begun ?? null) !== begun) throw learnedOtherwise(folder, cell, 'from another beginning')
  return result
}

function learnedOtherwise(folder, cell, how) {
  const file = resultFile(folder, cell)
  return new OptionError(`${file} was learned ${how}; give another folder, or remove that file`)
}
