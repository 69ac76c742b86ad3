/** What `train` yields. Losses are in nats per token. */
export type TrainingEvent =
  | TrainingTexts
  | TrainingBegin
  | TrainingStep
  | TrainingValidation
  | TrainingEvaluation
  | TrainingSample
  | TrainingSaved

/** Texts are tokenised, which takes longer than a second: before the run begins. */
export interface TrainingTexts {
  /** Names the kind of event. */
  readonly type: 'texts'
  /** Bytes of texts that were read. */
  readonly bytes: number
  /** Bytes of all of them. */
  readonly total: number
}

/** The first event of the run itself. */
export interface TrainingBegin {
  /** Names the kind of event. */
  readonly type: 'begin'
  /** Numbers that are learned. */
  readonly parameters: number
  /** Steps that an earlier call has taken; 0: the run is new. */
  readonly step: number
  /** Steps of the whole run. */
  readonly steps: number
  /** Documents to learn from. */
  readonly documents: number
  /** Tokens in them that are followed by another. */
  readonly tokens: number
  /** Of the documents, chats and pairs longer than `contextLength`: they are left out. */
  readonly tooLong: number
  /** The kernel set that computes. */
  readonly kernels: string
  /** Its instruction set. */
  readonly isa: string
  /** Compute threads. */
  readonly threads: number
  /** What factors of products are rounded to. */
  readonly compute: 'f32' | 'bf16'
  /** FLOP/s that products of matrices reached in a short measurement at the beginning; null: not measured (the reference). */
  readonly peak: number | null
}

/** A step was taken. */
export interface TrainingStep {
  /** Names the kind of event. */
  readonly type: 'step'
  /** Counted from 1. */
  readonly step: number
  /** The mean over the step's targets, before its update. */
  readonly loss: number
  /** L2 norm of all gradients, before clipping. */
  readonly gradientNorm: number
  /** The learning rate. */
  readonly rate: number
  /** Passes over the texts, the current one counted. */
  readonly epoch: number
  /** Of this step. */
  readonly tokens: number
  /** That this step took. */
  readonly seconds: number
  /**
   * Floating-point operations of the step's products, forward and backward (of weights that are not learned, without their gradients), divided by
   * those of `peak` in that time; null without it.
   */
  readonly share: number | null
  /** DPO: share of the pairs whose chosen answer gained more than the rejected one. */
  readonly accuracy?: number
  /** DPO: beta times how much more it gained, in nats, the mean over pairs. */
  readonly margin?: number
  /** Models with experts: the load of a layer's busiest expert over the mean, and of that the mean over layers; 1 is balance. */
  readonly imbalance?: number
  /** Of each layer with experts, how many of the step's tokens chose each. */
  readonly loads?: readonly (readonly number[])[]
  /** Models with modules of multi-token prediction: the mean of their losses, per target of the step. */
  readonly predictionLoss?: number
}

/** The loss of the texts that are not learned from. */
export interface TrainingValidation {
  /** Names the kind of event. */
  readonly type: 'validation'
  /** After this step. */
  readonly step: number
  /** The mean over all their targets; of DPO over pairs. */
  readonly loss: number
  /** DPO: as of a step. */
  readonly accuracy?: number
  /** DPO: as of a step. */
  readonly margin?: number
}

/** How many of HellaSwag's questions the model answers rightly by now, normalised by length. */
export interface TrainingEvaluation {
  /** Names the kind of event. */
  readonly type: 'evaluation'
  /** After this step. */
  readonly step: number
  /** Share of right answers, 0 to 1; 0.25 is chance. */
  readonly hellaswag: number
  /** Standard error of the share. */
  readonly error: number
  /** Questions answered. */
  readonly questions: number
}

/** What the model writes by now. */
export interface TrainingSample {
  /** Names the kind of event. */
  readonly type: 'sample'
  /** After this step. */
  readonly step: number
  /** What it was given. */
  readonly prompt: string
  /** How it went on. */
  readonly text: string
}

/** A checkpoint was written. */
export interface TrainingSaved {
  /** Names the kind of event. */
  readonly type: 'saved'
  /** After this step. */
  readonly step: number
  /** Its path. */
  readonly folder: string
}
