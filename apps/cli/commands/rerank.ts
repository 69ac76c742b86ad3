/** `latentkit rerank`: scores documents for a query. */
import type { Command } from 'commander'
import { RERANK_OPTIONS } from '../../../src/for-apps.ts'
import type { RankedDocument, RerankOptions } from '../../../src/index.ts'
import { placed } from '../embed/placed.ts'
import { textsGiven } from '../embed/texts.ts'
import { rankingView } from '../embed/views.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadEngine } from '../load-engine.ts'
import { modelArgument } from '../model-argument.ts'
import { addFlags, givenOptions } from '../options/engine-flags.ts'
import { addEncoderOptions, type LoadFlags } from '../options/load.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, write, writeJson, writeView } from '../output/stdout.ts'

interface Flags extends LoadFlags {
  file?: string
  json?: boolean
  quiet?: boolean
}

export function addRerank(program: Command): void {
  const group = 'Ranking:'
  const command = program
    .command('rerank')
    .summary('documents by how well they answer a query')
    .description(
      'Scores documents for a query with a cross-encoder. Prints a line of JSON for each document, the best first; on a terminal, a ' +
        'table.',
    )
    .argument('<model>', 'a folder, a GGUF file, or org/name on the hub')
    .argument('<text...>', 'the query, then documents; - reads these as lines of standard input, and so does a pipe')
    .option('--file <file>', 'a document in each line of this file; of a .jsonl file, a text or an object with "text"')
    .option('--json', 'one object with the ranking and counts')
    .option('--quiet', 'no summary')
  addFlags(command, RERANK_OPTIONS, { group })
  addEncoderOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit rerank ./my-reranker "capital of Germany?" "Berlin is." "Cats purr."
  $ latentkit rerank ./my-reranker "capital of Germany?" --file lines.txt --top-n 5`,
    )
    .action(rerank)
}

async function rerank(name: string, [query = '', ...given]: readonly string[], flags: Flags): Promise<void> {
  const interrupt = watchInterrupt()
  const documents = await textsGiven(given, flags.file, 'rerank')
  // There is no cache to keep.
  const engine = await loadEngine(modelArgument(name), { ...flags, diskCache: false }, interrupt.signal)
  const progress = new Progress()
  try {
    const begun = performance.now()
    const { ranking, usage, truncated } = await engine
      .rerank(query, documents, {
        ...givenOptions<RerankOptions>(RERANK_OPTIONS, flags),
        signal: interrupt.signal,
        onProgress: ({ texts, total }) => progress.pieces('Scoring', texts, total, 'documents', ''),
      })
      .catch(error => placed(error, 'documents'))
    progress.stop()
    const ms = performance.now() - begun
    const rows = ranking.map((row: RankedDocument) => ({ ...row, text: documents[row.index] as string }))
    const { info } = engine
    if (flags.json) {
      const { name: model, modelType, kernels, warnings } = info
      const counts = { documents: documents.length, usage, truncated, ms }
      await writeJson({ model, modelType, query, ranking: rows, ...counts, kernels, warnings })
    } else if (process.stdout.isTTY) await writeView(rankingView(rows, colours(process.stdout)))
    else await write(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
    const cut = truncated.length > 0 ? `; ${truncated.length} cut at ${info.embedding.maxTokens} tokens` : ''
    if (!flags.quiet && !flags.json) {
      const all = `${format.plural(documents.length, 'document')} of ${format.plural(usage.tokens, 'token')}`
      note(`${all} in ${format.duration(ms)} (${format.rate((usage.tokens / ms) * 1000)})${cut}`)
    }
  } finally {
    progress.stop()
    interrupt.release()
    await engine.dispose()
  }
}
