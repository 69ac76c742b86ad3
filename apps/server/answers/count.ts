import type { CountedChat, Engine } from '../../../src/index.ts'
import type { ChatInput } from './ask.ts'
import { engineCallIds } from './call-ids.ts'

/** The prompt that a conversation would be, without reading it. Throws what the chat template throws, OptionError. */
export function countedChat(
  engine: Pick<Engine, 'countChat'>,
  { kind: _, parallel: __, messages, ...conversation }: ChatInput,
): Promise<CountedChat> {
  return engine.countChat(engineCallIds(messages), conversation)
}
