/** Tools of MCP servers for `session.chat`: `latentkit/mcp`. */
export {
  connectMcp,
  type McpConnection,
  type McpOptions,
  type McpServer,
} from './connect.ts'
export { McpError } from './errors.ts'
export { type McpClient, type McpToolsOptions, mcpTools } from './tools.ts'
