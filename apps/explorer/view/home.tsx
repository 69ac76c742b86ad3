/** The first page: what is here. */
import { hashOf, lasting, useAddress } from '../state/address.ts'
import { hashOfStep } from './tour/tour.tsx'
import { VIEWS } from './views.ts'

export function Home() {
  const { params } = useAddress()
  return (
    <>
      <header class="view-head">
        <h1>See attention, and what a latent keeps</h1>
        <p>
          Language models remember a text as keys and values of each token; Multi-head Latent Attention keeps a small
          latent instead. Look at both in a real model. It runs on this machine, and nothing is uploaded.
        </p>
      </header>
      <a class="primary begin-tour" href={hashOfStep(1, params)}>
        Take the guided tour
      </a>
      <ul class="tiles">
        {VIEWS.map(({ name, title, about }) => (
          <li key={name}>
            <a href={hashOf(name, lasting(params))}>
              <h2>{title}</h2>
              <p>{about}</p>
            </a>
          </li>
        ))}
      </ul>
    </>
  )
}
