/** Texts that were read to be looked into. */
import { DisposedError, OptionError, OutOfMemoryError, UnsupportedModelError } from '../../errors.ts'
import { attends } from '../../nn/config.ts'
import { nearestTokens } from '../../reading/neighbours.ts'
import type { About, Answers, Question } from '../../reading/questions.ts'
import { TextReading } from '../../reading/reading.ts'
import type { Parts } from '../load/load-parts.ts'
import { sourcePrompt } from '../prompt/source-prompt.ts'
import type { Call } from '../types/protocol.ts'
import { readChanges } from '../types/reading-changes.ts'
import type { JobTurns } from './host-jobs.ts'

export interface HostReadingsContext {
  readonly parts: Pick<Parts, 'model' | 'tokenizer' | 'info' | 'defaults'>
}

export class HostReadings {
  readonly #context: HostReadingsContext
  readonly #readings = new Map<number, TextReading>()
  /** What encoder-decoders' texts look at; each goes with its text. */
  readonly #sources = new Map<number, TextReading>()
  /** Bytes of readings under way. */
  #reserved = 0

  constructor(context: HostReadingsContext) {
    this.#context = context
  }

  async answer({ reading: id, question }: Call & { method: 'inspect' }, work: JobTurns): Promise<Answers[About]> {
    const { lora } = this.#context.parts.info
    if (lora !== null && question.about !== 'neighbours') {
      throw new UnsupportedModelError(
        `A model with an adapter (${lora}) cannot be looked into; merge it with "latentkit convert --lora", and inspect that`,
      )
    }
    if (question.about === 'read') return this.#read(id, question, work)
    if (question.about === 'neighbours') return this.#neighbours(question, work)
    const reading = this.#sources.get(id) ?? this.#reading(id)
    switch (question.about) {
      case 'attention':
        return reading.attention(question, work)
      case 'hidden':
        return reading.hidden(question)
      case 'next':
        return reading.next(question, work)
      case 'vectors':
        return reading.vectors(question, work)
      case 'cell':
        return reading.cell(question, work)
      case 'spectrum':
        return reading.spectrum(question, work)
      case 'close':
        this.#readings.delete(id)
        for (const [own, source] of this.#sources)
          if (own === id || source === reading.source) this.#sources.delete(own)
        await reading.dispose()
        return null
    }
  }

  #reading(id: number): TextReading {
    const reading = this.#readings.get(id)
    if (!reading) throw new DisposedError('reading')
    return reading
  }

  async #neighbours({ id, top }: Question & { about: 'neighbours' }, work: JobTurns): Promise<Answers['neighbours']> {
    const { model, tokenizer } = this.#context.parts
    const found = await nearestTokens(model.kernels, model.decoder, id, top, work)
    return found.map(({ id, similarity }) => {
      return { id, text: new TextDecoder().decode(tokenizer.tokenBytes(id)), similarity }
    })
  }

  async #read(id: number, question: Question & { about: 'read' }, work: JobTurns): Promise<Answers['read']> {
    const { maxBytes, changes } = question
    const { model, tokenizer, info } = this.#context.parts
    const { tokens, skipped, source } = this.#textsOf(question)
    if (tokens.length === 0) throw new OptionError('text has no tokens; expected at least one')
    const wrong = tokens.findIndex(id => id >= info.vocabSize)
    const name = source ? 'target' : 'text'
    if (wrong >= 0) {
      const place = wrong < skipped ? 'the token that begins a target' : `${name}[${wrong - skipped}]`
      throw new OptionError(`${place} is ${tokens[wrong]}; expected a token id below ${info.vocabSize}`)
    }
    if (tokens.length > info.contextLength) {
      throw new OptionError(
        `${name} has ${tokens.length} tokens; this engine reads at most ${info.contextLength} (contextLength). Shorten it`,
      )
    }
    const held = [...this.#readings.values()].reduce((n, reading) => n + reading.info.bytes, this.#reserved)
    const attentions = model.config.layers.map(({ attention }) => attention)
    const heads = attentions.map(a => (attends(a) ? a.nHeads : 0))
    const keysOf = attentions.map(a => (a.kind === 'grouped' ? (a.keysOf ?? null) : null))
    const made = readChanges(changes, { heads, keysOf, tokens: tokens.length, source: from => this.#reading(from) })
    const ofSource = source ? TextReading.bytesOf(source.model, source.ids.length, []) : 0
    const encoded = source ? 4 * source.ids.length * info.hiddenSize : 0
    const needed = TextReading.bytesOf(model, tokens.length, made) + ofSource + encoded
    if (held + needed > maxBytes) {
      throw new OutOfMemoryError(
        `Looking into ${tokens.length} tokens keeps ${needed} bytes (${info.nLayers + 1} states of ${info.hiddenSize} numbers a token)` +
          `${source ? `, ${ofSource + encoded} of them for the source` : ''}` +
          `${held > 0 ? `, beside ${held} of other readings` : ''}; maxBytes allows ${maxBytes}. ` +
          `Dispose of readings that are no longer needed, shorten the text, or raise maxBytes`,
      )
    }
    this.#reserved += needed
    try {
      const read = source && (await TextReading.read(source.model, tokenizer, source.ids, work))
      const reading = await TextReading.read(model, tokenizer, tokens, work, made, read)
      this.#readings.set(id, reading)
      if (read) this.#sources.set(question.source, read)
      return reading.info
    } finally {
      this.#reserved -= needed
    }
  }

  /** The ids of the text that the decoder reads, and of the source, where the model has an encoder for one. */
  /** `skipped`: tokens of the model's own in front. */
  #textsOf({ text, target }: Question & { about: 'read' }) {
    const { parts } = this.#context
    const { model, tokenizer, info } = parts
    const { encoder } = model
    if (!encoder) {
      if (target === null) {
        return { tokens: typeof text === 'string' ? this.#tokensOf(text) : text, skipped: 0, source: null }
      }
      throw new OptionError(
        `target is given, but a model of type ${info.modelType} reads one text; only encoder-decoders have a target beside a source`,
      )
    }
    const { ids: first, source: ids = [] } = sourcePrompt(
      parts,
      [],
      typeof text === 'string' ? text : { tokenIds: text },
      {},
    )
    const behind = typeof target === 'string' ? tokenizer.encode(target, { addSpecialTokens: false }) : (target ?? [])
    return {
      tokens: [...first, ...behind],
      skipped: first.length,
      source: { model: { kernels: model.kernels, decoder: encoder }, ids },
    }
  }

  /** As a prompt is read, or, of an encoder, a text. */
  #tokensOf(text: string): readonly number[] {
    const { model, tokenizer } = this.#context.parts
    if (!model.config.encoder) return tokenizer.encodePrompt(text)
    return tokenizer.around(tokenizer.encode(text, { addSpecialTokens: false, parseSpecial: false })).ids
  }
}
