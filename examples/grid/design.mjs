/** The grid's design: which cells there are, what each is learned with, and what it begins with. */
import { readFile } from 'node:fs/promises'

/** Sizes, tasks, seeds and margins, as they were written before the runs. */
export const DESIGN = JSON.parse(await readFile(new URL('capacity.json', import.meta.url), 'utf8'))

/** Every cell, as `task/attention/seed`. */
export function cellsOf({ tasks, attention, seeds } = DESIGN) {
  const under = (names, all) => names.flatMap(name => all.map(one => `${name}/${one}`))
  return under(under(Object.keys(tasks), Object.keys(attention)), seeds)
}

/** Kinds of attention that are learned from nothing. */
export const KINDS = Object.keys(DESIGN.attention).filter(name => DESIGN.attention[name].from === undefined)

/**
 * The cell whose numbers a cell begins with; null: it begins with none. A task that goes on with another one does so with the same attention; attention that is pooled
 * begins with the heads that it is pooled from.
 */
export function beginningOf(cell) {
  const [task, attention, seed] = cell.split('/')
  const { from: before } = DESIGN.tasks[task]
  if (before !== undefined) return [before, attention, seed].join('/')
  const { from: heads } = DESIGN.attention[attention]
  return heads === undefined ? null : [task, heads, seed].join('/')
}

/** The cells, each behind the one that it begins with. */
export function withBeginnings(cells) {
  const all = new Set()
  const add = cell => {
    const before = beginningOf(cell)
    if (before !== null) add(before)
    all.add(cell)
  }
  for (const cell of cells) add(cell)
  return [...all]
}

/** All that decides what a cell learns, but a text and the numbers that it begins with. `steps`: in place of the task's. */
export function settingsOf(cell, steps) {
  const [task, attention, seed] = cell.split('/')
  const kind = DESIGN.attention[attention]
  const settings = { ...DESIGN.tasks[task], ...DESIGN.model, attention: kind, seed: Number(seed) }
  // Pooled heads are trained on for a part of the steps; a task that goes on with another one has its own.
  if (settings.from === undefined && kind.from !== undefined) settings.steps = Math.round(kind.share * settings.steps)
  return steps === undefined ? settings : { ...settings, steps }
}
