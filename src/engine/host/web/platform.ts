import { pickedFiles } from '../../../checkpoint/web/picked-files.ts'
import { unescaped } from '../../../checkpoint/web/remote-model.ts'
import { OutOfMemoryError, UnsupportedModelError } from '../../../errors.ts'
import { NARROW_BYTES, whyNarrow } from '../../../kernels/core/wasm/sets.ts'
import { PAGE, webAssembly } from '../../../kernels/core/wasm/webassembly.ts'
import { checkConfigFile } from '../../../model/open/opened-model.ts'
import { show } from '../../../options/show.ts'
import { weightBytes } from '../../load/survey.ts'
import type { FoundModel, LoadContext, Platform } from '../../types/platform.ts'
import type { HostLoadOptions } from '../../types/protocol.ts'
import { webKernels } from './kernels.ts'
import type { WorkerStart } from './link-worker.ts'
import { webMasks } from './masks.ts'
import { WEB_SESSIONS } from './sessions.ts'
import { web } from './web-globals.ts'

/** What a worker of a page offers a host. */
export function webPlatform(start: WorkerStart): Platform {
  return {
    kernels: webKernels(start.assets),
    findModel: (source, options, context) => findModel(source, options, context, start),
    findAdapter,
    checkMemory,
    openBlocks: async folder => (await import('../../../cache/opfs/opfs-place.ts')).OpfsPlace.open(folder),
    sessions: WEB_SESSIONS,
    masks: webMasks(start.assets),
  }
}

/** Why WebAssembly computes with one thread; null where it need not. */
export function whyOneThread(): string | null {
  if (web.crossOriginIsolated) return null
  return 'one thread: the page is not cross-origin isolated (docs/browser.md)'
}

async function findAdapter(folder: string): Promise<never> {
  throw new UnsupportedModelError(
    `lora is ${show(folder)}; pages apply no adapters: merge it into the model with "latentkit convert --lora"`,
  )
}

async function findModel(
  source: string,
  options: HostLoadOptions,
  { report, notice = () => {}, signal }: LoadContext,
  { model, keep }: WorkerStart,
): Promise<FoundModel> {
  if (model.picked && source === model.name) return { name: source, files: await pickedFiles(source, model.picked) }
  const { findWebModel } = await import('../../../checkpoint/web/find-web-model.ts')
  const { hub, offline } = options
  const where = { endpoint: hub?.endpoint, token: hub?.token, base: model.base, offline }
  const files = await findWebModel(source, {
    ...where,
    ...{ keep, report, notice, signal },
    beforeWeights: checkConfigFile,
    byHeaders: async files => checkMemory(await weightBytes(files, options)),
    converts: options.weights !== undefined,
    addressable: whyNarrow() === null ? 2 ** 34 : 2 ** 32,
  })
  return { name: nameOf(source), files }
}

/** The end of an address; a name on the hub as it is. */
function nameOf(source: string): string {
  if (!/^(https?:|blob:|\.{0,2}\/)/i.test(source)) return source
  const end = source
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '')
    .replace(/^.*\//, '')
  return unescaped(end) || source
}

/** Where browsers end addresses of 64 bits. */
const MAX_WIDE_BYTES = 2 ** 34 - 2 ** 29

/** Asks for as much memory as the weights take, and gives it back: a page that gets it not should learn it before it waits. */
async function checkMemory(bytes: number): Promise<void> {
  const met = `The weights take ${gigabytes(bytes)} GiB`
  const narrow = bytes > NARROW_BYTES ? whyNarrow() : null
  if (narrow !== null || bytes > MAX_WIDE_BYTES) {
    const end = narrow === null ? '16 GiB' : `4 GiB here: this browser ${narrow}`
    throw new OutOfMemoryError(
      `${met}; WebAssembly's memory ends at ${end}. Take a smaller model or a smaller quantisation (docs/browser.md).`,
    )
  }
  const { Memory } = webAssembly()
  const pages = Math.ceil(bytes / PAGE)
  try {
    if (bytes <= NARROW_BYTES) new Memory({ initial: pages, maximum: pages, shared: false })
    else new Memory({ initial: BigInt(pages), maximum: BigInt(pages), shared: true, address: 'i64' })
  } catch (error) {
    const remedy = 'Close other tabs, or take a smaller model or quantisation'
    throw new OutOfMemoryError(`${met}, which this browser does not give. ${remedy}.`, { cause: error })
  }
}

const gigabytes = (bytes: number) => (bytes / 2 ** 30).toFixed(1)
