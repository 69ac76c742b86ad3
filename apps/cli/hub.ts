import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import type { LoadOptions } from '../../src/index.ts'
import { withEnvironment } from './environment.ts'
import type { LoadFlags } from './options/load.ts'

/** Hub settings: from the hub's own variables and login, ours, then flags, each overriding those before. */
export async function hubOptions(flags: LoadFlags): Promise<Pick<LoadOptions, 'hub' | 'offline'>> {
  const { hubSettings, tokenFile } = await import('../../src/for-apps.ts')
  const { offline: hubOffline = false, ...hub } = hubSettings(process.env, homedir())
  const token = hub.token ?? loginToken(tokenFile(process.env, homedir()))
  return { hub: { ...hub, ...(token && { token }) }, offline: withEnvironment(flags).offline ?? hubOffline }
}

/** The folder of models that are pulled. */
export async function modelsFolder(): Promise<string> {
  const { hubSettings } = await import('../../src/for-apps.ts')
  return hubSettings(process.env, homedir()).cacheDir
}

/** What `hf auth login` keeps; undefined if there is nothing that can be read. */
function loginToken(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
