/** `latentkit generate`: continues one prompt, or the lines of a file in batches. */
import type { Command } from 'commander'
import { INFILL_TEXT } from '../../../src/for-apps.ts'
import type { CacheStats, PromptOptions } from '../../../src/index.ts'
import { randomSeed } from '../answer.ts'
import { newConversation } from '../chat/new-conversation.ts'
import { EXIT, UsageError } from '../exit.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadEngine } from '../load-engine.ts'
import { type ModelArgument, modelAndText, modelArgument } from '../model-argument.ts'
import { engineFlag } from '../options/engine-flags.ts'
import { addLoadOptions, type LoadFlags } from '../options/load.ts'
import { addOutputOptions, type OutputFlags, toOutput } from '../options/output.ts'
import { addSamplingOptions, choseSampling, type SamplingFlags, toPromptOptions } from '../options/sampling.ts'
import { addSeveralOptions, type SeveralFlags, toBeamOptions } from '../options/several.ts'
import { addToolOptions, type ToolFlags, toKit, toTools } from '../options/tools.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { type Answer, remarks, statsLine } from '../output/stats.ts'
import { answerText, note, write, writeJson } from '../output/stdout.ts'
import { answerTo, textsOf } from '../texts.ts'

const DEFAULT_PROMPT = 'Once upon a time'
const DEFAULT_TOKENS = 512
/** Settings of the default story: livelier than greedy, without the unlikely tokens that derail small models. */
const STORY: PromptOptions = { temperature: 0.7, topP: 1, minP: 0.1, repetitionPenalty: 1.05 }

interface Flags extends LoadFlags, OutputFlags, SamplingFlags, SeveralFlags, ToolFlags {
  json?: boolean
  echo?: boolean
  suffix?: string
  batch?: string
  out?: string
  quiet?: boolean
  cache: boolean
  specialTokens: boolean
  parseSpecial: boolean
}

