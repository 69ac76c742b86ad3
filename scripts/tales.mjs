// The bundled model, made anew with a module of multi-token prediction: texts, training, losses on the texts left out, and the files that
// take the place of models/tales-mla-8m. `npm run tales -- --help` has the commands in their order.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PROGRAM = path.join(ROOT, 'dist', 'apps', 'cli', 'main.js')
const MODEL = path.join(ROOT, 'models', 'tales-mla-8m')
const SEPARATOR = '<|endoftext|>'
/** Names in held-out.json, and what its losses are called. */
const CORPORA = { 'fairytales.txt': 'tales', 'tinystories-head-2M.txt': 'TinyStories' }
/** Windows of held-out.json: 512 tokens, all but the first scored; the losses to beat are of the first 16. */
const WINDOWS = ['--window', '512', '--stride', '512']
/** What the training of one hour was tried with; docs/log.md has what was measured. */
const RECIPE = {
  '--optimiser': 'muon',
  '--rate': '0.004',
  '--schedule': 'wsd',
  '--last-rate': '0',
  '--warmup': '40',
  '--weight-decay': '0.05',
  '--batch-tokens': '4096',
  '--context': '512',
  '--prediction-weight': '0.2',
  '--seed': '1',
  '--save-every': '100',
  '--validate-every': '200',
}
/** What differs in the last steps, on as many tokens of stories as of tales: the first lesson reads four of tales for one of stories. */
const SETTLING = { '--rate': '0.0015', '--warmup': '10', '--seed': '2', '--validate-every': '100' }
const COPIES = 4
/** What differs for a module alone. */
const HEAD = { '--rate': '0.002', '--prediction-weight': '1', '--validate-every': '100000' }
const TOKENS = ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json']
/** Of these, transformers' logits and greedy texts lie beside the model. */
const PROMPTS = [
  'Once upon a time, there was a little girl named Lily.',
  'There was once a king who had three daughters, and the youngest',
  'The wolf said to the old fox: "',
  'One day, Tom and his dog',
  'Far away, in a dark forest,',
]
/** The last share of the steps, in which the rate falls. */
const DECAY = 0.4

const COMMANDS = {
  prepare: {
    what: 'cut the texts of --data: those to learn from, and those left out by its held-out.json',
    run: prepare,
  },
  train: { what: 'train for --steps; called again, it goes on after the last checkpoint', run: train },
  settle: {
    what: 'go on from the last checkpoint of OUT/run for --steps, with more stories, in OUT/settled',
    run: settle,
  },
  evaluate: { what: 'the losses of MODEL (default: the bundled one) on the texts left out', run: evaluate },
  head: { what: 'train a module alone for the present model, whose weights stay as they are, for --steps', run: head },
  finish: {
    what: 'the mean of both lessons, or the last checkpoint of RUN, in bf16 with its card: OUT/tales-mla-8m',
    run: finish,
  },
  expected: { what: 'what transformers computes of OUT/tales-mla-8m, beside it (LATENTKIT_PYTHON)', run: expected },
}

const { values, positionals } = readArguments()
const [command, model] = positionals
COMMANDS[command].run(values, model)

function prepare({ data, out }) {
  const held = JSON.parse(readFileSync(path.join(data, 'held-out.json'), 'utf8'))
  for (const name of Object.keys(CORPORA)) {
    const documents = readFileSync(path.join(data, name), 'utf8')
      .split(SEPARATOR)
      .map(text => text.trim())
      .filter(text => text !== '')
    const left = new Set(held[name].held_out)
    write(path.join(out, 'texts', name), documents.filter((_, i) => !left.has(i)).join(SEPARATOR))
    // In the order of held-out.json: each document begins with the token that ends the one before.
    write(path.join(out, 'held-out', name), held[name].held_out.map(i => documents[i]).join(SEPARATOR))
    console.log(`${name}: ${documents.length - left.size} documents to learn from, ${left.size} left out`)
  }
  write(path.join(out, 'model', 'config.json'), shown({ ...readConfig(), num_nextn_predict_layers: 1 }))
  for (const file of TOKENS) {
    copyFileSync(path.join(MODEL, file), path.join(out, 'model', file))
  }
}

function train({ out, steps, threads }) {
  learn(out, 'model', 'run', { ...RECIPE, '--steps': steps, '--decay': decay(steps), '--threads': threads })
}

