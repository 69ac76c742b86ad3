export interface PeftSettings {
  /** The model that the adapter is for. */
  readonly base: string
  readonly rank: number
  readonly alpha: number
  /** alpha / sqrt(rank). */
  readonly rankStabilised: boolean
  /** The base stores matrices the other way (GPT-2). */
  readonly transposed: boolean
  readonly targets: readonly string[]
  /** Of modules that have others. Default: none. */
  readonly ranks?: Readonly<Record<string, number>>
  readonly alphas?: Readonly<Record<string, number>>
}

/** adapter_config.json: the keys that PEFT 0.19 writes of a LoraConfig and cannot do without, or that say what was done. */
export function peftConfig(settings: PeftSettings): object {
  const { base, rank, alpha, rankStabilised, transposed, targets, ranks = {}, alphas = {} } = settings
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    inference_mode: true,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    use_rslora: rankStabilised,
    use_dora: false,
    bias: 'none',
    fan_in_fan_out: transposed,
    init_lora_weights: true,
    modules_to_save: null,
    layers_to_transform: null,
    layers_pattern: null,
    rank_pattern: ranks,
    alpha_pattern: alphas,
    target_modules: targets,
  }
}
