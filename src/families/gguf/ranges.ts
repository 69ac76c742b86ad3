/** No published model comes near these; beyond them a number is an accident or an attack. */
export const SIZE = { min: 1, max: 1 << 24 } as const
export const LAYERS = { min: 1, max: 4096 } as const
export const HEADS = { min: 1, max: 65_536 } as const
export const CONTEXT = { min: 1, max: 1 << 28 } as const
export const EPS = { above: 0, max: 0.1 } as const
export const POSITIVE = { above: 0 } as const
