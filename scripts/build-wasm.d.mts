export interface ModuleOptions {
  readonly set: 'simd128' | 'relaxed-simd'
  readonly threads: boolean
  /** Of an address. */
  readonly bits: 32 | 64
}
export const MODULES: Readonly<Record<string, ModuleOptions>>
export const OUTPUT: string
export function wasmCompilerProblem(): Promise<string | null>
export function buildModule(output: string, options: ModuleOptions): Promise<void>
