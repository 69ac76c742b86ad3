"""Trains byte-level BPE with Hugging Face's tokenizers (PyPI: tokenizers, transformers), and reads a folder of ours with transformers.

    python make_tokenizers.py TEXTS.json VOCABULARY MIN_FREQUENCY FOLDER PROBES.json

TEXTS.json is a list of documents. Prints one line of JSON: tokens by id and merges as trained here, and the ids that transformers gives for the
probes with the tokenizer in FOLDER.
"""

import json
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

texts, vocabulary, frequency, folder, probes = sys.argv[1:]
documents = json.load(open(texts, encoding="utf-8"))
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=int(vocabulary),
    min_frequency=int(frequency),
    special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(documents, trainer)
model = json.loads(tokenizer.to_str())["model"]
ours = AutoTokenizer.from_pretrained(folder)
asked = json.load(open(probes, encoding="utf-8"))
print(
    json.dumps(
        {
            "tokens": [token for token, _ in sorted(model["vocab"].items(), key=lambda pair: pair[1])],
            "merges": model["merges"],
            "ids": [ours(text)["input_ids"] for text in asked],
            "decoded": [ours.decode(ours(text)["input_ids"]) for text in asked],
            "eos": ours.eos_token_id,
        }
    )
)
