/** The part of the WebAssembly interface that is used here; TypeScript has it in the browser's library only. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer
  /** Of addresses of 64 bits, a bigint. */
  grow(pages: number | bigint): number | bigint
}

/** A compiled module; opaque, and may be posted to a worker. */
export type WasmModule = object

export interface WasmInstance {
  readonly exports: object
}

type WasmMemoryOptions =
  | { initial: number; maximum: number; shared: boolean }
  | { initial: bigint; maximum: bigint; shared: boolean; address: 'i64' }

interface WebAssemblyApi {
  readonly Memory: new (options: WasmMemoryOptions) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (module: WasmModule, imports: object) => WasmInstance
  validate(bytes: Uint8Array): boolean
  compile(bytes: Uint8Array): Promise<WasmModule>
  readonly compileStreaming?: (response: object) => Promise<WasmModule>
}

export const PAGE = 65536

export function webAssembly(): WebAssemblyApi {
  return (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
}

/** An address or a size: bigint where addresses have 64 bits. */
export type Pointer = number | bigint

/** What native/host/wasm.cpp exports. */
export interface CoreExports {
  readonly __heap_base: { readonly value: Pointer }
  poolBytes(): Pointer
  start(pool: Pointer, threads: number): void
  run(pool: Pointer, list: Pointer, length: number): number
  runTimed(pool: Pointer, list: Pointer, length: number, seconds: Pointer): number
  stop(pool: Pointer): void
}

/** Of `Response`, what compiling needs. */
interface ModuleResponse {
  readonly headers: { get(name: string): string | null }
  arrayBuffer(): Promise<ArrayBuffer>
}

/**
 * Compiles while bytes arrive, where the platform does that: browsers then keep the machine code with the cached response.
 * Servers that do not know the files' type send another, which that way refuses.
 */
export async function compileResponse(response: ModuleResponse): Promise<WasmModule> {
  const { compile, compileStreaming } = webAssembly()
  const streams = response.headers.get('content-type')?.startsWith('application/wasm')
  return compileStreaming && streams
    ? compileStreaming(response)
    : compile(new Uint8Array(await response.arrayBuffer()))
}
