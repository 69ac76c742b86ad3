/** The part of the WebAssembly interface that is used here; TypeScript has it in the browser's library only. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer
  grow(pages: number): number
}

/** A compiled module; opaque, and may be posted to a worker. */
export type WasmModule = object

export interface WasmInstance {
  readonly exports: object
}

interface WebAssemblyApi {
  readonly Memory: new (options: { initial: number; maximum: number; shared: boolean }) => WasmMemory
  readonly Instance: new (module: WasmModule, imports: object) => WasmInstance
  compile(bytes: Uint8Array): Promise<WasmModule>
}

export const PAGE = 65536

export function webAssembly(): WebAssemblyApi {
  return (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
}

/** What native/host/wasm.cpp exports. */
export interface CoreExports {
  readonly __heap_base: { readonly value: number }
  poolBytes(): number
  start(pool: number, threads: number): void
  run(pool: number, list: number, length: number): number
  stop(pool: number): void
}
