import { defineError, type LatentkitError } from '../errors.ts'

/** An MCP server that cannot be started or reached, or that does not speak the protocol. */
export const McpError = defineError('McpError', 'bad_server')
export type McpError = LatentkitError
