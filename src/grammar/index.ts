/**
 * Constrained decoding, without an engine: grammars, and masks of the token ids that a text may go on with.
 *
 * **What the engine does.** It holds one `MaskThread` per model (`vocabularyOf(tokenizer, stopIds)`; made when the first
 * prompt needs it: the vocabulary's tables take a second for 128K tokens, and `started` resolves when they are made).
 * For a prompt with a grammar, `compile(source)` runs beside the reading of the prompt; then
 *
 *     const text = thread.open(grammar)
 *     text.request({})                          // before the first draw, beside the prompt's last step
 *     for (;;) {
 *       const masks = await text.next(2)        // there already, unless the step was shorter than the mask's work
 *       if (masks.stopped(0)) break             // nothing but the end can follow: no draw is needed
 *       const id = draw(logits, masks.rows[0])  // bit id of the mask: whether it is allowed
 *       text.request({ ids: [id] })             // as soon as it is drawn: the mask is computed beside the next step
 *     }
 *     text.close()
 *
 * - `request` posts one message and returns. `next(ms)` gives the masks at once if they are there, blocks for at most `ms`
 *   where memory is shared (0 where the thread may not block), and is a promise otherwise. One request is under way per
 *   text; its masks are valid until the next request.
 * - **Drafts**: `request({ ids, drafts })` gives `count` masks: row 0 for the next id, row i for the id after draft i - 1.
 *   `count - 1` drafts are allowed by the grammar; the engine checks no others. It then requests with the ids that it kept.
 * - **Taking back**: `request({ drop: n, ids })`. **Beams** and `bestOf`: `fork()`, then a request on the copy.
 * - **The end**: where `accepting(0)`, the mask allows the ids that end a text; where `stopped(0)`, only these.
 * - **Few tokens left**: `request({ ids, left })` brings a text that can end by itself to its end before they are used up.
 * - **Reasoning stays free**: open the text when the reasoning has ended, or use a grammar whose first part is free text
 *   (`forcedGrammar`).
 * - A failure (GrammarError from `next`) ends this text only. If the library traps, its instance is thrown away and other
 *   texts repeat their ids on a fresh one. A compilation that takes too long ends the thread; a fresh one is started, and
 *   texts go on.
 * - Where memory cannot be shared (a page that is not isolated), masks are sent as messages, and `next` is a promise.
 *
 * A `GrammarSource` is plain data, so it can be made anywhere and sent to the engine's thread: `prepareOutput` makes one of
 * what a caller asks for (`{ schema }`, `{ json: true }` …) and gives the value of the finished answer; `forcedGrammar` makes
 * one of the calls of tools that `src/formats` describes; `PartialJson` reads a JSON answer while it comes. A finished answer is
 * checked in another thread (`CheckThread`, the same script), so that masks do not wait for a schema that takes long.
 */
export { type AnswerCheck, type Demand, type OutputCheck, outputCheck } from './check.ts'
export { GrammarError, OutputError, SchemaError } from './errors.ts'
export { type ForcedGrammarOptions, forcedGrammar } from './forced-grammar.ts'
export { type Grammar, GrammarLibrary, type GrammarSource } from './matcher.ts'
export { type OutputFormat, type OutputOf, type PreparedOutput, prepareOutput } from './output.ts'
export { PartialJson } from './partial-json.ts'
export { type SchemaGrammar, schemaGrammar } from './schema/grammar.ts'
export type { JsonSchema } from './schema/json-schema.ts'
export { isStandardSchema, type StandardSchemaV1 } from './standard-schema.ts'
export type { TextMatcher } from './text-matcher.ts'
export { CheckThread, type CheckThreadOptions } from './thread/check-thread.ts'
export { MaskThread, type MaskThreadOptions } from './thread/mask-thread.ts'
export type { MaskedText, MaskRequest, Masks } from './thread/masked-text.ts'
export type { MasksEvents, MasksPort, StartMasks } from './thread/protocol.ts'
export { allows, maskWords, type TokenSource, type Vocabulary, vocabularyBetween, vocabularyOf } from './vocabulary.ts'
export { compileModule } from './wasm/instance.ts'
