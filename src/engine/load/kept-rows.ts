/** Whose rows a model's cached rows are, and where they are kept on disk. */
import type { Adapter } from '../../adapter/adapter.ts'
import type { BlockPlace } from '../../cache/stored/block-place.ts'
import type { BlockStorage } from '../../cache/stored/stored-block.ts'
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import type { Model } from '../../model/model.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import { VERSION } from '../../version.ts'
import type { Identity } from '../past/identity.ts'
import type { Platform } from '../types/platform.ts'
import type { HostLoadOptions } from '../types/protocol.ts'
import type { GenerationDefaults } from './generation-defaults.ts'

/** Of blocks on disk, those of all models. */
const CACHE_DIR_BYTES = 2 * 2 ** 30

/** Reads the weights, so it is called when it is needed. */
export async function identityOf(
  checkpoint: Checkpoint,
  { kernels, layout }: Model,
  { weights }: HostLoadOptions,
  adapter: Adapter | null,
) {
  const { adapterDigest, identify } = await import('../past/identity.ts')
  const { numerics } = kernels.info
  const named = weights ? `${numerics}, weights as ${weights}` : numerics
  return identify(checkpoint, named, layout, adapter && (await adapterDigest(adapter)))
}

/** Of all that decides what a prompt becomes. */
export async function fingerprintOf(
  identity: Identity,
  tokenizer: Tokenizer,
  defaults: GenerationDefaults,
): Promise<string> {
  const { textFingerprint } = await import('../past/identity.ts')
  const { warnings: _, ...rules } = defaults
  return textFingerprint(identity, { version: VERSION, template: tokenizer.chatTemplate(), defaults: rules })
}

/** Calls `make` the first time only. */
export function onceOnly<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => (made ??= make())
}

/** Null where no folder is named, or the one that is cannot be used. */
export async function openStore(
  platform: Platform,
  label: string,
  identity: () => Promise<Identity>,
  { cacheDir, cacheDirBytes: maxBytes = CACHE_DIR_BYTES }: HostLoadOptions,
  onNotice: (text: string) => void = () => {},
): Promise<BlockStorage | null> {
  if (cacheDir === undefined) return null
  let place: BlockPlace
  try {
    place = await platform.openBlocks(cacheDir)
  } catch (error) {
    onNotice(`cache: no blocks are kept: ${(error as Error).message}`)
    return null
  }
  const { fingerprint } = await import('../past/identity.ts')
  const { BlockStore } = await import('../../cache/stored/block-store.ts')
  return new BlockStore({ place, fingerprint: await fingerprint(await identity()), label, maxBytes, onNotice })
}
