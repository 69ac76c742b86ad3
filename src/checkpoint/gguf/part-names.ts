/** What llama.cpp names the files of a set. */
const PART_NAME = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i

/** Names of all files that belong together with `name`, in order; of one file alone, itself. */
export function partNames(name: string): string[] {
  const [, prefix, , total] = PART_NAME.exec(name) ?? []
  const count = Number(total ?? 0)
  if (prefix === undefined || count < 1) return [name]
  return Array.from({ length: count }, (_, i) => `${prefix}-${String(i + 1).padStart(5, '0')}-of-${total}.gguf`)
}

/** Paths of models with each split one once, at its first file that is named: a shell's pattern finds all of them. */
export function onePathPerModel(paths: readonly string[]): string[] {
  const models = new Map<string, string>()
  for (const path of paths) {
    const first = partNames(path)[0] as string
    if (!models.has(first)) models.set(first, path)
  }
  return [...models.values()]
}
