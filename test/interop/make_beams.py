"""Makes test/fixtures/beams/tales.json: what transformers' beam search finds with the bundled model.

    python test/interop/make_beams.py        # needs torch and transformers
"""

import json
import os

import torch
import transformers

MODEL = "models/tales-mla-8m"
OUT = "test/fixtures/beams/tales.json"
PROMPTS = ["Once upon a time", "The old fox said to the"]
CASES = [
    {"num_beams": 1, "max_new_tokens": 12, "length_penalty": 1.0, "early_stopping": False},
    {"num_beams": 2, "max_new_tokens": 30, "length_penalty": 1.0, "early_stopping": False},
    {"num_beams": 4, "max_new_tokens": 20, "length_penalty": 0.0, "early_stopping": False},
    {"num_beams": 4, "max_new_tokens": 200, "length_penalty": 1.0, "early_stopping": False},
    {"num_beams": 3, "max_new_tokens": 200, "length_penalty": 2.0, "early_stopping": True},
    {"num_beams": 5, "max_new_tokens": 150, "length_penalty": 0.5, "early_stopping": False},
]


def main() -> None:
    torch.manual_seed(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL)
    model = transformers.AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    found = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        # Some tokenizers put a begin-of-text token first by themselves, some do not.
        bos = model.config.bos_token_id
        if bos is not None and ids[0, 0].item() != bos:
            ids = torch.cat([torch.tensor([[bos]]), ids], dim=1)
        for case in CASES:
            beams = case["num_beams"]
            # One beam is greedy to `generate`, which then gives no score.
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                num_return_sequences=beams,
                return_dict_in_generate=True,
                output_scores=True,
                **case,
            )
            texts = []
            for i, sequence in enumerate(out.sequences[:, ids.shape[1] :].tolist()):
                eos = tokenizer.eos_token_id
                ended = eos in sequence
                kept = sequence[: sequence.index(eos)] if ended else sequence
                score = None if beams == 1 else out.sequences_scores[i].item()
                texts.append({"ids": kept, "ended": ended, "score": score})
            found.append({"prompt": prompt, "prompt_ids": ids[0].tolist(), **case, "texts": texts})
            print(prompt, case, texts[0]["score"], len(texts[0]["ids"]), texts[0]["ended"])
    os.makedirs(os.path.dirname(OUT), exist_ok=True)
    with open(OUT, "w") as file:
        json.dump({"transformers": transformers.__version__, "torch": torch.__version__, "found": found}, file)
        file.write("\n")


main()
