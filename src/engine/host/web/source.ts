import type { PickedFile } from '../../../checkpoint/web/picked-files.ts'
import { OptionError } from '../../../errors.ts'
import { show } from '../../../options/show.ts'

/** A file's handle: a `FileSystemFileHandle`. */
export interface FileHandle {
  /** What tells it from a folder. */
  readonly kind: 'file'
  /** Without folders. */
  readonly name: string
  /** Its content. */
  getFile(): Promise<Blob>
}

/** A folder's handle: a `FileSystemDirectoryHandle`. */
export interface FolderHandle {
  /** What tells it from a file. */
  readonly kind: 'directory'
  /** Without the folders that it is in. */
  readonly name: string
  /** What is in it. */
  values(): AsyncIterable<FileHandle | FolderHandle>
}

/** What `Engine.load` loads in a page. */
export type ModelSource = string | URL | Blob | FileHandle | FolderHandle | Iterable<Blob | PickedFile>

/** A model as it crosses to the worker. */
export interface GivenModel {
  /** What the user called it, or the name of what was picked. */
  readonly name: string
  /** Where relative addresses begin. */
  readonly base: string
  /** Null: the name says where it is. */
  readonly picked: readonly PickedFile[] | null
}

const EXPECTED =
  'expected a name on the hub (owner/name), an address (https://…, ./model.gguf), a File, several (FileList), or a folder handle'

/** Throws OptionError, what reading a folder throws. */
export async function readSource(source: ModelSource, base: string): Promise<GivenModel> {
  if (typeof source === 'string') return { name: source, base, picked: null }
  if (source instanceof URL) return { name: source.href, base, picked: null }
  const picked = await filesOf(source)
  const name = 'kind' in source ? source.name : (picked[0]?.path.split('/')[0] ?? '')
  return { name: name || 'model', base, picked }
}

async function filesOf(source: Exclude<ModelSource, string | URL>): Promise<readonly PickedFile[]> {
  if (source instanceof Blob) return [{ path: pathOf(source), file: source }]
  if (typeof source !== 'object' || source === null) throw new OptionError(`source is ${show(source)}; ${EXPECTED}`)
  if ('kind' in source) {
    if (source.kind === 'file') return [{ path: source.name, file: await source.getFile() }]
    return folderFiles(source, '', 0)
  }
  if (!(Symbol.iterator in source)) throw new OptionError(`source is ${show(source)}; ${EXPECTED}`)
  return Array.from(source, entry => {
    if (entry instanceof Blob) return { path: pathOf(entry), file: entry }
    if (typeof entry?.path === 'string' && entry.file instanceof Blob) return { path: entry.path, file: entry.file }
    throw new OptionError(`source holds ${show(entry)}; expected a File, or { path, file }`)
  })
}

/** Folders of modules are one deep; nothing of a model is deeper. */
async function folderFiles(folder: FolderHandle, before: string, depth: number): Promise<PickedFile[]> {
  const files: PickedFile[] = []
  for await (const entry of folder.values()) {
    const path = before + entry.name
    if (entry.kind === 'file') files.push({ path, file: await entry.getFile() })
    else if (depth === 0) files.push(...(await folderFiles(entry, `${path}/`, 1)))
  }
  return files
}

/** A File has a name, and a place where its folder was picked. */
function pathOf(file: Blob): string {
  const { name, webkitRelativePath } = file as Partial<File & { readonly webkitRelativePath: string }>
  return webkitRelativePath || name || 'model'
}
