/** `latentkit tokenizer`: a tokenizer is learned from texts. */
import { type Command, Option } from 'commander'
import { TOKENIZER_OPTIONS } from '../../../src/for-apps.ts'
import { watchInterrupt } from '../interrupt.ts'
import { engineFlag } from '../options/engine-flags.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { writeJson, writeView } from '../output/stdout.ts'

interface Flags {
  out: string
  vocabulary: number
  minFrequency?: number
  specialTokens?: string[]
  separator?: string
  json?: boolean
}

const GROUP = { group: 'Options:' }

export function addTokenizer(program: Command): void {
  const { vocabulary, minFrequency, specialTokens, separator } = TOKENIZER_OPTIONS
  program
    .command('tokenizer')
    .summary('learn a tokenizer from texts')
    .description('Learns a tokenizer from texts, for a model that is to be trained on them.')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit tokenizer train tales.txt --vocabulary 4096 --out ./my-config
  $ latentkit tokenize ./my-config "Once upon a time"`,
    )
    .command('train')
    .description(
      'Writes tokenizer.json and tokenizer_config.json into a folder: byte-level BPE, the tokens and ids that Hugging Face\'s BpeTrainer gives for the same texts. Add a config.json, and "latentkit train" can begin.',
    )
    .argument('<texts...>', 'files or folders of texts, as "latentkit train" reads them')
    .addOption(engineFlag(vocabulary, GROUP).makeOptionMandatory())
    .requiredOption('--out <folder>', 'where the files are written; earlier ones are replaced')
    .addOption(engineFlag(minFrequency, GROUP))
    .addOption(new Option(specialTokens.flag, `${specialTokens.description} (default: ${specialTokens.defaultText})`))
    .addOption(engineFlag(separator, GROUP))
    .option('--json', 'what was learned, as one object')
    .action(train)
}

async function train(texts: string[], flags: Flags): Promise<void> {
  const { out, json, ...options } = flags
  const { signal, release } = watchInterrupt()
  const { trainTokenizer } = await import('../../../src/training/index.ts')
  const trained = await trainTokenizer(texts, out, { ...options, signal })
  release()
  if (json) return writeJson(trained)
  const { vocabulary, documents, bytes } = trained
  const read = `${format.plural(documents, 'document')}, ${format.bytes(bytes)}`
  await writeView(`${colours(process.stdout).bold(out)}: ${format.integer(vocabulary)} tokens from ${read}`)
}
