/** The text as another tokenizer cuts it: a file of the user, or the tokens of the model beside. */
import type { ComponentChildren } from 'preact'
import type { Tokenizer } from '../../../../src/browser.ts'
import { ownInNode } from '../../numbers/open.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { pickTokenizer, type TokenizerState, useTokenizer } from '../../state/tokenizer.ts'
import { useReading } from '../../state/use-reading.ts'
import { FileBar, PickAgain } from '../file-bar.tsx'
import { ModelBar } from '../model-bar.tsx'
import { Problem, WithReading } from '../read-status.tsx'
import { Pieces } from './pieces.tsx'
import type { Piece } from './token-list.tsx'

const TITLE = 'tokens of the other tokenizer'
const NOTE = 'The number of a token belongs to its vocabulary: other models have other numbers, and cut elsewhere.'

export function OtherTokenizer({ text }: { text: string }) {
  const { params } = useAddress()
  const given = useTokenizer()
  // A model that is open beside has one, too: it is shown until a file is picked.
  const beside = params.open2 !== undefined || ownInNode('beside') !== undefined
  const ofModel = beside && params.tokenizer === undefined
  return (
    <>
      {ofModel ? (
        <TokenizerBar>
          <span class="hint">The tokenizer of the model beside. You can pick another; no weights are read of it.</span>
        </TokenizerBar>
      ) : (
        <TokenizerBar
          buttons={
            beside && (
              <button type="button" class="quiet" onClick={() => changeParams({ tokenizer: undefined })}>
                That of the model beside
              </button>
            )
          }
        >
          <Given given={given} />
        </TokenizerBar>
      )}
      {ofModel && <OfModel text={text} />}
      {!ofModel && given.status === 'failed' && <Problem text={given.message} />}
      {!ofModel && given.status === 'ready' && <Cut tokenizer={given.tokenizer} text={text} />}
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

function TokenizerBar({ children, buttons }: { children: ComponentChildren; buttons?: ComponentChildren }) {
  return (
    <FileBar
      slot="tokenizer"
      label="Open a tokenizer …"
      accept=".json,.gguf"
      expected="A tokenizer.json, with tokenizer_config.json beside it, or a GGUF file"
      pick={files => void pickTokenizer(files)}
      buttons={buttons}
    >
      {children}
    </FileBar>
  )
}

function Given({ given }: { given: TokenizerState }) {
  if (given.status === 'missing') return <PickAgain name={given.name} />
  if (given.status !== 'ready')
    return (
      <span class="hint">
        Pick a tokenizer.json, of any model, or a GGUF file: only its vocabulary is read, no weights.
      </span>
    )
  return (
    <>
      <strong>{given.name}</strong>{' '}
      <span class="hint">{given.tokenizer.vocabSize.toLocaleString('en')} tokens, read in this page</span>
    </>
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
