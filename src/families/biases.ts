/** Projections that have biases together, for writing a model in another form. */

/** Projections that a reader of the files gives a bias together. */
export interface BiasGroup {
  /** Module names, as the hub's code has them. */
  readonly modules: RegExp
  /** Each may have one or not. Default false: all or none. */
  readonly single?: boolean
  /** All have one, always. Default false. */
  readonly always?: boolean
  /** The field of config.json that says so. */
  readonly key?: string
}

/** Names of modules in the hub's code. */
export const ATTENTION = /\.self_attn\.[qkvo]_proj$/
export const QKV = /\.self_attn\.[qkv]_proj$/
export const LATENT = /\.self_attn\.(q_a_proj|kv_a_proj_with_mqa|o_proj)$/
export const MLP = /\.mlp\.(gate|up|down)_proj$/
/** In GPT and Falcon. */
export const ALL = /\.(self_attention|attn|mlp)\.\w+$/
