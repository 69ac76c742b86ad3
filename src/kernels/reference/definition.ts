import type { Operations } from '../operations/table.ts'
import type { Memory } from './memory.ts'

/** What an operation computes, of arguments that the table has checked. */
export type Definition<Name extends keyof Operations> = (memory: Memory, ...args: Parameters<Operations[Name]>) => void
