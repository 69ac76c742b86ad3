import { defineError, type LatentkitError } from '../../errors.ts'

/** A run of training that cannot begin, go on or be written: its texts, its folder, or a loss that is no number. */
export const TrainingError = defineError('TrainingError', 'bad_training')
export type TrainingError = LatentkitError
