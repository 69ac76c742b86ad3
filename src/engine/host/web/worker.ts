/** What runs in the engine's worker on the web: the host, wired to the worker's own port. */
import { navigatorLocks } from '../../../opfs/opfs.ts'
import { onWork } from '../../../tokenizer/work.ts'
import { loadParts } from '../../load/load-parts.ts'
import type { FromHost, ToHost } from '../../types/protocol.ts'
import { Signs } from '../../types/signs.ts'
import { Host } from '../host.ts'
import type { WorkerStart, WorkerState } from './link-worker.ts'
import { nextTurn } from './next-turn.ts'
import { webPlatform, whyOneThread } from './platform.ts'
import type { WorkerScope } from './web-globals.ts'

const scope = globalThis as unknown as WorkerScope

// The first message is the start, all others are the host's.
scope.onmessage = ({ data }) => begin(data as WorkerStart)

function begin(start: WorkerStart): void {
  const signs = start.shared && new Signs(start.shared)
  // Who gets this lock afterwards knows that the worker is gone.
  void navigatorLocks()?.request(start.life, {}, () => {
    scope.postMessage({ type: 'alive' } satisfies WorkerState)
    return new Promise<never>(() => {})
  })
  if (signs) onWork(() => signs.showWork())
  const platform = webPlatform(start)
  const host = new Host({
    port: {
      postMessage: (message: FromHost, transfer?: ArrayBuffer[]) => scope.postMessage(message, transfer),
      close: () => {
        scope.postMessage({ type: 'ended' } satisfies WorkerState)
        scope.close()
      },
    },
    pause: nextTurn,
    ...(signs && { signs }),
    load: async (source, options, context) => {
      const parts = await loadParts(platform, source, options, context)
      const fallbackReason = parts.kernels.info.name === 'wasm' ? whyOneThread() : parts.info.fallbackReason
      return { ...parts, info: { ...parts.info, fallbackReason } }
    },
  })
  scope.onmessage = ({ data }) => {
    signs?.showMessage()
    host.receive(data as ToHost)
  }
}
