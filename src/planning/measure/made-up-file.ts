import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFile } from '../../checkpoint/source/file-source.ts'
import type { ByteSource } from '../../tensor/bytes.ts'

const CHUNK = 4 << 20

/**
 * A file of made-up weights while `use` runs: kernels may map it, as they map a model's. 0x3c in every byte is an
 * ordinary number in every type (0.01 in f32 and bf16), and no page of zeros that the system would share.
 */
export async function withMadeUpFile<T>(bytes: number, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'latentkit-measure-'))
  try {
    const path = join(folder, 'weights')
    const file = await open(path, 'w')
    const chunk = new Uint8Array(CHUNK).fill(0x3c)
    for (let at = 0; at < bytes; at += CHUNK) await file.write(chunk, 0, Math.min(CHUNK, bytes - at))
    await file.close()
    return await use(await openFile(path))
  } finally {
    // Where a mapped file cannot be removed, the system's own cleaning of its folder for such files will.
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}
