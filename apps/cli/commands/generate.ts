import type { Command } from 'commander'
import type { PromptOptions } from '../../../src/index.ts'
import { follow, randomSeed } from '../answer.ts'
import { EXIT } from '../exit.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadEngine } from '../load-engine.ts'
import { type ModelArgument, modelAndText } from '../model-argument.ts'
import { addLoadOptions, type LoadFlags } from '../options/load.ts'
import { addSamplingOptions, choseSampling, type SamplingFlags, toPromptOptions } from '../options/sampling.ts'
import { colours } from '../output/colour.ts'
import { type Answer, remarks, statsLine } from '../output/stats.ts'
import { note, write, writeJson } from '../output/stdout.ts'

const DEFAULT_PROMPT = 'Once upon a time'
const DEFAULT_TOKENS = 512
/** Where the user leaves it to us: livelier than its greedy text, with the tail that derails small models cut off. */
const STORY: PromptOptions = { temperature: 0.7, topP: 1, minP: 0.1, repetitionPenalty: 1.05 }

interface Flags extends LoadFlags, SamplingFlags {
  json?: boolean
  echo?: boolean
  quiet?: boolean
  specialTokens: boolean
}

export function addGenerate(program: Command): void {
  const command = program
    .command('generate')
    .summary('continue a text')
    .description('Continues a text, token by token as it comes. Without arguments the bundled model tells a story.')
    .argument('[model]', 'a folder, or org/name on the hub (default: the bundled model)')
    .argument('[prompt]', 'the text to continue; - reads it from standard input, and so does a pipe')
    .option('--echo', 'repeat the prompt before its continuation (default on a terminal)')
    .option('--no-echo', 'only the continuation')
    .option('--no-special-tokens', "do not put the model's begin-of-text token first")
    .option('--quiet', 'no statistics')
    .option('--json', 'one object with text, tokens and timings instead')
  addLoadOptions(addSamplingOptions(command, { maxTokens: String(DEFAULT_TOKENS) }))
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit generate
  $ latentkit generate "The old fox said" --temperature 0
  $ latentkit generate ./my-model "def fibonacci(n):" --stop '\\n\\n'
  $ cat chapter.txt | latentkit generate ./my-model --json`,
    )
    .action(generate)
}

async function generate(first: string | undefined, second: string | undefined, flags: Flags): Promise<void> {
  const interrupt = watchInterrupt()
  const { model, text } = await modelAndText(first, second)
  const prompt = text ?? DEFAULT_PROMPT
  const engine = await loadEngine(model, flags, interrupt.signal)
  try {
    const { info } = engine
    const session = engine.session()
    const options = promptOptions(model, flags)
    if (!flags.quiet && !flags.json) for (const remark of remarks(info)) note(remark)
    const out = flags.json ? null : new Answering(prompt, flags.echo ?? (process.stdout.isTTY || text === undefined))
    const generation = session.prompt(prompt, { ...options, signal: interrupt.signal })
    const answer = await follow(generation, interrupt.signal, options.seed, chunk => out?.write(chunk))
    await out?.end()
    if (flags.json) await writeJson(report(prompt, answer, session.cache, info))
    else if (!flags.quiet) note(statsLine(answer, session.cache, info, options.maxTokens))
    if (answer.finishReason === 'aborted') process.exitCode = EXIT.interrupted
  } finally {
    interrupt.release()
    await engine.dispose()
  }
}

function promptOptions(model: ModelArgument, flags: Flags): PromptOptions & { readonly seed: number } {
  return {
    maxTokens: DEFAULT_TOKENS,
    seed: randomSeed(),
    ...(model.bundled && !choseSampling(flags) && STORY),
    ...(!flags.specialTokens && { addSpecialTokens: false }),
    ...toPromptOptions(flags),
  }
}

function report(prompt: string, answer: Answer, cache: object, info: Info) {
  const { name, modelType, kernels, fallbackReason, warnings } = info
  return { model: name, modelType, prompt, ...answer, cache, kernels: { ...kernels, fallbackReason }, warnings }
}

type Info = Awaited<ReturnType<typeof loadEngine>>['info']

/** The answer on stdout, its prompt before it if wanted, a line break behind it. */
class Answering {
  #last = ''
  #opening: string

  constructor(prompt: string, echo: boolean) {
    this.#opening = echo ? colours(process.stdout).bold(prompt) : ''
  }

  async write(text: string): Promise<void> {
    // With the first token: an echo alone would look as if the model had answered.
    const all = this.#opening + text
    this.#opening = ''
    this.#last = text.at(-1) ?? this.#last
    await write(all)
  }

  async end(): Promise<void> {
    await this.write('')
    if (this.#last !== '\n') await write('\n')
  }
}
