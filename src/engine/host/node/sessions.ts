import type { SealedFiles } from '../../types/platform.ts'

const streams = () => import('../../../cache/disk/sealed-stream.ts')

/** Sessions as files on disk. What that takes is read when it is asked for. */
export const NODE_SESSIONS: SealedFiles = {
  write: async (...args) => (await streams()).writeSealed(...args),
  open: async (...args) => (await streams()).openSealed(...args),
}
