/** Prompts of ids. Random work models have no words, and a session's file has ids: a history that is still to be read. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { seal, unseal } from '../../src/cache/stored/sealed-file.ts'
import { SESSION_MAGIC, type SessionHeader } from '../../src/engine/saved/session-header.ts'
import type { Engine } from '../../src/index.ts'

/** A file of a session that is to read these ids. */
export async function idsFile(engine: Engine, folder: string, ids: readonly number[]): Promise<string> {
  const file = path.join(folder, 'ids.session')
  const session = engine.session()
  await session.save(file)
  await session.dispose()
  return withIds(file, ids)
}

/** Gives a session's file another history; the rows stay those that are there. */
export async function withIds(file: string, ids: readonly number[]): Promise<string> {
  const sealed = await unseal(SESSION_MAGIC, readFileSync(file))
  const header = sealed.header as SessionHeader
  const tokens = new Uint8Array(Int32Array.from(ids).buffer)
  const changed = { ...header, tokens: ids.length, endsGenerated: false, drawing: null }
  writeFileSync(file, await seal(SESSION_MAGIC, changed, [tokens, sealed.body.subarray(4 * header.tokens)]))
  return file
}
