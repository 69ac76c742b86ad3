import { anyText, callback, flag, nested, type OptionRows, signal, text } from '../options/kinds.ts'

/** Options of everything that finds a model by its name. */
export const FIND_OPTIONS = {
  offline: { kind: flag, description: 'never use the network', flag: '--offline' },
  hub: {
    kind: nested({
      endpoint: { kind: text, description: 'where the hub is' },
      token: { kind: anyText, description: 'the key to it' },
      cacheDir: { kind: text, description: 'where its files are kept' },
    }),
    description: 'where the hub is and where its files are kept',
  },
  signal: { kind: signal, description: 'ends the work' },
  onProgress: { kind: callback, description: 'receives progress events' },
} satisfies OptionRows
