import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Engine, PromptOptions } from '../../../src/index.ts'
import { Chat } from '../chat/chat.ts'
import { PipedInput } from '../chat/piped-input.ts'
import { Settings } from '../chat/settings.ts'
import { completions } from '../chat/slash-commands.ts'
import { TerminalInput } from '../chat/terminal-input.ts'
import { debugWanted } from '../environment.ts'
import { CliError, EXIT, UsageError } from '../exit.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadEngine } from '../load-engine.ts'
import { modelArgument } from '../model-argument.ts'
import { addLoadOptions, type LoadFlags } from '../options/load.ts'
import { addSamplingOptions, type SamplingFlags, toPromptOptions } from '../options/sampling.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { remarks } from '../output/stats.ts'
import { note } from '../output/stdout.ts'

/** A text without turns has no end of its own. */
const PLAIN_TOKENS = 200

interface Flags extends LoadFlags, SamplingFlags {
  json?: boolean
  system?: string
  template?: string
}

export function addChat(program: Command): void {
  const command = program
    .command('chat')
    .summary('talk with a model')
    .description(
      'Talks with a model, turn by turn. Reads a terminal, or lines from a pipe; /help lists what can be said to the program.',
    )
    .argument('[model]', 'a folder, or org/name on the hub (default: the bundled model)')
    .option('--system <text>', 'a system message')
    .option('--template <file>', "a chat template (Jinja) instead of the model's own")
    .option('--json', 'one line of JSON per answer')
  addLoadOptions(addSamplingOptions(command, { maxTokens: `none; without a chat template ${PLAIN_TOKENS}` }))
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit chat
  $ latentkit chat ./my-model --system "Answer in one sentence."
  $ printf 'Hello!\\nAnd now in French.\\n' | latentkit chat ./my-model`,
    )
    .action((model: string | undefined, flags: Flags, self: Command) =>
      chat(model, flags, Boolean(self.optsWithGlobals().debug)),
    )
}

async function chat(argument: string | undefined, flags: Flags, debug: boolean): Promise<void> {
  const interrupt = watchInterrupt()
  const template = flags.template === undefined ? {} : { chatTemplate: readTemplate(flags.template) }
  const engine = await loadEngine(modelArgument(argument), flags, interrupt.signal, template)
  // From here on Ctrl-C belongs to the conversation.
  interrupt.release()
  const interactive = process.stdin.isTTY === true
  const input = interactive ? new TerminalInput(completions) : new PipedInput(process.stdin)
  try {
    const settings = new Settings(promptOptions(engine, flags))
    const chat = new Chat(engine, {
      input,
      settings,
      json: flags.json ?? false,
      interactive,
      debug: debug || debugWanted(),
    })
    if (flags.system !== undefined) {
      if (!chat.conversation.templated)
        throw new UsageError(`${engine.info.name} has no chat template, so --system has no place`)
      chat.conversation.setSystem(flags.system)
    }
    introduce(engine, interactive)
    const { interrupted } = await chat.run()
    if (interrupted) process.exitCode = EXIT.interrupted
  } finally {
    input.close()
    await engine.dispose()
  }
}

function promptOptions({ info }: Engine, flags: Flags): PromptOptions {
  return { ...(!info.hasChatTemplate && { maxTokens: PLAIN_TOKENS }), ...toPromptOptions(flags) }
}

function introduce({ info }: Engine, interactive: boolean): void {
  const c = colours(process.stderr)
  const { name, isa, threads } = info.kernels
  if (interactive) {
    const context = `context ${format.integer(info.contextLength)} tokens`
    note(`${c.bold(info.name)}${c.dim(` · ${name} ${isa}, ${format.plural(threads, 'thread')} · ${context} · /help`)}`)
  }
  for (const remark of remarks(info)) note(remark)
  if (!info.hasChatTemplate) {
    note(
      c.yellow(
        `${info.name} has no chat template: it goes on with what you write, as one text (--template FILE gives it one).`,
      ),
    )
  }
}

function readTemplate(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError(`the chat template cannot be read: ${(error as Error).message}`)
  }
}
