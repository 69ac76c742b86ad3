/** The part of a WebSocket that the explorer's line needs, for a Node that has none. */
import { request } from 'node:http'
import type { Duplex } from 'node:stream'

class Line {
  onmessage: ((event: { readonly data: string }) => void) | null = null
  onclose: (() => void) | null = null
  #socket: Duplex | undefined

  constructor(address: URL) {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
    request(address, { headers })
      .on('error', () => this.onclose?.())
      .on('response', response => response.resume().on('end', () => this.onclose?.()))
      .on('upgrade', (_, socket, head: Buffer) => {
        this.#socket = socket
        let bytes = head
        const read = () => {
          // One frame of text: two bytes of length behind 126, or the length itself.
          const [, short = 0] = bytes
          const from = short === 126 ? 4 : 2
          const length = short === 126 && bytes.length >= 4 ? bytes.readUInt16BE(2) : short
          if (bytes.length >= from + length) this.onmessage?.({ data: bytes.subarray(from).toString() })
        }
        socket.on('data', (part: Buffer) => {
          bytes = Buffer.concat([bytes, part])
          read()
        })
        socket.on('error', () => undefined).on('close', () => this.onclose?.())
        if (head.length > 0) read()
      })
      .end()
  }

  close(): void {
    this.#socket?.destroy()
  }
}

export function giveWebSocket(): void {
  globalThis.WebSocket ??= Line as unknown as typeof WebSocket
}
