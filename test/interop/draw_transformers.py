"""
Logits processors of transformers: each line of stdin is {"logits": [...], "history": [...], "steps": [[name, value], ...]}; each
line of stdout the probabilities by id. The steps run in the order given.
"""
import json
import sys

import torch
from transformers.generation import logits_process as of

MAKE = {
    "temperature": of.TemperatureLogitsWarper,
    "topK": of.TopKLogitsWarper,
    "typicalP": lambda value: of.TypicalLogitsWarper(mass=value),
    "topP": of.TopPLogitsWarper,
    "minP": of.MinPLogitsWarper,
    "repetitionPenalty": of.RepetitionPenaltyLogitsProcessor,
    "logitBias": lambda value: of.SequenceBiasLogitsProcessor([[[int(id)], bias] for id, bias in value.items()]),
}

for line in sys.stdin:
    case = json.loads(line)
    scores = torch.tensor([case["logits"]], dtype=torch.float64)
    ids = torch.tensor([case["history"]], dtype=torch.int64)
    for name, value in case["steps"]:
        scores = MAKE[name](value)(ids, scores)
    print(json.dumps(torch.softmax(scores[0], -1).tolist()), flush=True)
