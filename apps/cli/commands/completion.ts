import { Argument, type Command } from 'commander'
import { SHELLS, type Shell, scriptFor } from '../completion/shells.ts'
import { commandsOf } from '../completion/words.ts'
import { write } from '../output/stdout.ts'

/** `whole`: builds the program with all commands. */
export function addCompletion(program: Command, whole: () => Promise<Command>): void {
  program
    .command('completion')
    .summary('commands and flags for the completion of a shell')
    .description('Prints a script by which a shell completes commands, flags and the values that flags have by name.')
    .addArgument(new Argument('<shell>', 'whose completion').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  $ source <(latentkit completion bash)
  $ latentkit completion zsh > ~/.zfunc/_latentkit
  $ latentkit completion fish > ~/.config/fish/completions/latentkit.fish`,
    )
    .action(async (shell: Shell) => write(scriptFor(shell, commandsOf(await whole()))))
}
