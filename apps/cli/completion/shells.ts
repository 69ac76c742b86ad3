/** Completion scripts. A shell reads them once, at its start; they contain all words and run no program while one types. */
import type { CompletedCommand, CompletedFlag } from './words.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export function scriptFor(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash, zsh, fish }[shell](commands)
}

function bash(commands: readonly CompletedCommand[]): string {
  const valued = new Map<string, readonly string[]>()
  const free = new Set<string>()
  for (const flag of commands.flatMap(c => c.flags)) {
    if (flag.values.length > 0) valued.set(flag.name, flag.values)
    else if (flag.takesValue) free.add(flag.name)
  }
  const names = commands.map(c => c.name).join(' ')
  const each = commands.map(c => {
    const words = [...c.subcommands.map(s => s.name), ...c.flags.map(f => f.name)].join(' ')
    return `    ${c.name}) words=${quoted(words)}; subcommands=${quoted(c.subcommands.map(s => s.name).join(' '))} ;;`
  })
  return `# bash completion of latentkit: source it, or keep it in ~/.local/share/bash-completion/completions/latentkit
_latentkit() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= words= subcommands= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case " ${names} help " in *" \${COMP_WORDS[i]} "*) command=\${COMP_WORDS[i]}; break ;; esac
  done
  case $prev in
${[...valued].map(([name, values]) => `    ${name}) COMPREPLY=($(compgen -W ${quoted(values.join(' '))} -- "$cur")); return ;;`).join('\n')}
    ${[...free].join('|')}) return ;;
  esac
  case $command in
    '' | help) words=${quoted(`${names} help --help --version`)}; subcommands=$words ;;
${each.join('\n')}
  esac
  # Other words are texts and files, which the shell completes itself.
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); else COMPREPLY=($(compgen -W "$subcommands" -- "$cur")); fi
}
complete -o default -F _latentkit latentkit
`
}

function zsh(commands: readonly CompletedCommand[]): string {
  const described = (list: readonly { readonly name: string; readonly description: string }[]) =>
    list.map(({ name, description }) => quoted(`${name}:${description.replaceAll(':', '\\:')}`)).join(' ')
  const each = commands.map(c => {
    const subcommands =
      c.subcommands.length > 0 ? `      local -a sub=(${described(c.subcommands)}); _describe command sub\n` : ''
    return `    ${c.name})\n${subcommands}      _arguments -S ${c.flags.map(zshFlag).join(' ')} '*:file:_files' ;;`
  })
  return `#compdef latentkit
# zsh completion of latentkit: keep it as _latentkit in a folder of $fpath, or source it behind compinit
_latentkit() {
  if ((CURRENT == 2)); then
    local -a commands=(${described(commands)})
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${each.join('\n')}
  esac
}
compdef _latentkit latentkit
`
}

function zshFlag({ name, description, takesValue, values }: CompletedFlag): string {
  const text = description.replace(/[[\]:\\]/g, '\\$&')
  const value = values.length > 0 ? `:value:(${values.join(' ')})` : takesValue ? ':value:_files' : ''
  return quoted(`${name}[${text}]${value}`)
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = ['# fish completion of latentkit: keep it as ~/.config/fish/completions/latentkit.fish']
  for (const c of commands) {
    lines.push(`complete -c latentkit -n __fish_use_subcommand -f -a ${c.name} -d ${quoted(c.description)}`)
    const seen = `-n ${quoted(`__fish_seen_subcommand_from ${c.name}`)}`
    for (const sub of c.subcommands)
      lines.push(`complete -c latentkit ${seen} -f -a ${sub.name} -d ${quoted(sub.description)}`)
    for (const { name, description, takesValue, values } of c.flags) {
      const value = values.length > 0 ? ` -x -a ${quoted(values.join(' '))}` : takesValue ? ' -r' : ''
      lines.push(`complete -c latentkit ${seen} -l ${name.replace(/^--/, '')}${value} -d ${quoted(description)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** Quotes a text for all three shells: a single quote inside is written as '\''. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
