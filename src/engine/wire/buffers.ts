/** The memory of all typed arrays in plain data, for a message that takes it with it. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>()
  const look = (value: unknown) => {
    if (ArrayBuffer.isView(value)) {
      // A part of a larger piece may be somebody else's: it is copied.
      if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer)
    } else if (typeof value === 'object' && value !== null) {
      for (const part of Array.isArray(value) ? value : Object.values(value)) look(part)
    }
  }
  look(value)
  return [...found]
}
