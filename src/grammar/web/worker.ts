/** What runs in the worker of the masks on the web. */
import type { FromMasks, ToMasks } from '../thread/protocol.ts'
import { MaskService } from '../thread/service.ts'

interface Scope {
  onmessage: ((event: { readonly data: ToMasks }) => void) | null
  postMessage(message: FromMasks, transfer: readonly unknown[]): void
}

const scope = globalThis as unknown as Scope
const service = new MaskService((message, transfer) => scope.postMessage(message, transfer ? [...transfer] : []))
scope.onmessage = ({ data }) => service.receive(data)
