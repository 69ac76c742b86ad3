import { ReplyBuilder, replyReader } from '../../src/formats/read/reply.ts'
import type { ReplyReaderOptions } from '../../src/formats/read/reply-reader.ts'

/** Reads a text in parts of a size, or cut at places. */
export function inParts(text: string, options: ReplyReaderOptions, cuts: number | readonly number[]) {
  const parser = replyReader(options)
  const builder = new ReplyBuilder()
  const places =
    typeof cuts === 'number'
      ? Array.from({ length: Math.ceil(text.length / cuts) }, (_, i) => i * cuts)
      : [0, ...cuts.toSorted((a, b) => a - b)]
  for (const [i, at] of places.entries()) builder.add(parser.feed(text.slice(at, places[i + 1] ?? text.length)))
  builder.add(parser.finish())
  return builder.reply
}
