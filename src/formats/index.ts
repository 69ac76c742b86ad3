/** How families write reasoning and calls of tools: data, and what is made of it. Pure: texts in, texts out. */
export { type ForcedText, forcedText } from './forced-text.ts'
export type { ToolDescription } from './messages.ts'
export { FORMAT_NAMES } from './table/format.ts'
export { chatFormat } from './table/formats.ts'
