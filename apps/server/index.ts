/** A server of models over HTTP: `latentkit/server`. */
export type { ServerOptions } from './options.ts'
export { createServer, type Server, type ServerAddress, type ServerApp } from './server.ts'
