import { HubError } from '../hub/hub-error.ts'
import { ask, type FetchOptions, validatorOf } from './download-file.ts'
import type { FileVersion } from './file-sink.ts'

/** Whether the server says that it has another version. One that cannot be reached says nothing. */
export async function hasChanged({ url, validator }: FileVersion, options: FetchOptions): Promise<boolean> {
  try {
    const now = await ask(url, 'HEAD', options, validatorOf)
    return now !== '' && now !== validator
  } catch (error) {
    options.signal.throwIfAborted()
    return error instanceof HubError && error.code === 'model_not_found'
  }
}
