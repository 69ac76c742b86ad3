"""Writes expected.safetensors beside a model: numbers of transformers that `latentkit verify` holds latentkit to.

    python scripts/make-expected.py MODEL [--prompt TEXT ...] [--greedy 16] [--dtype float64] [--texts] [--force]

MODEL is a folder with config.json, safetensors and tokenizer.json. Needs torch, transformers and safetensors. Everything
is computed on the CPU with eager attention; float64 takes four times the memory of bf16 weights. docs/verify.md has the
format: per prompt p the tensors p.input_ids, p.logits, p.hidden, p.attentions and p.greedy. Of an encoder-decoder the prompt is the source,
and the decoder's text is its greedy one. With --texts, expected.json beside it has the prompts, the greedy texts, and how near each was to another
token (the least difference of the two largest logits).
"""

import argparse
import json
import os
import sys

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

PROMPTS = ["Once upon a time, there was a little fox who lived by the sea.", "The capital of France is"]


def token_ids(tokenizer, prompt: str) -> torch.Tensor:
    """As latentkit encodes a prompt: where neither tokenizer_config.json nor the tokenizer itself decides, a token that both
    begins and ends texts separates them, and a text begins after one."""
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    bos = tokenizer.bos_token_id
    wanted = tokenizer.init_kwargs.get("add_bos_token")
    if wanted is None:
        wanted = bos == tokenizer.eos_token_id
    if bos is not None and wanted and ids[0, 0].item() != bos:
        ids = torch.cat([torch.tensor([[bos]]), ids], dim=1)
    return ids


@torch.no_grad()
def compute(model, ids: torch.Tensor, greedy: int) -> dict[str, np.ndarray]:
    out = model(ids, output_hidden_states=True, output_attentions=True, use_cache=False)
    found = {
        "input_ids": ids[0].numpy().astype(np.int64),
        "logits": out.logits[0].float().numpy(),
        "hidden": torch.stack([h[0] for h in out.hidden_states]).float().numpy(),
    }
    patterns = [a[0] for a in out.attentions or [] if a is not None]
    # Layers that do not attend have none; verify compares all layers or no attention at all.
    if len(patterns) == model.config.get_text_config().num_hidden_layers:
        found["attentions"] = torch.stack(patterns).float().numpy()
    all_ids = ids
    for _ in range(greedy):
        logits = model(all_ids, use_cache=False).logits[0, -1]
        all_ids = torch.cat([all_ids, logits.argmax().reshape(1, 1)], dim=1)
    if greedy:
        found["greedy"] = all_ids[0, ids.shape[1] :].numpy().astype(np.int64)
    return found


@torch.no_grad()
def text_of(model, tokenizer, prompt: str, ids: np.ndarray, greedy: np.ndarray) -> dict:
    """The greedy text, its nearest other choice, and the prompt's loss."""
    both = torch.from_numpy(np.concatenate([ids, greedy]))
    logits = model(both[None], use_cache=False).logits[0].double()
    near = logits[len(ids) - 1 : -1].topk(2).values
    return {
        "text": prompt,
        "tokens": len(ids),
        "greedy_text": tokenizer.decode(greedy),
        "min_greedy_margin": (near[:, 0] - near[:, 1]).min().item(),
        "nll": torch.nn.functional.cross_entropy(logits[: len(ids) - 1], both[1 : len(ids)]).item(),
    }


@torch.no_grad()
def compute_both(model, ids: torch.Tensor, greedy: int) -> dict[str, np.ndarray]:
    """The same of an encoder-decoder, over its greedy text."""
    text = torch.tensor([[model.generation_config.decoder_start_token_id or 0]])
    for _ in range(greedy):
        logits = model(input_ids=ids, decoder_input_ids=text, use_cache=False).logits[0, -1]
        text = torch.cat([text, logits.argmax().reshape(1, 1)], dim=1)
    out = model(
        input_ids=ids, decoder_input_ids=text, output_hidden_states=True, output_attentions=True, use_cache=False
    )
    stacks = ["encoder_hidden_states", "decoder_hidden_states", "decoder_attentions", "cross_attentions"]
    found = {name.removesuffix("_states"): torch.stack([t[0] for t in out[name]]).float().numpy() for name in stacks}
    return {
        "input_ids": ids[0].numpy().astype(np.int64),
        "decoder_input_ids": text[0].numpy().astype(np.int64),
        "logits": out.logits[0].float().numpy(),
        **found,
        **({"greedy": text[0, 1:].numpy().astype(np.int64)} if greedy else {}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--prompt", action="append", help="a text; may be given again")
    parser.add_argument("--greedy", type=int, default=16, help="tokens of greedy text")
    parser.add_argument("--dtype", default="float64", choices=["float64", "float32"])
    parser.add_argument("--texts", action="store_true", help="write expected.json, too")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    args = parser.parse_args()

    path = os.path.join(args.model, "expected.safetensors")
    if os.path.exists(path) and not args.force:
        sys.exit(f"{path} is there already; give --force to replace it")
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    both = transformers.AutoConfig.from_pretrained(args.model).is_encoder_decoder
    if args.texts and (both or not args.greedy):
        sys.exit("--texts needs a decoder-only model and greedy tokens")
    kind = transformers.AutoModelForSeq2SeqLM if both else transformers.AutoModelForCausalLM
    model = kind.from_pretrained(
        args.model, dtype=getattr(torch, args.dtype), attn_implementation="eager"
    ).eval()
    # Its faster ways with experts know no float64.
    if hasattr(model, "set_experts_implementation"):
        model.set_experts_implementation("eager")
    tensors: dict[str, np.ndarray] = {}
    texts = []
    for p, prompt in enumerate(args.prompt or PROMPTS):
        ids = tokenizer(prompt, return_tensors="pt").input_ids if both else token_ids(tokenizer, prompt)
        for name, value in (compute_both if both else compute)(model, ids, args.greedy).items():
            tensors[f"{p}.{name}"] = np.ascontiguousarray(value)
        if args.texts:
            texts.append(text_of(model, tokenizer, prompt, tensors[f"{p}.input_ids"], tensors[f"{p}.greedy"]))
        print(f"{prompt!r}: {ids.shape[1]} tokens")
    by = f"transformers {transformers.__version__}, torch {torch.__version__}, {args.dtype}"
    save_file(tensors, path, metadata={"made_by": by})
    print(path)
    if args.texts:
        with open(os.path.join(args.model, "expected.json"), "w") as file:
            json.dump({"made_by": by, "prompts": texts}, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
