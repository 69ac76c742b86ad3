import { Command } from 'commander'
import { addChat } from './commands/chat.ts'
import { addGenerate } from './commands/generate.ts'
import { addInspect } from './commands/inspect.ts'
import { addTokenize } from './commands/tokenize.ts'
import { addVerify } from './commands/verify.ts'
import { VARIABLES } from './environment.ts'
import { EXIT } from './exit.ts'
import { colours } from './output/colour.ts'
import { pairs } from './output/table.ts'

const { bold } = colours(process.stdout)

export function createProgram(version: string): Command {
  const program = new Command('latentkit')
    .description('Runs language models with Multi-head Latent Attention, next to the attention they replaced.')
    .version(version, '-V, --version')
    .usage('<command> [options]')
    .option('--debug', 'show where an error arose')
    .helpCommand('help [command]', 'the same as --help')
    .configureHelp({ showGlobalOptions: true, styleTitle: bold })
    .showSuggestionAfterError()
    .exitOverride()
    // Errors are printed in one place, main.ts.
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
  addGenerate(program)
  addChat(program)
  addTokenize(program)
  addInspect(program)
  addVerify(program)
  return program.addHelpText('after', () => epilogue())
}

function epilogue(): string {
  const codes: [string, string][] = [
    [String(EXIT.ok), 'all went well'],
    [String(EXIT.failed), 'something failed, or a verification is out of tolerance'],
    [String(EXIT.usage), 'the command was called wrongly'],
    [String(EXIT.interrupted), 'interrupted by Ctrl-C'],
  ]
  const indent = (text: string) => text.replace(/^/gm, '  ')
  return `
${bold('Examples:')}
  $ latentkit generate
  $ latentkit chat ./my-model --system "You answer in one sentence."
  $ latentkit inspect ./my-model memory
  $ latentkit <command> --help

${bold('Environment:')} (flags come first)
${indent(pairs(VARIABLES, name => name))}

${bold('Exit codes:')}
${indent(pairs(codes, code => code))}`
}
