/**
 * The `data` of each event of an event stream, as the HTML standard parses one (9.2.6). Comments, which the server sends
 * as pings, are skipped; an event that the end of the stream cuts is dropped.
 */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  let data: string[] = []
  try {
    for (;;) {
      const { value, done } = await reader.read()
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
      // A line feed may follow a carriage return that ends the chunk.
      const whole = rest.endsWith('\r') && !done ? rest.slice(0, -1) : rest
      const lines = whole.split(/\r\n|\n|\r/)
      rest = (lines.pop() ?? '') + rest.slice(whole.length)
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) yield data.join('\n')
          data = []
        } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
      }
      if (done) return
    }
  } finally {
    // Closes the connection when the caller stops early, so that the server stops computing.
    await reader.cancel().catch(() => {})
  }
}
