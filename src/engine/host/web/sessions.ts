import { sealedFolder } from '../../../cache/opfs/sealed-opfs.ts'

/** Sessions as files of the browser. */
export const WEB_SESSIONS = sealedFolder('sessions')
