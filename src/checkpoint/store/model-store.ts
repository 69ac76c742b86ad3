/** Models that are kept on this machine: in the hub's cache, or in a folder of models. Without network. */

/** One model of a store. */
export interface StoredModel {
  /** What it is called here, and wherever a model is named: `org/name`, `org/name@revision`, `org/name:Q4_K_M`; in a folder its path. */
  readonly name: string
  /** A folder or a GGUF file: what `Engine.load` takes. */
  readonly path: string
  /** Null while only parts of files have come. */
  readonly format: 'safetensors' | 'gguf' | null
  /** `model_type` of config.json or `general.architecture` of a GGUF file; null if it cannot be read. */
  readonly family: string | null
  /** Bytes of its files; of an incomplete model, of what has come. */
  readonly bytes: number
  /** Number of files. */
  readonly files: number
  /** When the newest of its files was written. */
  readonly modifiedAt: Date
  /** False after a download that was broken off: pulling again continues it. */
  readonly complete: boolean
}

/** Lists, finds and removes models. Paths of files never come from a caller's text: names are looked up in the list. */
export interface ModelStore {
  /** The folder. */
  readonly folder: string
  /** All models, the newest first; empty if the folder does not exist. */
  list(): Promise<readonly StoredModel[]>
  /** The model of that name, as `list` shows it or as one may shorten it. Undefined if it is not here or not complete. */
  find(name: string): Promise<StoredModel | undefined>
  /** Removes a model of `list`. Returns the bytes freed. Throws HubError `download_running` while it is being downloaded. */
  remove(model: StoredModel): Promise<number>
}

/** Newest first; equal times by name. */
export function newestFirst(models: readonly StoredModel[]): StoredModel[] {
  return [...models].sort((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime() || (a.name < b.name ? -1 : 1))
}
