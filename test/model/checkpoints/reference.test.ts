import { testCheckpoints } from '../../support/checkpoint-fixtures.ts'

testCheckpoints('reference')
