/** The text as another tokenizer cuts it: a file of the user, or the tokens of the model beside. */
import { useRef } from 'preact/hooks'
import type { Tokenizer } from '../../../../src/browser.ts'
import { useAddress } from '../../state/address.ts'
import { pickTokenizer, type TokenizerState, useTokenizer } from '../../state/tokenizer.ts'
import { useReading } from '../../state/use-reading.ts'
import { ModelBar } from '../model-bar.tsx'
import { Problem, WithReading } from '../read-status.tsx'
import { Pieces } from './pieces.tsx'
import type { Piece } from './token-list.tsx'

const TITLE = 'tokens of the other tokenizer'
const NOTE = 'The number of a token belongs to its vocabulary: other models have other numbers, and cut elsewhere.'

export function OtherTokenizer({ text }: { text: string }) {
  const { params } = useAddress()
  const given = useTokenizer()
  // A model that is open beside has one, too.
  if (params.open2 !== undefined && params.tokenizer === undefined) return <OfModel text={text} />
  return (
    <>
      <TokenizerBar given={given} />
      {given.status === 'failed' && <Problem text={given.message} />}
      {given.status === 'ready' && <Cut tokenizer={given.tokenizer} text={text} />}
    </>
  )
}

function OfModel({ text }: { text: string }) {
  const read = useReading(text, [], 'beside')
  return (
    <>
      <ModelBar slot="beside" />
      <WithReading read={read} slot="beside">
        {({ tokens }) => <Pieces title={TITLE} pieces={tokens} note={NOTE} />}
      </WithReading>
    </>
  )
}

function TokenizerBar({ given }: { given: TokenizerState }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <div class="model-bar" data-slot="tokenizer">
      <p role="status">
        {given.status === 'ready' ? (
          <>
            <strong>{given.name}</strong>{' '}
            <span class="hint">{given.tokenizer.vocabSize.toLocaleString('en')} tokens, read in this page</span>
          </>
        ) : given.status === 'missing' ? (
          <>
            <strong>{given.name}</strong>{' '}
            <span class="hint">is a file of yours: a page opens it only when you pick it again.</span>
          </>
        ) : (
          <span class="hint">
            Pick a tokenizer.json, of any model, or a GGUF file: only its vocabulary is read, no weights.
          </span>
        )}
      </p>
      <span class="model-buttons">
        <button type="button" class="quiet" onClick={() => input.current?.click()}>
          Open a tokenizer …
        </button>
      </span>
      <input
        ref={input}
        type="file"
        class="hidden"
        multiple
        tabIndex={-1}
        accept=".json,.gguf"
        aria-label="A tokenizer.json, with tokenizer_config.json beside it, or a GGUF file"
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])]
          // The same file may be picked again.
          currentTarget.value = ''
          if (files.length > 0) void pickTokenizer(files)
        }}
      />
    </div>
  )
}

function Cut({ tokenizer, text }: { tokenizer: Tokenizer; text: string }) {
  let pieces: Piece[]
  try {
    pieces = tokenizer.encodePrompt(text).map(id => pieceOf(tokenizer, id))
  } catch (cause) {
    return <Problem text={(cause as Error).message} />
  }
  return <Pieces title={TITLE} pieces={pieces} note={NOTE} />
}

function pieceOf(tokenizer: Tokenizer, id: number): Piece {
  const special = tokenizer.isSpecial(id)
  const bytes = tokenizer.tokenBytes(id)
  const text = special ? (tokenizer.idToToken(id) ?? '') : new TextDecoder().decode(bytes)
  return { id, text, bytes, special }
}
