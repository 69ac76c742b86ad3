import { homedir } from 'node:os'
import { basename, resolve } from 'node:path'
import { modelFiles } from '../../../checkpoint/find/folder.ts'
import { findLocal } from '../../../checkpoint/find/local-model.ts'
import { loadParts, type Parts } from '../../load/load-parts.ts'
import type { LoadContext, Platform } from '../../types/platform.ts'
import type { HostLoadOptions } from '../../types/protocol.ts'
import { NODE_KERNELS, TRAINING_KERNELS } from './kernels.ts'
import { NODE_MASKS } from './masks.ts'
import { NODE_SESSIONS } from './sessions.ts'

/** What Node offers a host. Each part is read when it is asked for: most programs need neither the hub nor a cache on disk. */
const NODE: Platform = {
  kernels: NODE_KERNELS,
  findModel: async (source, options, context) => {
    const path = await pathOf(source, options, context)
    return { name: path === source ? basename(resolve(source)) : source, files: await modelFiles(path) }
  },
  findAdapter: modelFiles,
  openBlocks: async folder => new (await import('../../../cache/disk/disk-place.ts')).DiskPlace(folder),
  sessions: NODE_SESSIONS,
  masks: NODE_MASKS,
}

/** What may be said beside the options of loading; nothing has to. */
type Loading = { readonly [Name in keyof LoadContext]?: LoadContext[Name] | undefined }

/** A model with all that belongs to it, in this thread. `training`: with operations that only training has. */
export function loadInNode(
  source: string,
  options: HostLoadOptions,
  { report = () => {}, notice = () => {}, signal = new AbortController().signal }: Loading,
  { training = false } = {},
): Promise<Parts> {
  const platform = training ? { ...NODE, kernels: TRAINING_KERNELS } : NODE
  return loadParts(platform, source, options, { report, notice, signal })
}

/** Only a name that is no path brings in what talks to the hub. */
async function pathOf(source: string, options: HostLoadOptions, { report, signal }: LoadContext): Promise<string> {
  const local = await findLocal(source)
  if (local !== undefined) return local
  const { resolveModel } = await import('../../../checkpoint/find/resolve-model.ts')
  const { hubSettings } = await import('../../../checkpoint/hub/options.ts')
  const { checkConfig } = await import('../../../model/open/open-model.ts')
  return resolveModel(source, {
    ...hubSettings({}, homedir()),
    ...options.hub,
    ...(options.offline !== undefined && { offline: options.offline }),
    signal,
    onProgress: report,
    beforeWeights: checkConfig,
  })
}
