/** What `latentkit` and `latentkit/browser` have in common: sessions, options, results and errors. */

export { CacheFullError } from './cache/pool.ts'
export type { CacheTypeName } from './cache/types.ts'
export { HubError, type HubErrorCode } from './checkpoint/hub/hub-error.ts'
export { Reading } from './engine/api/reading.ts'
export { type BestText, type Continuation, Session } from './engine/api/session.ts'
export type {
  Chat,
  ChatAnswerMessage,
  ChatCall,
  ChatEvent,
  ChatResult,
  ChatUsage,
  CountedChat,
} from './engine/types/chat.ts'
export {
  ContextLengthError,
  KernelsUnavailableError,
  SessionFileError,
  SessionMismatchError,
  WorkerError,
} from './engine/types/errors.ts'
export type { ChangeSource, InspectTextOptions, ReadingChange } from './engine/types/options/change.ts'
export type {
  ChatOptions,
  ChatTool,
  ConversationOptions,
  OpenAITool,
  ReasoningEffort,
} from './engine/types/options/chat.ts'
export type { BeamOptions, ResumeOptions } from './engine/types/options/continued.ts'
export type { InfillText, Message, Prompt, PromptTokens } from './engine/types/options/input.ts'
export type { KernelChoice, LoadOptions, ProgressEvent } from './engine/types/options/load.ts'
export type { JsonForm, JsonValue, OutputOptions, TextForm } from './engine/types/options/output.ts'
export type { PromptOptions, PromptProgress, SamplingOptions, SpeculationKind } from './engine/types/options/prompt.ts'
export type {
  AttentionOptions,
  CellOptions,
  HiddenOptions,
  LensOptions,
  NeighbourOptions,
  NextOptions,
  SpectrumOptions,
  VectorOptions,
  WhereOptions,
  WriteOptions,
} from './engine/types/options/reading.ts'
export type { RestoreOptions, RollingOptions, SaveOptions, SessionOptions } from './engine/types/options/session.ts'
export type { ChatTemplateOptions } from './engine/types/options/template.ts'
export type { DetokenizeOptions, TokenizeOptions } from './engine/types/options/tokens.ts'
export type { EmbedOptions, EmbedProgress, Pooling, RerankOptions } from './engine/types/options/vectors.ts'
export type * from './engine/types/results.ts'
export {
  CheckpointError,
  ConfigError,
  DisposedError,
  type ErrorClass,
  LatentkitError,
  ModelFileChangedError,
  OptionError,
  OutOfMemoryError,
  UnsupportedModelError,
} from './errors.ts'
export {
  type AssistantMessage,
  type ConversationMessage,
  FORMAT_NAMES,
  type FormatName,
  type MessageText,
  type SystemMessage,
  type TextPart,
  type ToolCall,
  type ToolChoice,
  type ToolMessage,
  type UserMessage,
} from './formats/index.ts'
export { GrammarError, OutputError, SchemaError } from './grammar/errors.ts'
export type { JsonSchema } from './grammar/schema/json-schema.ts'
export type { StandardSchemaV1 } from './grammar/standard-schema.ts'
export type { AttentionPath } from './nn/attention/path.ts'
export type { EncodableBlockType } from './quant/encode/index.ts'
export type { EncodableType } from './quant/numbers.ts'
export type * from './reading/types.ts'
export { SamplingError } from './sampling/errors.ts'
export type { Logprobs, TokenLogprob } from './sampling/logprobs.ts'
export type { DryOptions, DynamicTemperatureOptions, MirostatOptions, XtcOptions } from './sampling/options.ts'
export { TemplateError } from './templates/errors.ts'
export type { PlainCacheType } from './tensor/dtype.ts'
export type { ChatMessage, ChatTemplateOptions as TokenizerTemplateOptions } from './tokenizer/chat-template.ts'
export type { Detokenizer, DetokenizerOptions } from './tokenizer/detokenizer.ts'
export { TokenizerError } from './tokenizer/errors.ts'
export type { EncodeChatOptions, EncodedTexts, EncodeOptions, Tokenizer } from './tokenizer/tokenizer.ts'
export { VERSION } from './version.ts'
