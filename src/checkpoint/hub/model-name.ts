/** A model on the hub. */
export interface ModelName {
  /** `org/name`. */
  readonly id: string
  /** A branch, tag or commit. */
  readonly revision: string
}

const PART = /^[\w.-]{1,96}$/

/** `org/name` or `org/name@revision`; undefined if the text is not of this form. */
export function parseModelName(text: string): ModelName | undefined {
  const at = text.indexOf('@')
  const id = at < 0 ? text : text.slice(0, at)
  const revision = at < 0 ? 'main' : text.slice(at + 1)
  const parts = id.split('/')
  return parts.length === 2 && parts.every(isRepoPart) && isRevision(revision) ? { id, revision } : undefined
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

/** A full commit id: needs no lookup and never changes. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision)
}