function settle({ out, steps, threads }) {
  const stories = path.join(out, 'texts', 'tinystories-head-2M.txt')
  for (let copy = 1; copy < COPIES; copy++) {
    const file = path.join(out, 'more-stories', `${copy}.txt`)
    if (!existsSync(file)) write(file, readFileSync(stories, 'utf8'))
  }
  const flags = {
    ...RECIPE,
    ...SETTLING,
    '--steps': steps,
    '--decay': String(steps - SETTLING['--warmup']),
    '--threads': threads,
  }
  learn(out, lastCheckpoint(path.join(out, 'run')), 'settled', flags, ['more-stories'])
}

function head({ out, steps, threads }) {
  const folder = path.join(out, 'with-head')
  if (!existsSync(path.join(folder, 'model.safetensors'))) writeHead(folder)
  const layers = Array.from({ length: readConfig().num_hidden_layers }, (_, i) => `model.layers.${i}.*`)
  const flags = { ...RECIPE, ...HEAD, '--steps': steps, '--decay': decay(steps), '--threads': threads }
  learn(out, 'with-head', 'head-run', { ...flags, '--freeze': ['model.embed_tokens.*', 'model.norm.*', ...layers] })
}

/** `model`: a folder in `out`, or its path. */
function learn(out, model, run, flags, more = []) {
  if (!existsSync(path.join(out, 'texts'))) throw new Error(`${out} has no texts yet: npm run tales -- prepare`)
  const held = Object.keys(CORPORA).map(name => path.join(out, 'held-out', name))
  const texts = ['--data', ...['texts', ...more].map(name => path.join(out, name)), '--validation', ...held]
  const given = ['train', path.resolve(out, model), path.join(out, run), ...texts, ...Object.entries(flags).flat(2)]
  process.exitCode = latentkit(given, 'inherit').status ?? 1
}

function decay(steps) {
  return String(Math.round(steps * DECAY))
}

function readConfig() {
  return JSON.parse(readFileSync(path.join(MODEL, 'config.json'), 'utf8'))
}

/** The present model with a module that has learned nothing: a copy of the last layer, which reads the state and half of the token. */
function writeHead(folder) {
  const config = readConfig()
  const { hidden_size: D, num_hidden_layers: layers } = config
  const tensors = readSafetensors(path.join(MODEL, 'model.safetensors'))
  const own = `model.layers.${layers}.`
  const last = `model.layers.${layers - 1}.`
  for (const [name, tensor] of [...tensors]) {
    if (name.startsWith(last)) tensors.set(own + name.slice(last.length), tensor)
  }
  const f32 = (numbers, shape) => ({ dtype: 'F32', shape, bytes: new Uint8Array(numbers.buffer) })
  for (const part of ['enorm', 'hnorm']) tensors.set(`${own}${part}.weight`, f32(new Float32Array(D).fill(1), [D]))
  tensors.set(`${own}shared_head.norm.weight`, tensors.get('model.norm.weight'))
  const join = new Float32Array(2 * D * D)
  for (let i = 0; i < D; i++) {
    join[i * 2 * D + i] = 0.5
    join[i * 2 * D + D + i] = 1
  }
  tensors.set(`${own}eh_proj.weight`, f32(join, [D, 2 * D]))
  mkdirSync(folder, { recursive: true })
  for (const file of TOKENS) copyFileSync(path.join(MODEL, file), path.join(folder, file))
  write(path.join(folder, 'config.json'), shown({ ...config, num_nextn_predict_layers: 1 }))
  writeSafetensors(path.join(folder, 'model.safetensors'), tensors)
}

function readSafetensors(file) {
  const bytes = readFileSync(file)
  const begin = 8 + Number(bytes.readBigUInt64LE(0))
  const { __metadata__: _, ...header } = JSON.parse(bytes.toString('utf8', 8, begin))
  const entries = Object.entries(header).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      return [name, { dtype, shape, bytes: bytes.subarray(begin + from, begin + to) }]
    },
  )
  return new Map(entries)
}

function writeSafetensors(file, tensors) {
  let end = 0
  const header = {}
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] }
    end += bytes.length
  }
  const json = JSON.stringify(header)
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  writeFileSync(file, Buffer.concat([length, text, ...[...tensors.values()].map(({ bytes }) => bytes)]))
}

function shown(value) {
  return `${JSON.stringify(value, null, 2)}\n`
}

