import { type Command, Option } from 'commander'
import type { Engine, PromptOptions } from '../../../src/index.ts'
import { Chat } from '../chat/chat.ts'
import { newConversation } from '../chat/new-conversation.ts'
import { PipedInput } from '../chat/piped-input.ts'
import { keeperOf, recap, resumeConversation, wantedChat } from '../chat/resume.ts'
import { type Servers, startServers } from '../chat/servers.ts'
import { type Guard, Settings } from '../chat/settings.ts'
import { completions } from '../chat/slash-commands.ts'
import { TerminalInput } from '../chat/terminal-input.ts'
import { debugWanted } from '../environment.ts'
import { CliError, EXIT, UsageError } from '../exit.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadEngine } from '../load-engine.ts'
import { addLoadOptions, type LoadFlags } from '../options/load.ts'
import { addOutputOptions, type OutputFlags, toOutput } from '../options/output.ts'
import { addSamplingOptions, type SamplingFlags, toPromptOptions } from '../options/sampling.ts'
import {
  addMcpOptions,
  addToolOptions,
  type McpFlags,
  type ToolFlags,
  type ToolKit,
  type Tools,
  toKit,
  toolsByName,
  toTools,
} from '../options/tools.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { remarks } from '../output/stats.ts'
import { note } from '../output/stdout.ts'
import { refuseFolder } from '../stdin.ts'
import { readTextFile } from '../text-input.ts'

/** A plain continuation has no natural end. */
const PLAIN: Guard = { maxTokens: 200, announced: false }
/** A turn has, but small models may miss it and repeat themselves until the context is full. */
const TURN: Guard = { maxTokens: 2048, announced: true }

interface Flags extends LoadFlags, McpFlags, OutputFlags, SamplingFlags, ToolFlags {
  json?: boolean
  parseSpecial?: boolean
  system?: string
  template?: string
  /** A name, or true for the last one. */
  resume?: string | true
  name?: string
  /** False for --no-save. */
  save: boolean
  /** False for --no-roll. */
  roll: boolean
}

export function addChat(program: Command): void {
  const command = program
    .command('chat')
    .summary('talk with a model')
    .description(
      'Talks with a model, turn by turn. Reads a terminal, or lines from a pipe; /help lists what can be said to the program. Chats on a terminal are kept, and others that have a name; see latentkit chats.',
    )
    .argument('[model]', 'a folder, a GGUF file, or org/name on the hub (default: the bundled model)')
    .option('--system <text>', 'a system message')
    .option('--template <file>', "a chat template (Jinja) instead of the model's own")
    .option('--parse-special', 'control tokens that are written out (<|im_end|>) become these tokens, not plain text')
    .option('--resume [name]', 'go on with a kept chat: the last one, or the one of this name')
    .option('--name <name>', 'keep the chat under this name (default: the time it began)')
    .addOption(
      new Option('--no-save', 'keep nothing of this chat: no file, and nothing in the cache folder').conflicts('name'),
    )
    .option('--no-roll', 'end where the context is full, instead of going on without the oldest messages')
    .option('--json', 'one line of JSON per answer, or per error')
  const maxTokens = `${TURN.maxTokens}; without a chat template ${PLAIN.maxTokens}`
  addLoadOptions(addMcpOptions(addToolOptions(addOutputOptions(addSamplingOptions(command, { maxTokens })))))
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit chat
  $ latentkit chat ./my-model --system "Answer in one sentence."
  $ latentkit chat --resume
  $ latentkit chat ./my-model --mcp "npx -y @modelcontextprotocol/server-filesystem ."
  $ printf 'Hello!\\nAnd now in French.\\n' | latentkit chat ./my-model`,
    )
    .action((model: string | undefined, flags: Flags, self: Command) =>
      chat(model, flags, Boolean(self.optsWithGlobals().debug)),
    )
}

async function chat(given: string | undefined, flags: Flags, debug: boolean): Promise<void> {
  const interrupt = watchInterrupt()
  const interactive = process.stdin.isTTY === true
  refuseFolder()
  const { model, resumed } = await wantedChat(given, flags)
  const template = flags.template === undefined ? {} : { chatTemplate: await readTemplate(flags.template) }
  const prompting = { ...promptOptions(flags), ...(await toOutput(flags)) }
  // --no-save keeps neither the chat nor its blocks.
  const loadFlags = flags.save ? flags : { ...flags, diskCache: false }
  const own = await toTools(flags)
  const input = interactive ? new TerminalInput(completions) : new PipedInput(process.stdin)
  const engine = await loadEngine(model, loadFlags, interrupt.signal, template)
  // From here on the chat handles Ctrl-C.
  interrupt.release()
  let servers: Servers | null = null
  try {
    servers = await startServers(flags, input)
    const all = servers
    const kit = toolKit(own, all, flags)
    const conversation = resumed ? await resumeConversation(engine, resumed, kit) : newConversation(engine, { kit })
    if (flags.system !== undefined) {
      if (!conversation.templated)
        throw new UsageError(`${engine.info.name} has no chat template, so --system has no place`)
      conversation.setSystem(flags.system)
    }
    const chat = new Chat(engine, {
      conversation,
      kit,
      kitWith: others => (others === null && flags.mcp === undefined ? null : toolKit(others, all, flags)),
      keeper: await keeperOf(engine, model, resumed, flags, interactive),
      input,
      settings: new Settings(prompting, engine.info.sampling, engine.info.hasChatTemplate ? TURN : PLAIN),
      rolls: flags.roll,
      json: flags.json ?? false,
      interactive,
      debug: debug || debugWanted(),
    })
    introduce(engine, interactive)
    if (resumed) note(recap(resumed, interactive))
    const { interrupted, failed } = await chat.run()
    if (failed) process.exitCode = EXIT.failed
    if (interrupted) process.exitCode = EXIT.interrupted
  } finally {
    input.close()
    await servers?.close()
    await engine.dispose()
  }
}

/** null: the model may call nothing. */
function toolKit(own: Tools | null, { tools: served }: Servers, flags: Flags): ToolKit | null {
  if (own === null && flags.mcp === undefined) {
    if (flags.toolChoice !== undefined) throw new UsageError('--tool-choice is for --tools and --mcp')
    return null
  }
  const named = own === null ? {} : toolsByName(own)
  const twice = Object.keys(named).find(name => Object.hasOwn(served, name))
  if (twice !== undefined) throw new UsageError(`the tool ${twice} is in --tools and in --mcp; leave one of them out`)
  return toKit({ ...named, ...served }, flags)
}

function promptOptions(flags: Flags): PromptOptions {
  const { parseSpecial = false } = flags
  return { parseSpecial, ...toPromptOptions(flags) }
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

async function readTemplate(file: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readTextFile(file))
  } catch (error) {
    throw new CliError(`the chat template cannot be read: ${(error as Error).message}`)
  }
}
