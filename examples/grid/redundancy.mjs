/**
 * What heads have in common: keys (before rope) and values of all heads, cut together to a rank, or those of each head cut by itself to its part of it, so that as many numbers
 * are left. If heads had nothing in common, cutting them together would gain little. `latentkit grid redundancy` shows it.
 */
import { readFile } from 'node:fs/promises'
import { Engine } from 'latentkit'
import { attend, linear, matrix, rankErrors } from 'latentkit/attention'
import { openLearner } from 'latentkit/training'
import { readNumbers } from '../ladder/files.mjs'
import { random } from '../ladder/random.mjs'
import { DESIGN, settingsOf } from './design.mjs'
import { numbersFile } from './folder.mjs'
import { build } from './model.mjs'
import { schoolOf } from './schools.mjs'

const { shares, texts: TEXTS, tokens: TOKENS } = DESIGN.redundancy

/**
 * Of one layer, `heads`: keys and values of each, [tokens, width]. For each share of the numbers of all of them the energy that is lost (0 to 1), cut together and apart. Keys and
 * values count alike: each of them as a whole has the size 1.
 */
export async function lossesOf(heads, tokens) {
  const parts = ['keys', 'values'].map(name => {
    const size = Math.sqrt(heads.flatMap(head => [...head[name]]).reduce((sum, x) => sum + x * x, 0)) || 1
    return heads.map(head => head[name].map(x => x / size))
  })
  const whole = heads.map((_, h) => beside([parts[0][h], parts[1][h]], tokens))
  const energies = whole.map(head => head.reduce((sum, x) => sum + x * x, 0))
  const together = await rankErrors(beside(whole, tokens), tokens)
  const apart = await Promise.all(whole.map(head => rankErrors(head, tokens)))
  const width = whole[0].length / tokens
  return shares.map(share => {
    const [all, each] = [Math.round(share * width * heads.length), Math.round(share * width)]
    const lost = apart.reduce((sum, errors, h) => sum + energies[h] * (errors[each] ?? 0) ** 2, 0)
    return { share, together: (together[all] ?? 0) ** 2, apart: lost / energies.reduce((a, b) => a + b) }
  })
}

/** Matrices of as many rows side by side. */
function beside(parts, rows) {
  const widths = parts.map(part => part.length / rows)
  const width = widths.reduce((a, b) => a + b)
  const all = new Float32Array(rows * width)
  let at = 0
  for (const [i, part] of parts.entries()) {
    for (let t = 0; t < rows; t++) all.set(part.subarray(t * widths[i], (t + 1) * widths[i]), t * width + at)
    at += widths[i]
  }
  return all
}

/** Of a cell of MHA that `folder` has, and of the same before it learned: { layer, drawn, losses } for each layer. `texts`: files by name. */
export async function* redundancyOfCell(folder, cell, { texts = {}, threads } = {}) {
  const settings = settingsOf(cell)
  const path = await numbersFile(folder, cell)
  const school = await schoolOf(cell.split('/')[0], settings, texts)
  const next = random(1e6)
  const held = Array.from({ length: TEXTS }, () => school.held(next).ids)
  for (const drawn of [true, false]) {
    const bench = await openLearner({ ...(threads && { threads }) })
    try {
      const seen = []
      const watched = (at, layer, x, how) => {
        seen.push(x)
        return attend(at, layer, x, how)
      }
      const sizes = { ...settings, words: school.words, seed: 100 * settings.seed }
      const model = build(bench, sizes, layer => ({ ...layer, attend: watched }))
      const lengths = (await bench.numbers()).map(({ length }) => length)
      if (!drawn) await bench.restore(await readNumbers(path, lengths))
      const numbers = await bench.numbers()
      const at = bench.inference
      model.states(at, model.embed(at, held.flat()), { lengths: held.map(ids => ids.length) })
      for (const [layer, x] of seen.entries()) {
        const { size: D, heads } = settings
        // Behind the embedding, the output and the last norm, a block begins with its norm and its queries.
        const [keys, values] = [2, 3].map(i => matrix(at, D, D, { numbers: numbers[3 + 9 * layer + i] }))
        const [k, v] = [await at.read(linear(at, x, keys)), await at.read(linear(at, x, values))]
        const own = columnsOf({ keys: k, values: v }, held.flat().length, heads)
        yield { layer, drawn, losses: await lossesOf(own, held.flat().length) }
      }
    } finally {
      await bench.close()
    }
  }
}

function columnsOf(all, tokens, heads) {
  const cut = (values, h) => {
    const width = values.length / tokens / heads
    const one = t => values.subarray((t * heads + h) * width, (t * heads + h + 1) * width)
    return Float32Array.from({ length: tokens * width }, (_, i) => one(Math.floor(i / width))[i % width])
  }
  return Array.from({ length: heads }, (_, h) => ({ keys: cut(all.keys, h), values: cut(all.values, h) }))
}

/** The same of a model that reads the beginning of a text, of its layers with keys and values of several heads. */
export async function* redundancyOfModel(path, file, { tokens = TOKENS, threads } = {}) {
  const engine = await Engine.load(path, { ...(threads && { threads }) })
  try {
    // Some models were made for shorter texts.
    const most = Math.min(tokens, engine.info.contextLength)
    // Few tokens have as many characters.
    const text = (await readFile(file, 'utf8')).slice(0, 64 * most)
    const reading = await engine.inspect((await engine.tokenize(text)).slice(0, most))
    for (const { layer, kind, heads, keyHeads } of reading.layers) {
      if (kind !== 'grouped' || keyHeads < 2) continue
      const own = []
      for (let group = 0; group < keyHeads; group++) {
        const { keys, values, unrotated } = await reading.vectors({ layer, head: (group * heads) / keyHeads })
        own.push({ keys: unrotated?.keys ?? keys, values })
      }
      yield { layer, drawn: false, losses: await lossesOf(own, reading.tokens.length) }
    }
  } finally {
    await engine.dispose()
  }
}
