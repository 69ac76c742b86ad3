/** `latentkit embed`: texts to vectors, one line of JSON each. */
import { type Command, Option } from 'commander'
import { EMBED_OPTIONS } from '../../../src/for-apps.ts'
import type { Embeddings, EmbedOptions, Engine } from '../../../src/index.ts'
import { writeNpy } from '../embed/npy.ts'
import { placed } from '../embed/placed.ts'
import { shortest } from '../embed/shortest.ts'
import { textsToEmbed } from '../embed/texts.ts'
import { nearestView } from '../embed/views.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadEngine } from '../load-engine.ts'
import { addFlags, givenOptions } from '../options/engine-flags.ts'
import { addEncoderOptions, type LoadFlags } from '../options/load.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, write, writeJson, writeView } from '../output/stdout.ts'

interface Flags extends LoadFlags {
  file?: string
  npy?: string
  json?: boolean
  quiet?: boolean
  normalize: boolean
}

/** Texts of one call: their lines are written before the next ones are read. */
const WINDOW = 1024

export function addEmbed(program: Command): void {
  const group = 'Vectors:'
  const command = program
    .command('embed')
    .summary('texts into vectors')
    .description(
      'Turns texts into vectors whose dot products say how close the texts are in meaning. Prints a line of JSON for each text; on ' +
        'a terminal, each text with the one that is nearest.',
    )
    .argument('[model]', 'a folder, a GGUF file, or org/name on the hub (default: the bundled model)')
    .argument('[text...]', 'the texts; - reads lines of standard input, and so does a pipe')
    .option('--file <file>', 'a text in each line of this file; of a .jsonl file, a text or an object with "text"')
    .option('--npy <file>', "write the vectors as NumPy's array [texts, dimensions] of float32; -: to standard output")
    .option('--json', 'one object with all vectors and counts')
    .option('--quiet', 'no summary')
  addFlags(command, EMBED_OPTIONS, { group })
  command.addOption(new Option('--no-normalize', 'leave vectors as long as they are').helpGroup(group))
  addEncoderOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit embed ./my-model "A man is eating." "Somebody has a meal."
  $ latentkit embed ./my-model --file lines.txt > vectors.jsonl
  $ latentkit embed ./my-model --file lines.txt --npy vectors.npy --dimensions 256
  $ sort words.txt | latentkit embed ./my-model --prompt-name query`,
    )
    .action(embed)
}

async function embed(first: string | undefined, others: readonly string[], flags: Flags): Promise<void> {
  const interrupt = watchInterrupt()
  const { model, texts } = await textsToEmbed(first === undefined ? [] : [first, ...others], flags.file, flags)
  // There is no cache to keep.
  const engine = await loadEngine(model, { ...flags, diskCache: false }, interrupt.signal)
  const progress = new Progress()
  try {
    const begun = performance.now()
    const inLines = !flags.json && flags.npy === undefined && !process.stdout.isTTY
    const all: Float32Array[] = []
    let [tokens, truncated] = [0, [] as number[]]
    for (let from = 0; from < texts.length; from += WINDOW) {
      const some = texts.slice(from, from + WINDOW)
      const options = { ...optionsOf(flags), signal: interrupt.signal, onProgress }
      const found = await engine.embed(some, options).catch(error => placed(error, 'texts', from))
      function onProgress({ texts: done }: { readonly texts: number }) {
        progress.pieces('Embedding', from + done, texts.length, 'texts', '')
      }
      tokens += found.usage.tokens
      truncated = [...truncated, ...found.truncated.map(i => from + i)]
      if (inLines) await writeLines(some, found, from)
      else all.push(...found.embeddings)
    }
    progress.stop()
    const summary = { engine, texts, tokens, truncated, ms: performance.now() - begun }
    if (flags.npy !== undefined) await writeNpy(flags.npy, all, all[0]?.length ?? 0)
    if (flags.json) await writeJson(report(summary, flags.npy === undefined ? all : undefined))
    else if (!inLines && flags.npy === undefined) await writeView(nearestView(texts, all, colours(process.stdout)))
    if (!flags.quiet && !flags.json) note(summaryLine(summary))
  } finally {
    progress.stop()
    interrupt.release()
    await engine.dispose()
  }
}

function optionsOf(flags: Flags): EmbedOptions {
  return { ...givenOptions<EmbedOptions>(EMBED_OPTIONS, flags), ...(!flags.normalize && { normalize: false }) }
}

async function writeLines(texts: readonly string[], { embeddings }: Embeddings, from: number): Promise<void> {
  const lines = texts.map((text, i) => JSON.stringify({ index: from + i, text, embedding: shortest(embeddings[i]!) }))
  await write(`${lines.join('\n')}\n`)
}

interface Summary {
  readonly engine: Engine
  readonly texts: readonly string[]
  readonly tokens: number
  readonly truncated: readonly number[]
  readonly ms: number
}

function report(
  { engine: { info }, texts, tokens, truncated, ms }: Summary,
  vectors: readonly Float32Array[] | undefined,
) {
  const { name, modelType, embedding, kernels, warnings } = info
  return {
    ...{ model: name, modelType, embedding, texts: texts.length, usage: { tokens }, truncated, ms },
    ...(vectors && { embeddings: vectors.map(shortest) }),
    ...{ kernels, warnings },
  }
}

function summaryLine({ engine, texts, tokens, truncated, ms }: Summary): string {
  const { generates, embedding } = engine.info
  const perSecond = format.rate((tokens / ms) * 1000)
  return [
    `${format.plural(texts.length, 'text')} of ${format.plural(tokens, 'token')} in ${format.duration(ms)} (${perSecond})`,
    ...(truncated.length > 0 ? [`${truncated.length} cut at ${embedding.maxTokens} tokens`] : []),
    ...(generates ? ['this model was made to write, not to embed'] : []),
  ].join('; ')
}
