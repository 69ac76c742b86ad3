/** Fixture models, of the project and of ../shared where it is: paths by name. */
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const roots = (kind: string) =>
  [`../fixtures/${kind}/`, `../../../shared/fixtures/${kind}/`].map(p => fileURLToPath(new URL(p, import.meta.url)))

/**
 * Checkpoints of the families that came after the others: ours, those of `families` in LATENTKIT_FIXTURES, or of the fixtures
 * beside the project.
 */
export function familyFolders(): Map<string, string> {
  const [own, shared] = roots('families') as [string, string]
  const { LATENTKIT_FIXTURES: given } = process.env
  const others = given === undefined ? shared : `${given}/families/`
  return found([own, others], name => name, 'expected.safetensors')
}

/** Folders with safetensors and expected numbers. */
export function checkpointFolders(): Map<string, string> {
  return found(roots('checkpoints'), name => name, 'expected.safetensors')
}

/** GGUF files with expected numbers beside them; of split sets the first. */
export function ggufFiles(): Map<string, string> {
  const first = /^(.*?)(-00001-of-\d+)?\.gguf$/
  return found(roots('gguf'), name => (/-000(?!01)/.test(name) ? undefined : first.exec(name)?.[1]), undefined)
}

function found(
  folders: readonly string[],
  nameOf: (entry: string) => string | undefined,
  inside: string | undefined,
): Map<string, string> {
  const paths = new Map<string, string>()
  for (const folder of folders.filter(existsSync)) {
    for (const entry of readdirSync(folder)) {
      const name = nameOf(entry)
      if (name === undefined || paths.has(name)) continue
      if (inside === undefined || existsSync(`${folder}${entry}/${inside}`)) paths.set(name, `${folder}${entry}`)
    }
  }
  return paths
}
