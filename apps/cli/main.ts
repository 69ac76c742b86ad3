#!/usr/bin/env node
import { CommanderError } from 'commander'
import { debugWanted } from './environment.ts'
import { describeError, exitCodeOf, isInterruption, UsageError } from './exit.ts'
import { endQuietlyOnClosedPipe, note } from './output/stdout.ts'
import { ownPackage } from './package.ts'
import { createProgram } from './program.ts'

endQuietlyOnClosedPipe()
const [, , ...args] = process.argv
const program = await createProgram(ownPackage().version, args)
try {
  if (args.length === 0) program.outputHelp()
  else await program.parseAsync()
} catch (error) {
  fail(error)
}

/** The one place where errors are printed. */
function fail(error: unknown): void {
  if (error instanceof CommanderError && error.exitCode === 0) return
  const told = error instanceof CommanderError ? usageError(error) : error
  const debug = args.includes('--debug') || debugWanted()
  // After the ^C that a terminal shows, its prompt should find a line of its own.
  if (!isInterruption(told)) note(describeError(told, debug))
  else if (process.stderr.isTTY) note('')
  process.exitCode = exitCodeOf(told)
}

/** commander's sentence without its own punctuation, and where to read on. */
function usageError({ code, message }: CommanderError): UsageError {
  const command = program.commands.find(c => args.includes(c.name()))
  const help = ['latentkit', ...(command ? [command.name()] : []), '--help'].join(' ')
  const met = code === 'commander.help' ? 'expected a command' : message.replace(/^error: /, '').replace(/\.$/, '')
  return new UsageError(`${met.replace(/\s*\(Did you mean (.*)\?\)$/, '; did you mean $1?')} (see ${help})`)
}
