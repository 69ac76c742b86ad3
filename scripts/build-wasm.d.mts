export interface ModuleOptions {
  /** A name of `info.isa`. */
  readonly set: string
  readonly threads: boolean
  /** Of an address. */
  readonly bits: 32 | 64
  /** Whether it has the operations of training. Default false. */
  readonly training?: boolean
}
export const MODULES: Readonly<Record<string, ModuleOptions>>
export const OUTPUT: string
export function wasmCompilerProblem(): Promise<string | null>
export function buildModule(output: string, options: ModuleOptions): Promise<void>
