/** A source of messages. */
export interface ChatInput {
  /** The next message; null at the end. */
  read(): Promise<string | null>
  /** What the user says to a question while a message is being answered; null: there is nobody to ask. */
  confirm(question: string): Promise<string | null>
  /** Called on Ctrl-C while a message is being answered. */
  onInterrupt: () => void
  close(): void
}
