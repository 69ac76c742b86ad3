/** The commands and what all of them share: help, version, exit codes. */
import { Command } from 'commander'
import { VARIABLES } from './environment.ts'
import { EXIT } from './exit.ts'
import { colours } from './output/colour.ts'
import { pairs } from './output/table.ts'

const { bold } = colours(process.stdout)

/** In the order of `--help`. Only the one that is called is read: its start should cost nothing more. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  generate: async () => (await import('./commands/generate.ts')).addGenerate,
  chat: async () => (await import('./commands/chat.ts')).addChat,
  chats: async () => (await import('./commands/chats.ts')).addChats,
  serve: async () => (await import('./commands/serve.ts')).addServe,
  explore: async () => (await import('./commands/explore.ts')).addExplore,
  tokenize: async () => (await import('./commands/tokenize.ts')).addTokenize,
  embed: async () => (await import('./commands/embed.ts')).addEmbed,
  rerank: async () => (await import('./commands/rerank.ts')).addRerank,
  pull: async () => (await import('./commands/pull.ts')).addPull,
  list: async () => (await import('./commands/list.ts')).addList,
  rm: async () => (await import('./commands/rm.ts')).addRm,
  inspect: async () => (await import('./commands/inspect.ts')).addInspect,
  plan: async () => (await import('./commands/plan.ts')).addPlan,
  convert: async () => (await import('./commands/convert.ts')).addConvert,
  latentify: async () => (await import('./commands/latentify.ts')).addLatentify,
  tokenizer: async () => (await import('./commands/tokenizer.ts')).addTokenizer,
  train: async () => (await import('./commands/train.ts')).addTrain,
  runs: async () => (await import('./commands/runs.ts')).addRuns,
  ladder: async () => (await import('./commands/ladder.ts')).addLadder,
  grid: async () => (await import('./commands/grid.ts')).addGrid,
  evaluate: async () => (await import('./commands/evaluate.ts')).addEvaluate,
  perplexity: async () => (await import('./commands/perplexity.ts')).addPerplexity,
  cache: async () => (await import('./commands/cache.ts')).addCache,
  verify: async () => (await import('./commands/verify.ts')).addVerify,
  completion: async () => {
    const { addCompletion } = await import('./commands/completion.ts')
    return program => addCompletion(program, () => createProgram(program.version() ?? '', []))
  },
}

/**
 * Documented in `latentkit --help` and the manual page; rows without a code go on with the one before.
 * @public scripts/make-man.mjs takes it from the built program.
 */
export const EXIT_CODES: readonly (readonly [string, string])[] = [
  [String(EXIT.ok), 'all went well'],
  [String(EXIT.failed), 'something failed: a model or file that is not there or is wrong,'],
  ['', 'output that cannot be written, a question of a piped chat that'],
  ['', 'was not answered, a verification out of tolerance'],
  [String(EXIT.usage), 'the command was called wrongly: its flags, variables, arguments'],
  [String(EXIT.interrupted), 'interrupted by Ctrl-C'],
]

export async function createProgram(version: string, args: readonly string[]): Promise<Command> {
  const program = new Command('latentkit')
    .description('Runs language models with Multi-head Latent Attention, next to the attention they replaced.')
    .version(version, '-V, --version')
    .usage('<command> [options]')
    .option('--debug', 'show where an error arose')
    .helpCommand('help [command]', 'the same as --help')
    .configureHelp({ showGlobalOptions: true, styleTitle: bold, subcommandTerm: term })
    .showSuggestionAfterError()
    .exitOverride()
    // Errors are printed in one place, main.ts.
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
  const called = args.find(arg => !arg.startsWith('-')) ?? ''
  const names = Object.hasOwn(COMMANDS, called) ? [called] : Object.keys(COMMANDS)
  for (const name of names) (await COMMANDS[name]?.())?.(program)
  program.hook('preSubcommand', async (_, command) => {
    // Help is given whatever the file holds.
    if (args.includes('--help') || args.includes('-h')) return
    const { applyDefaults, applyFile } = await import('./defaults.ts')
    await applyDefaults(command, Object.keys(COMMANDS))
    // Before flags are read, as they come first.
    const file = command.name() === 'serve' ? flagValue(args, '--config') : undefined
    if (file !== undefined) await applyFile(command, file)
  })
  return program.addHelpText('after', () => epilogue())
}

/** Without the word [options], which all have: what commands do would have no room beside it. */
function term(command: Command): string {
  const names = command.registeredArguments.map(argument => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [command.name(), ...names].join(' ')
}

/** Of a flag among the arguments; undefined if it is not there. */
function flagValue(args: readonly string[], flag: string): string | undefined {
  const at = args.findIndex(arg => arg === flag || arg.startsWith(`${flag}=`))
  return args[at]?.includes('=') ? args[at]?.slice(flag.length + 1) : args[at + 1 || args.length]
}

function epilogue(): string {
  const indent = (text: string) => text.replace(/^/gm, '  ')
  return `
${bold('Examples:')}
  $ latentkit generate
  $ latentkit chat ./my-model --system "You answer in one sentence."
  $ latentkit pull deepseek-ai/DeepSeek-V2-Lite
  $ latentkit inspect ./my-model memory
  $ latentkit plan R1 --context 128k --batch 32 --machine h100
  $ latentkit <command> --help

${bold('Environment:')} (flags come first)
${indent(pairs(VARIABLES, name => name))}

${bold('Exit codes:')}
${indent(pairs(EXIT_CODES, code => code))}`
}
