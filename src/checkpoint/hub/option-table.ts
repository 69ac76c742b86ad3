import { anyText, callback, flag, nested, type OptionRows, signal, text } from '../../options/kinds.ts'

/** Options of everything that finds a model by its name. */
export const FIND_OPTIONS = {
  offline: { kind: flag, says: 'never use the network', flag: '--offline' },
  hub: {
    kind: nested({
      endpoint: { kind: text, says: 'where the hub is' },
      token: { kind: anyText, says: 'the key to it' },
      cacheDir: { kind: text, says: 'where its files are kept' },
    }),
    says: 'where the hub is and where its files are kept',
  },
  signal: { kind: signal, says: 'ends the work' },
  onProgress: { kind: callback, says: 'hears how far it is' },
} satisfies OptionRows
