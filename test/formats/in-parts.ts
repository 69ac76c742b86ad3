import { ReplyBuilder } from '../../src/formats/read/reply.ts'
import { ReplyParser, type ReplyParserOptions } from '../../src/formats/read/reply-parser.ts'

/** Reads a text in parts of a size, or cut at places. */
export function inParts(text: string, options: ReplyParserOptions, cuts: number | readonly number[]) {
  const parser = new ReplyParser(options)
  const builder = new ReplyBuilder()
  const places =
    typeof cuts === 'number'
      ? Array.from({ length: Math.ceil(text.length / cuts) }, (_, i) => i * cuts)
      : [0, ...cuts.toSorted((a, b) => a - b)]
  for (const [i, at] of places.entries()) builder.add(parser.feed(text.slice(at, places[i + 1] ?? text.length)))
  builder.add(parser.finish())
  return builder.reply
}
