/** Tools of MCP servers for `session.chat`: `latentkit/mcp`. */
export {
  connectMcp,
  type McpConnection,
  McpError,
  type McpOptions,
  type McpServer,
} from './connect.ts'
export { type McpClient, type McpToolsOptions, mcpTools } from './tools.ts'
