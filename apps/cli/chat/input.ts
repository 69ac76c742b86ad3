/** Where messages come from. */
export interface ChatInput {
  /** The next message; null at the end. */
  read(): Promise<string | null>
  /** Called for Ctrl-C while a message is answered. */
  onInterrupt: () => void
  close(): void
}