function evaluate({ data, out }, model = MODEL) {
  for (const { title, first, all, before } of lossesOf(data, out, model)) {
    const beside = (found, known) => `${found.toFixed(4)} (before: ${known.toFixed(4)})`
    console.log(
      `${title}: ${beside(first.nats, before.loss_first_16_windows)} nats per token over 16 windows; over ${all.windows} ` +
        `${beside(all.nats, before.loss_all_windows)}, bits per byte ${beside(all.bitsPerByte, before.bits_per_byte_all_windows)}`,
    )
  }
}

function lossesOf(data, out, model) {
  const known = JSON.parse(readFileSync(path.join(data, 'held-out.json'), 'utf8'))
  return Object.entries(CORPORA).map(([name, title]) => {
    const file = path.join(out, 'held-out', name)
    const [first, all] = [lossOf(model, file, ['--windows', '16']), lossOf(model, file, [])]
    return { title, first, all, before: known[name] }
  })
}

function lossOf(model, file, more) {
  const { status, stdout, stderr } = latentkit(['perplexity', model, file, ...WINDOWS, ...more, '--json'], 'pipe')
  if (status !== 0) throw new Error(stderr)
  const { natsPerToken, bitsPerByte, text } = JSON.parse(stdout)
  return { nats: natsPerToken.mean, bitsPerByte, windows: text.windows }
}

function lastCheckpoint(run) {
  const steps = existsSync(run) ? readdirSync(run).filter(name => /^step-\d+$/.test(name)) : []
  if (steps.length === 0) throw new Error(`${run} has no checkpoint: npm run tales -- train`)
  return path.resolve(run, steps.sort().at(-1))
}

function finish({ data, out }, run) {
  const runs = run ? [run] : ['run', 'settled'].map(name => path.join(out, name))
  const checkpoints = runs.map(lastCheckpoint)
  const learned = run ? checkpoints[0] : meanOf(checkpoints, path.join(out, 'mean'))
  const folder = path.join(out, 'tales-mla-8m')
  const { status } = latentkit(['convert', learned, folder, '--weights', 'bf16', '--force'], 'inherit')
  if (status !== 0) throw new Error(`${learned} was not converted`)
  const losses = lossesOf(data, out, folder)
  const { freeze } = JSON.parse(readFileSync(path.join(runs.at(-1), 'run.json'), 'utf8'))
  const facts = { losses, ...addedUp(runs.map(lessonOf)) }
  write(path.join(folder, 'README.md'), freeze ? headCard(facts) : card(facts))
  console.log(`${folder} is of ${checkpoints.join(' and ')}, and has its card`)
}

/** A model whose weights are the means of two: nearer to both texts than the second lesson's alone (arXiv 2203.05482). */
function meanOf([first, second], folder) {
  const [one, other] = [first, second].map(path => readSafetensors(`${path}/model.safetensors`))
  const numbersOf = ({ bytes }) => new Float32Array(Uint8Array.from(bytes).buffer)
  const mean = [...one].map(([name, tensor]) => {
    const [a, b] = [numbersOf(tensor), numbersOf(other.get(name))]
    return [name, { ...tensor, bytes: new Uint8Array(a.map((value, i) => (value + b[i]) / 2).buffer) }]
  })
  mkdirSync(folder, { recursive: true })
  for (const file of ['config.json', ...TOKENS]) copyFileSync(path.join(second, file), path.join(folder, file))
  writeSafetensors(path.join(folder, 'model.safetensors'), new Map(mean))
  return folder
}

