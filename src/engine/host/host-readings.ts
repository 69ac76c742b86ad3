/** Texts that were read to be looked into. */
import { DisposedError, OptionError, OutOfMemoryError, UnsupportedModelError } from '../../errors.ts'
import { refuseSource } from '../../model/refuse-encoder.ts'
import { attends } from '../../nn/config.ts'
import { nearestTokens } from '../../reading/neighbours.ts'
import type { About, Answers, Question } from '../../reading/questions.ts'
import { TextReading } from '../../reading/reading.ts'
import type { Parts } from '../load/load-parts.ts'
import type { Call } from '../types/protocol.ts'
import { readChanges } from '../types/reading-changes.ts'
import type { JobTurns } from './host-jobs.ts'

export interface HostReadingsContext {
  readonly parts: Pick<Parts, 'model' | 'tokenizer' | 'info'>
}

export class HostReadings {
  readonly #context: HostReadingsContext
  readonly #readings = new Map<number, TextReading>()
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
    const reading = this.#reading(id)
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

  async #read(
    id: number,
    { text, maxBytes, changes }: Question & { about: 'read' },
    work: JobTurns,
  ): Promise<Answers['read']> {
    const { model, tokenizer, info } = this.#context.parts
    refuseSource(model.config, 'it cannot be looked into')
    const tokens = typeof text === 'string' ? this.#tokensOf(text) : text
    if (tokens.length === 0) throw new OptionError('text has no tokens; expected at least one')
    const wrong = tokens.findIndex(id => id >= info.vocabSize)
    if (wrong >= 0)
      throw new OptionError(`text[${wrong}] is ${tokens[wrong]}; expected a token id below ${info.vocabSize}`)
    if (tokens.length > info.contextLength) {
      throw new OptionError(
        `text has ${tokens.length} tokens; this engine reads at most ${info.contextLength} (contextLength). Shorten it`,
      )
    }
    const held = [...this.#readings.values()].reduce((n, reading) => n + reading.info.bytes, this.#reserved)
    const heads = model.config.layers.map(layer => (attends(layer.attention) ? layer.attention.nHeads : 0))
    const made = readChanges(changes, { heads, tokens: tokens.length, source: from => this.#reading(from) })
    const needed = TextReading.bytesOf(model, tokens.length, made)
    if (held + needed > maxBytes) {
      throw new OutOfMemoryError(
        `Looking into ${tokens.length} tokens keeps ${needed} bytes (${info.nLayers + 1} states of ${info.hiddenSize} numbers a token)` +
          `${held > 0 ? `, beside ${held} of other readings` : ''}; maxBytes allows ${maxBytes}. ` +
          `Dispose of readings that are no longer needed, shorten the text, or raise maxBytes`,
      )
    }
    this.#reserved += needed
    try {
      const reading = await TextReading.read(model, tokenizer, tokens, work, made)
      this.#readings.set(id, reading)
      return reading.info
    } finally {
      this.#reserved -= needed
    }
  }

  /** As a prompt is read, or, of an encoder, a text. */
  #tokensOf(text: string): readonly number[] {
    const { model, tokenizer } = this.#context.parts
    if (!model.config.encoder) return tokenizer.encodePrompt(text)
    return tokenizer.around(tokenizer.encode(text, { addSpecialTokens: false, parseSpecial: false })).ids
  }
}