export function addGenerate(program: Command): void {
  const command = program
    .command('generate')
    .summary('continue a text')
    .description('Continues a text, token by token as it comes. Without arguments the bundled model tells a story.')
    .argument('[model]', 'a folder, a GGUF file, or org/name on the hub (default: the bundled model)')
    .argument('[prompt]', 'the text to continue; - reads it from standard input, and so does a pipe')
    .addOption(
      engineFlag(INFILL_TEXT.suffix, {
        group: 'Options:',
        description: 'fill the gap between the prompt and this text',
      }),
    )
    .option(
      '--batch <file>',
      'answer each line of a JSON-lines file (-: standard input); results are JSON lines in the same order',
    )
    .option('--out <file>', 'where they go; a later run continues there (default: standard output)')
    .option('--echo', 'repeat the prompt before its continuation (default on a terminal)')
    .option('--no-echo', 'only the continuation')
    .option(
      '--no-cache',
      'compute all tokens again for each one, as without a cache, to see what it saves; the same text',
    )
    .option('--no-special-tokens', "do not put the model's begin-of-text token first")
    .option('--no-parse-special', 'control tokens that are written out (<|im_end|>) are plain text')
    .option('--quiet', 'no statistics')
    .option('--json', 'one object with text, tokens and timings instead')
  addLoadOptions(
    addSeveralOptions(
      addToolOptions(addOutputOptions(addSamplingOptions(command, { maxTokens: String(DEFAULT_TOKENS) }))),
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit generate
  $ latentkit generate "The old fox said" --temperature 0
  $ latentkit generate "The old fox said" --n 3 --max-tokens 40
  $ latentkit generate "The weather is" --choice sunny --choice rainy
  $ latentkit generate ./my-model "def fibonacci(n):" --stop '\\n\\n'
  $ latentkit generate ./my-coder "def add(a, b):" --suffix "    return c"
  $ latentkit generate ./my-model "What time is it?" --tools tools.json --json
  $ cat chapter.txt | latentkit generate ./my-model --json`,
    )
    .action(generate)
}

async function generate(first: string | undefined, second: string | undefined, flags: Flags): Promise<void> {
  if (flags.batch !== undefined) return generateBatch(first, second, flags, flags.batch)
  if (flags.out !== undefined) throw new UsageError('--out is for --batch')
  if (flags.suffix !== undefined && (flags.n ?? flags.bestOf) !== undefined) {
    throw new UsageError('--suffix is for one text, without --n and --best-of')
  }
  if (flags.toolChoice !== undefined && flags.tools === undefined) throw new UsageError('--tool-choice is for --tools')
  if (flags.tools !== undefined && (flags.suffix ?? flags.n ?? flags.bestOf ?? flags.beams) !== undefined) {
    throw new UsageError('--tools is for one answer, without --suffix, --n, --best-of and --beams')
  }
  if (!flags.cache && flags.beams !== undefined) throw new UsageError('--no-cache is for texts without --beams')
  if (flags.lengthPenalty !== undefined && !flags.beams) throw new UsageError('--length-penalty is for --beams')
  const interrupt = watchInterrupt()
  const { model, text: given } = await modelAndText(first, second)
  const prompt = given ?? DEFAULT_PROMPT
  const output = await toOutput(flags)
  const kit = toKit(await toTools(flags), flags)
  const engine = await loadEngine(model, flags, interrupt.signal)
  const progress = new Progress()
  try {
    const { info } = engine
    const asked = { ...promptOptions(model, flags), ...output, signal: interrupt.signal }
    const options = flags.quiet ? asked : { ...asked, onPromptProgress: progress.reading }
    if (!flags.quiet && !flags.json) for (const remark of remarks(info)) note(remark)
    const texts = kit
      ? [answerTo(newConversation(engine, { kit }), prompt, options)]
      : await textsOf(engine.session(), prompt, flags, options)
    const answers: CachedAnswer[] = []
    for (const [i, text] of texts.entries()) {
      const echo = flags.echo ?? (kit === null && (process.stdout.isTTY || given === undefined))
      const out = flags.json ? null : new Answering(prompt, echo, heading(i, texts.length))
      const answer = await text.tell(chunk => {
        progress.stop()
        return out?.write(chunk)
      })
      await out?.end()
      answers.push({ ...answer, cache: text.session.cache })
      if (!flags.json && !flags.quiet) note(statsLine(answer, text.session.cache, info, options.maxTokens))
    }
    if (flags.json) await writeJson(report(prompt, answers, flags.n !== undefined, info))
    if (answers.some(answer => answer.finishReason === 'aborted')) process.exitCode = EXIT.interrupted
  } finally {
    progress.stop()
    interrupt.release()
    await engine.dispose()
  }
}

async function generateBatch(
  first: string | undefined,
  second: string | undefined,
  flags: Flags,
  file: string,
): Promise<void> {
  const one = second ?? flags.suffix ?? flags.n ?? flags.bestOf ?? flags.tools
  if (one !== undefined)
    throw new UsageError('--batch takes its texts from the file: no text, --suffix, --n, --best-of or --tools')
  const model = modelArgument(first)
  const output = await toOutput(flags)
  const interrupt = watchInterrupt()
  const { runBatch } = await import('../batch/batch.ts')
  const engine = await loadEngine(model, flags, interrupt.signal)
  const progress = new Progress()
  try {
    const { seed: _, ...drawing } = promptOptions(model, flags)
    const given = { ...drawing, ...output }
    const defaults = flags.seed === undefined ? given : { ...given, seed: flags.seed }
    const shown = flags.quiet ? null : progress
    const failed = await runBatch(engine, { file, out: flags.out, defaults, signal: interrupt.signal, progress: shown })
    progress.stop()
    if (failed > 0) {
      if (!flags.quiet)
        note(`${format.plural(failed, 'line')} failed; ${failed === 1 ? 'its result says' : 'their results say'} why`)
      process.exitCode = EXIT.failed
    }
  } finally {
    progress.stop()
    interrupt.release()
    await engine.dispose()
  }
}

function promptOptions(model: ModelArgument, flags: Flags): PromptOptions & { readonly seed: number } {
  return {
    maxTokens: DEFAULT_TOKENS,
    seed: randomSeed(),
    ...(model.bundled && !flags.beams && !choseSampling(flags) && STORY),
    ...(!flags.cache && { useCache: false }),
    ...(!flags.specialTokens && { addSpecialTokens: false }),
    ...(!flags.parseSpecial && { parseSpecial: false }),
    ...toPromptOptions(flags),
    ...toBeamOptions(flags),
  }
}

type CachedAnswer = Answer & { readonly cache: CacheStats }

/** A single text's fields are at the top level, beside the model's; several are a list. */
function report(prompt: string, answers: readonly CachedAnswer[], several: boolean, info: Info) {
  const { name, modelType, kernels, fallbackReason, warnings } = info
  const texts = several ? { texts: answers } : answers[0]
  return { model: name, modelType, prompt, ...texts, kernels: { ...kernels, fallbackReason }, warnings }
}

/** The heading of each of several texts. */
function heading(index: number, count: number): string {
  if (count === 1) return ''
  return `${index === 0 ? '' : '\n'}${colours(process.stdout).dim(`[${index + 1} of ${count}]`)}\n`
}

type Info = Awaited<ReturnType<typeof loadEngine>>['info']

/** Writes the answer to stdout: the prompt first if requested, a line break at the end. */
class Answering {
  #last = ''
  #opening: string

  constructor(prompt: string, echo: boolean, heading: string) {
    this.#opening = heading + (echo ? colours(process.stdout).bold(prompt) : '')
  }

  async write(text: string): Promise<void> {
    // Echo together with the first token: an echo alone would look like an answer.
    const all = this.#opening + answerText(text)
    this.#opening = ''
    this.#last = text.at(-1) ?? this.#last
    await write(all)
  }

  async end(): Promise<void> {
    await this.write('')
    if (this.#last !== '\n') await write('\n')
  }
}