/** What a run's log says of its steps. */
function lessonOf(run) {
  const lines = readFileSync(path.join(run, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const learned = lines.filter(line => line.gradientNorm !== undefined)
  const sum = name => learned.reduce((total, line) => total + line[name], 0)
  return { steps: learned.length, tokens: sum('tokens'), seconds: sum('seconds') }
}

function addedUp(lessons) {
  const sum = name => lessons.reduce((total, lesson) => total + lesson[name], 0)
  return { lessons, steps: sum('steps'), tokens: sum('tokens'), seconds: sum('seconds') }
}

function expected({ out }) {
  const python = process.env.LATENTKIT_PYTHON ?? 'python3'
  const script = path.join(ROOT, 'scripts', 'make-expected.py')
  const prompts = PROMPTS.flatMap(text => ['--prompt', text])
  const given = [script, path.join(out, 'tales-mla-8m'), ...prompts, '--greedy', '128', '--texts', '--force']
  process.exitCode = spawnSync(python, given, { stdio: 'inherit' }).status ?? 1
}

/** The present card, with what was added. */
function headCard({ steps, tokens, seconds }) {
  const added =
    'The module of multi-token prediction (`model.layers.8`) guesses ahead for it: the same text, sooner. latentkit trained it alone, with ' +
    `the model's own weights frozen (${steps} steps, ${(tokens / 1e6).toFixed(1)}M tokens in ${Math.round(seconds / 60)} minutes): ` +
    `\`npm run tales -- prepare\`, \`npm run tales -- head --steps ${steps}\`, \`npm run tales -- finish build/tales/head-run\`.`
  const end = '\n\n`expected.safetensors`'
  return readFileSync(path.join(MODEL, 'README.md'), 'utf8').replace(end, `\n\n${added}${end}`)
}

function card({ losses, lessons, steps, tokens, seconds }) {
  const loss = losses.map(
    ({ title, first, all }) => `${title} ${first.nats.toFixed(2)} (${all.bitsPerByte.toFixed(3)} bits per byte)`,
  )
  // Of one run alone there is no second lesson.
  const [, second] = lessons
  const mean = second
    ? `; the weights are the mean of two checkpoints, the second after ${second.steps} steps more, half of whose tokens were stories`
    : ''
  const settling = second ? `, \`npm run tales -- settle --steps ${second.steps}\`` : ''
  return `# tales-mla-8m

An 8.1M-parameter language model with Multi-head Latent Attention that tells simple English stories. Layout: \`deepseek_v3\` (dense), 8 layers, 256 wide, 8 heads; query rank 192, latent 128, rope 16, nope 32, value 32, so 144 numbers are cached per token and layer. A module of multi-token prediction (\`model.layers.8\`) can guess ahead for it (\`--speculate mtp\`): the same text. bf16 safetensors, byte-level BPE of 4,096 tokens; token 0 (\`<|endoftext|>\`) starts and ends a text.

Trained from scratch by latentkit (Muon and AdamW, ${steps} steps of ${RECIPE['--batch-tokens']} tokens, ${(tokens / 1e6).toFixed(1)}M tokens in ${Math.round(seconds / 60)} minutes on two cores${mean}) on public-domain fairy tales (Andersen, Grimm, Lang and others, 7 MB) and 2,316 stories of TinyStories (CDLA-Sharing-1.0, which places no restriction on results computed from the data). Loss in nats per token on texts left out: ${loss.join(', ')}. It is small and young: grammar holds, plots wander. Weights: MIT, like the project.

The commands: \`npm run tales -- prepare\`, \`npm run tales -- train --steps ${lessons[0].steps}\`${settling}, \`npm run tales -- finish\`; \`npm run tales -- evaluate MODEL\` prints the losses.

\`expected.safetensors\` and \`expected.json\`: for five prompts the logits, hidden states, attention probabilities and 128 greedy tokens, computed by transformers in float64 from the weights on disk (\`npm run tales -- expected\`).
`
}

function latentkit(args, stdio) {
  return spawnSync(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', stdio, stdio],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
}

function write(file, text) {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        data: { type: 'string', default: path.join(ROOT, '..', 'shared', 'data') },
        out: { type: 'string', default: path.join(ROOT, 'build', 'tales') },
        steps: { type: 'string', default: '1000' },
        threads: { type: 'string', default: '2' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(usage())
      process.exit(0)
    }
    if (!Object.hasOwn(COMMANDS, positionals[0] ?? '')) throw new Error(`expected ${Object.keys(COMMANDS).join(', ')}`)
    if (!(Number.isInteger(Number(values.steps)) && Number(values.steps) > 0))
      throw new Error(`--steps is ${values.steps}; expected a whole number`)
    return { values, positionals }
  } catch (error) {
    console.error(`${error.message}\n\n${usage()}`)
    process.exit(2)
  }
}

function usage() {
  const lines = Object.entries(COMMANDS).map(([name, { what }]) => `  ${name.padEnd(10)}${what}`)
  return `usage: npm run tales -- COMMAND [MODEL] [--data FOLDER] [--out FOLDER] [--steps N] [--threads N]\n\n${lines.join('\n')}`
}
