/** A model on the hub. */
export interface ModelName {
  /** `org/name`. */
  readonly id: string
  /** A branch, tag or commit. */
  readonly revision: string
  /** Which of the repository's GGUF models is meant: a file's path in it, or a quantisation such as `Q4_K_M`. */
  readonly file?: string
}

const PART = /^[\w.-]{1,96}$/
/** As people paste it from a browser or from Ollama. */
const HOST = /^(?:https?:\/\/)?(?:www\.)?(?:hf\.co|huggingface\.co)\//i
/** The rest of a file's page: `/blob/main/model.gguf`. */
const FILE_PAGE = /^([^/]+\/[^/]+)\/(?:blob|resolve)\/([^/]+)\/(.+?)(?:\?download=true)?$/
/** What Ollama appends to a name without a tag. */
const ANY = 'latest'

/**
 * `org/name`, `org/name@revision`, `org/name:FILE`, `org/name@revision:FILE`, each also with the hub's host in front;
 * undefined if the text is not of this form.
 */
export function parseModelName(text: string): ModelName | undefined {
  const named = text.replace(HOST, '')
  const [, page, pageRevision, pageFile] = named === text ? [] : (FILE_PAGE.exec(named) ?? [])
  if (page !== undefined) return checked(page, pageRevision as string, pageFile)
  const [, id = '', revision = 'main', file] = /^([^@:]*)(?:@([^:]*))?(?::(.*))?$/s.exec(named) ?? []
  return checked(id, revision, file?.toLowerCase() === ANY ? undefined : file)
}

function checked(id: string, revision: string, file: string | undefined): ModelName | undefined {
  const parts = id.split('/')
  if (parts.length !== 2 || !parts.every(isRepoPart) || !isRevision(revision)) return undefined
  if (file === undefined) return { id, revision }
  return isRepoFile(file) ? { id, revision, file } : undefined
}

/** As `parseModelName` reads it: `org/name`, with what differs from the default. */
export function writeModelName({ id, revision, file }: ModelName): string {
  return `${id}${revision === 'main' ? '' : `@${revision}`}${file === undefined ? '' : `:${file}`}`
}

/** The hub's own rule; it also keeps names from being paths. */
function isRepoPart(part: string): boolean {
  return PART.test(part) && !/^[.-]|[.-]$|--|\.\./.test(part)
}

/** Branches may contain slashes (`refs/pr/1`) but not `..`: the name becomes a path in the cache. */
function isRevision(revision: string): boolean {
  const segments = revision.split('/')
  return revision.length <= 200 && segments.every(s => /^[\w.+-]+$/.test(s) && !/^\.|\.\.|\.lock$/.test(s))
}

/** A file's path in a repository, which becomes a path in the cache. */
export function isRepoFile(path: string): boolean {
  const segments = path.split('/')
  return (
    path.length <= 400 && segments.length <= 4 && segments.every(s => /^\w[\w. ()+-]*$/.test(s) && !/\.$|\.\./.test(s))
  )
}

/** A full commit id: needs no lookup and never changes. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision)
}
