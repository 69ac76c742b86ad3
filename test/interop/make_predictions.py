"""Small models with a module of multi-token prediction beside their layers, and what transformers' MtpModel predicts with it in float64.

    python test/interop/make_predictions.py OUT [NAME ...] [--seed N]

Each becomes a folder OUT/NAME like ../shared/fixtures/mtp: config.json and tensors as the hub's repositories have them (`mtp.*`), expected.safetensors
(`input_ids`, `greedy`, `mtp_logits` of the prompt, `drafts` and `draft_logits` of the greedy text) and expected.json with the difference that float32
makes. The one in test/fixtures/predictions is qwen3-5. Needs torch, transformers with MtpModel (5.24), and safetensors.
"""

import argparse
import json
import os
import shutil

from make_families import BASE, DELTA_NET, MOE, TOKENIZER, fill

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.modeling_layers import MtpModel

OWN = {"mtp_num_hidden_layers": 1, "num_hidden_layers": 4, "full_attention_interval": 2, "partial_rotary_factor": 0.25}
MODELS = {
    "qwen3-5": {**BASE, **DELTA_NET, **OWN, "model_type": "qwen3_5_text", "tie_word_embeddings": True},
    "qwen3-5-moe": {**BASE, **MOE, **DELTA_NET, **OWN, "model_type": "qwen3_5_moe_text", "shared_expert_intermediate_size": 20},
}
PROMPT, LENGTH = 24, 32
HUB = {"enorm": "pre_fc_norm_embedding", "hnorm": "pre_fc_norm_hidden", "eh_proj": "fc", "post_norm": "norm"}


def hub_name(name: str) -> str:
    part, rest = name.removeprefix("layers.0.").split(".", 1)
    return f"mtp.layers.0.{rest}" if part == "mtp_block" else f"mtp.{HUB[part]}.{rest}"


def announce(config) -> None:
    """In transformers' words, which its class of the family does not set itself."""
    config.num_mtp_layers = config.mtp_num_hidden_layers
    config.mtp_layer_types = ["full_attention"]


@torch.no_grad()
def numbers(folder: str, dtype: torch.dtype, random: np.random.Generator) -> dict[str, torch.Tensor]:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()
    model.set_experts_implementation("eager")
    announce(model.config)
    module = MtpModel.from_pretrained(model).to(dtype).eval()
    prompt = [0, *random.integers(8, model.config.vocab_size, PROMPT - 1).tolist()]
    text = torch.tensor([prompt])
    for _ in range(LENGTH):
        logits = model(input_ids=text, use_cache=False).logits[0, -1]
        text = torch.cat([text, logits.argmax().reshape(1, 1)], dim=1)
    states = model(input_ids=text, output_hidden_states=True, use_cache=False).hidden_states[-1]
    places = torch.arange(1, text.shape[1]).reshape(1, -1)
    found = module.forward_layer(0, states[:, :-1], places, None, input_ids=text[:, 1:])
    predicted = module._project_to_logits(found)[0]
    # Row i predicts the token after t_(i+1).
    return {
        "input_ids": torch.tensor(prompt),
        "greedy": text[0, PROMPT:],
        "mtp_logits": predicted[: PROMPT - 1].float(),
        "draft_logits": predicted[PROMPT - 1 :].float(),
        "drafts": predicted[PROMPT - 1 :].argmax(-1),
    }


def make(folder: str, written: dict, seed: int) -> None:
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "config.json")

    def write_config() -> None:
        with open(path, "w") as file:
            json.dump({**written, "torch_dtype": "bfloat16"}, file, indent=1)
            file.write("\n")

    write_config()
    model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))
    fill(model, seed)
    announce(model.config)
    module = MtpModel(model, 1)
    fill(module, seed + 1)
    model.to(torch.bfloat16).save_pretrained(folder)
    write_config()
    weights = os.path.join(folder, "model.safetensors")
    tensors = load_file(weights)
    shared = ("embed_tokens.", "shared_head.")
    for name, value in module.state_dict().items():
        if not name.startswith(shared):
            tensors[hub_name(name)] = value.to(torch.bfloat16).contiguous().clone()
    save_file(tensors, weights, metadata={"format": "pt"})
    generation = os.path.join(folder, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)
    for file in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(os.path.join(TOKENIZER, file), folder)
    found = numbers(folder, torch.float64, np.random.default_rng(seed))
    single = numbers(folder, torch.float32, np.random.default_rng(seed))
    error = (single["mtp_logits"] - found["mtp_logits"]).abs().max().item()
    by = f"transformers {transformers.__version__}, torch {torch.__version__}, float64, seed {seed}"
    save_file({k: v.contiguous() for k, v in found.items()}, os.path.join(folder, "expected.safetensors"), metadata={"made_by": by})
    with open(os.path.join(folder, "expected.json"), "w") as file:
        json.dump({"made_by": by, "checks": {"same_in_float32": {"max_mtp_logit_error": error}}}, file, indent=1)
        file.write("\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.names or MODELS:
        make(os.path.join(args.out, name), MODELS[name], args.seed)
        print(name, flush=True)


main()
