"""Loads folders with the real transformers (PyPI: torch, transformers, safetensors) and compares with expected numbers.

    python check_folder.py < JOBS

A job is a line of JSON: {"folder": ..., "expected": a file of safetensors, "texts": [...]}. Answers each with a line: the
worst |error| / (1 + |expected|) of the logits, the greedy texts that agree, what was missing or unexpected in the files,
the token ids of the texts, the chat template; or an error.
"""

import json
import sys
import traceback

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

GREEDY = 12


def greedy_agrees(model, ids: torch.Tensor, expected: list[int]) -> bool:
    """Without `generate`, which would have its own mind about tokens that end a text."""
    for want in expected[:GREEDY]:
        if model(ids).logits[0, -1].argmax().item() != want:
            return False
        ids = torch.cat([ids, torch.tensor([[want]])], dim=1)
    return True


def check(folder: str, expected: str, texts: list[str]) -> dict:
    model, loading = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    model.eval()
    numbers = load_file(expected)
    worst, greedy = 0.0, []
    for name in sorted({key.split(".")[0] for key in numbers if key.endswith(".logits")}):
        ids = numbers[f"{name}.input_ids"].long()[None]
        want = numbers[f"{name}.logits"]
        error = (model(ids).logits[0] - want).abs() / (1 + want.abs())
        worst = max(worst, error.max().item())
        if f"{name}.greedy" in numbers:
            greedy.append(greedy_agrees(model, ids, numbers[f"{name}.greedy"].tolist()))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return {
        "model": type(model).__name__,
        "worst": worst,
        "greedy": greedy,
        "missing": sorted(loading["missing_keys"]),
        "unexpected": sorted(loading["unexpected_keys"]),
        "ids": [tokenizer.encode(text, add_special_tokens=False) for text in texts],
        "chat_template": tokenizer.chat_template,
    }


for line in sys.stdin:
    try:
        with torch.no_grad():
            answer = check(**json.loads(line))
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
