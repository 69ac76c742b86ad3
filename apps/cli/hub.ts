import { homedir } from 'node:os'
import type { LoadOptions } from '../../src/index.ts'
import { withEnvironment } from './environment.ts'
import type { LoadFlags } from './options/load.ts'

/** Hub settings: from the hub's own variables, ours, then flags, each overriding those before. */
export async function hubOptions(flags: LoadFlags): Promise<Pick<LoadOptions, 'hub' | 'offline'>> {
  const { hubSettings } = await import('../../src/for-apps.ts')
  const { offline: hubOffline = false, ...hub } = hubSettings(process.env, homedir())
  return { hub, offline: withEnvironment(flags).offline ?? hubOffline }
}
