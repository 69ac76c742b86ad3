export interface Core {
  readonly os: string
  readonly cpu: string
  readonly libc?: string
  readonly cross?: string
}
export const CORES: Readonly<Record<string, Core>>
export function isNative(core: Core): boolean
export function coreProblem(core: Core): string | null
export function packCore(name: string, out: string, addon?: string): Promise<string>
export function packMain(out: string): string
export function glibcOf(addon: string): readonly [number, number]
