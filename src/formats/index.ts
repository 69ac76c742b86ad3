/** How families write reasoning and calls of tools: data, and what is made of it. Pure: texts in, texts out. */
export { readConversation } from './conversation.ts'
export { type ForcedText, forcedAnswer, forcedBegin, forcedText, writesKey } from './forced-text.ts'
export type {
  AssistantMessage,
  ConversationMessage,
  MessageText,
  SystemMessage,
  TextPart,
  ToolCall,
  ToolChoice,
  ToolDescription,
  ToolMessage,
  UserMessage,
} from './messages.ts'
export { textOf } from './messages.ts'
export { OwnAnswers } from './own-answers.ts'
export { type OwnSpan, ownSpans } from './own-spans.ts'
export { CHANNEL_MARKS } from './read/channel-parser.ts'
export type { ReplyEvent } from './read/events.ts'
export { type Reply, ReplyBuilder, readReply, replyReader } from './read/reply.ts'
export type { PromptEnd, ReplyReader } from './read/reply-reader.ts'
export { detectFormat } from './table/detect.ts'
export { type ChatFormat, FORMAT_NAMES, type FormatName } from './table/format.ts'
export { chatFormat } from './table/formats.ts'
export type { Capabilities } from './template/capabilities.ts'
export { normalise } from './template/normalise.ts'
export { probe } from './template/probe.ts'
export { promptEnd } from './template/prompt-end.ts'
export type { TemplateMessage, TemplateTool } from './template/render.ts'
export { looseParameters } from './tool-schema.ts'
