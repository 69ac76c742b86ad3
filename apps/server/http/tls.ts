/** The certificate that a server shows, from files. */
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { OptionError } from '../../../src/index.ts'
import type { Settings } from '../options.ts'

export interface Tls {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Undefined where no files are given. Throws OptionError for one without the other, and for what is no pair. */
export async function readTls({ sslCertFile, sslKeyFile }: Pick<Settings, 'sslCertFile' | 'sslKeyFile'>) {
  if (sslCertFile === undefined && sslKeyFile === undefined) return undefined
  if (sslCertFile === undefined || sslKeyFile === undefined) {
    const [given, missing] = sslCertFile ? ['sslCertFile', 'sslKeyFile'] : ['sslKeyFile', 'sslCertFile']
    throw new OptionError(`${given} was given without ${missing}; a certificate needs its key`)
  }
  const tls: Tls = { cert: await read('sslCertFile', sslCertFile), key: await read('sslKeyFile', sslKeyFile) }
  try {
    createSecureContext(tls)
  } catch (error) {
    const reason = (error as Error).message
    throw new OptionError(`${sslCertFile} and ${sslKeyFile} are no certificate with its key in PEM: ${reason}`)
  }
  return tls
}

async function read(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new OptionError(`${option} is ${file}, which cannot be read: ${(error as Error).message}`)
  }
}
