// The tables of docs/models.md, from the planner: which published model runs in how much memory, and what each costs.
// After a change: node scripts/models-table.mjs --write
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const PAGE = path.join(root, 'docs', 'models.md')
const compiled = name => import(pathToFileURL(path.join(root, 'dist', 'src', name)).href)
const { plan, published, publishedModel } = await compiled('planning/index.js')
const { FAMILIES } = await compiled('families/index.js')

const CONTEXT = 8192
/** Of the memory; the rest is the system's, and what a step needs. */
const SHARE = 0.75
const MEMORIES = [2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024]
/** The best first. */
const TYPES = [undefined, 'q8_0', 'q6_k', 'q5_k', 'q4_k']
/** Repositories with the sizes of a row of the list that answer in a chat. */
const CHAT = {
  latent: [
    ...['tencent/Youtu-LLM-2B', 'openbmb/MiniCPM3-4B', 'deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct'],
    ...['zai-org/GLM-4.7-Flash', 'deepseek-ai/DeepSeek-V2.5', 'deepseek-ai/DeepSeek-R1', 'moonshotai/Kimi-K2-Instruct'],
  ],
  grouped: [
    ...['HuggingFaceTB/SmolLM2-135M-Instruct', 'Qwen/Qwen3-0.6B', 'google/gemma-3-1b-it', 'Qwen/Qwen3-4B'],
    ...['Qwen/Qwen3-8B', 'Qwen/Qwen3-32B', 'meta-llama/Llama-3.3-70B-Instruct'],
  ],
}

const gigabytes = bytes => {
  const [unit, name, digits] = bytes < 1e9 ? [1e6, 'MB', 0] : [1e9, 'GB', 1]
  return `${(bytes / unit).toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${name}`
}
const billions = n => `${(n / 1e9).toLocaleString('en-GB', { maximumSignificantDigits: n < 1e12 ? 3 : 4 })}B`
const cost = (name, weights) => plan(publishedModel(name), { context: CONTEXT, ...(weights && { weights }) })
const total = ({ weights, cache }) => weights.bytes + cache.bytes
const table = (heads, rows) => [heads, heads.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

/** Of a kind, the model with most weights that fits, in the largest type that fits. */
function best(names, memory) {
  const room = memory * 2 ** 30 * SHARE
  const found = names.flatMap(name => {
    const type = TYPES.findIndex(weights => total(cost(name, weights)) <= room)
    return type < 0 ? [] : [{ name, weights: TYPES[type], cost: cost(name, TYPES[type]) }]
  })
  return found.sort((a, b) => b.cost.weights.parameters - a.cost.weights.parameters)[0]
}

function choices(names) {
  const heads = ['memory', 'command', 'weights', 'cache of 8,192 tokens', 'read per token', 'download']
  const rows = MEMORIES.map(memory => ({ memory, found: best(names, memory) }))
  // A larger machine that runs the same in the same type has no row.
  const kept = rows.filter(({ found }, i) => {
    const before = rows[i - 1]?.found
    return found && !(before && before.name === found.name && before.weights === found.weights)
  })
  return table(
    heads,
    kept.map(({ memory, found: { name, weights, cost: c } }) => [
      `${memory} GB`,
      `\`latentkit chat ${name}${weights ? ` --weights ${weights}` : ''}\``,
      gigabytes(c.weights.bytes),
      gigabytes(c.cache.bytes),
      gigabytes(c.weights.activeBytes),
      gigabytes(cost(name).weights.bytes),
    ]),
  )
}

const modelTypes = FAMILIES.flatMap(family => family.traits.modelTypes)
/** Of a family that runs, but of another architecture (src/families/falcon/config.ts). */
const REFUSED = ['tiiuae/falcon-40b']
/** Every published model of the list that runs, by size. */
const running = published()
  .filter(({ hub, words }) => modelTypes.includes(words[0]) && !REFUSED.includes(hub))
  .map(({ hub }) => ({ hub, cost: cost(hub) }))
  .sort((a, b) => a.cost.weights.parameters - b.cost.weights.parameters)

function costs(latent) {
  const heads = ['model', 'weights', 'as published', 'q8_0', 'q4_k', 'read per token in q4_k', 'cache per token']
  const rows = running.filter(({ cost: c }) => (c.paths !== null) === latent)
  return table(
    heads,
    rows.map(({ hub, cost: c }) => [
      hub,
      billions(c.weights.parameters),
      gigabytes(c.weights.bytes),
      gigabytes(cost(hub, 'q8_0').weights.bytes),
      gigabytes(cost(hub, 'q4_k').weights.bytes),
      gigabytes(cost(hub, 'q4_k').weights.activeBytes),
      `${c.cache.bytesPerToken.toLocaleString('en-GB')} B`,
    ]),
  )
}

/** By the name of the mark in the page. */
export const TABLES = {
  'by memory, latent': choices(CHAT.latent),
  'by memory, others': choices(CHAT.grouped),
  'costs, latent': costs(true),
  'costs, others': costs(false),
}

/** The page with its tables as they are computed. Throws for a table that has no mark. */
export function filled(page) {
  return Object.entries(TABLES).reduce((text, [name, rows]) => {
    const mark = new RegExp(`(<!-- ${name} -->\n)(?:(?!<!--).)*(<!-- end -->)`, 's')
    if (!mark.test(text)) throw new Error(`docs/models.md has no mark "<!-- ${name} -->"`)
    return text.replace(mark, (_, begin, end) => `${begin}\n${rows}\n\n${end}`)
  }, page)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) writeFileSync(PAGE, filled(readFileSync(PAGE, 'utf8')))
  else for (const [name, rows] of Object.entries(TABLES)) console.log(`${name}\n\n${rows}\n`)
}
