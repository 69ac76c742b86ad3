/** A source of messages. */
export interface ChatInput {
  /** The next message; null at the end. */
  read(): Promise<string | null>
  /** Called on Ctrl-C while a message is being answered. */
  onInterrupt: () => void
  close(): void
}
