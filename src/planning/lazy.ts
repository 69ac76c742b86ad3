/** What touches disk or clock, read at the first call: a program that only plans carries none of it. */
type ReadPlanModel = typeof import('./read/open.ts').readPlanModel
type MeasureMachine = typeof import('./measure/measure-machine.ts').measureMachine

/**
 * The model that a path or name means: a config.json, a folder, a GGUF file, a name in the hub's cache, or a published
 * name. Headers only, and no network. Throws OptionError, CheckpointError, ConfigError or UnsupportedModelError.
 */
export const readPlanModel: ReadPlanModel = async (...args) => (await import('./read/open.ts')).readPlanModel(...args)

/** How fast this machine reads and multiplies, by a second or so of measuring. */
export const measureMachine: MeasureMachine = async (...args) =>
  (await import('./measure/measure-machine.ts')).measureMachine(...args)
