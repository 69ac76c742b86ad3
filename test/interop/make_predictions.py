"""Small models with a module of multi-token prediction, and what it predicts in float64.

    python test/interop/make_predictions.py OUT [NAME ...] [--seed N]

Each becomes a folder OUT/NAME like ../shared/fixtures/mtp: config.json and tensors as the hub's repositories have them, expected.safetensors
(`input_ids`, `greedy`, `mtp_logits` of the prompt, `drafts` and `draft_logits` of the greedy text) and expected.json with the difference that float32
makes. By transformers' MtpModel; that of LongCat, whose layer it has not, is put together of transformers' parts in the order of sglang's
longcat_flash_nextn.py. Those in FIXTURES are in test/fixtures/predictions. Needs torch, transformers with MtpModel (5.24), and safetensors.
"""

import argparse
import json
import os
import shutil

from make_families import BASE, DELTA_NET, LATENT, LONGCAT, MOE, TOKENIZER, as_released, fill

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.modeling_layers import MtpModel
from transformers.models.longcat_flash import modeling_longcat_flash as longcat

OWN = {"mtp_num_hidden_layers": 1, "num_hidden_layers": 4, "full_attention_interval": 2, "partial_rotary_factor": 0.25}
LING = {
    **{"model_type": "bailing_hybrid", "architectures": ["BailingMoeV3ForCausalLM"], "num_hidden_layers": 4, "layer_group_size": 2},
    **{"head_dim": 12, "short_conv_kernel_size": 3, "no_kda_lora": True, "kda_safe_gate": True, "kda_lower_bound": -5.0},
    **{"num_experts": 8, "num_shared_experts": 1, "moe_shared_expert_intermediate_size": 24, "score_function": "sigmoid"},
    **{"rope_interleave": True, "partial_rotary_factor": 0.5, "num_nextn_predict_layers": 1, "num_key_value_heads": 4},
    **{"gated_attention_proj_granularity_type": "head_wise", "moe_router_enable_expert_bias": True, "rope_theta": 6000000.0},
    **{k: v for k, v in LATENT.items() if k not in ["n_routed_experts", "n_shared_experts", "scoring_func", "topk_method"]},
}
FIXTURES = ["qwen3-5", "bailing-hybrid", "longcat-flash"]
MODELS = {
    "qwen3-5": {**BASE, **DELTA_NET, **OWN, "model_type": "qwen3_5_text", "tie_word_embeddings": True},
    "qwen3-5-moe": {**BASE, **MOE, **DELTA_NET, **OWN, "model_type": "qwen3_5_moe_text", "shared_expert_intermediate_size": 20},
    # The query has no latent, as in Ling-3.0-flash, and its last layer that attends is not the last.
    "bailing-hybrid": {**BASE, **LING, "q_lora_rank": None, "num_hidden_layers": 3},
    "bailing-hybrid-even": {**BASE, **LING},
    "longcat-flash": {**LONGCAT, "num_nextn_predict_layers": 1},
}
PROMPT, LENGTH = 24, 32
HUB = {"enorm": "pre_fc_norm_embedding", "hnorm": "pre_fc_norm_hidden", "eh_proj": "fc", "post_norm": "norm"}


def hub_name(name: str) -> str:
    part, rest = name.removeprefix("layers.0.").split(".", 1)
    return f"mtp.layers.0.{rest}" if part == "mtp_block" else f"mtp.{HUB[part]}.{rest}"


class BesideLayers:
    """Qwen's: `mtp.*`, which MtpModel loads itself."""

    def __init__(self, folder: str, seed: int) -> None:
        model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))
        fill(model, seed)
        self.announce(model.config)
        module = MtpModel(model, 1)
        fill(module, seed + 1)
        model.to(torch.bfloat16).save_pretrained(folder)
        shared = ("embed_tokens.", "shared_head.")
        own = {hub_name(k): v for k, v in module.state_dict().items() if not k.startswith(shared)}
        add_tensors(folder, own)

    @staticmethod
    def announce(config) -> None:
        """In transformers' words, which its class of the family does not set itself."""
        config.num_mtp_layers = 1
        config.mtp_layer_types = ["full_attention"]
        config.mtp_mlp_layer_types = ["sparse"]

    def module(self, model) -> MtpModel:
        self.announce(model.config)
        return MtpModel.from_pretrained(model)

    def states(self, model, states: torch.Tensor, tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        module = self.module(model).to(states.dtype).eval()
        return module.forward_layer(0, states, places, None, input_ids=tokens)


class PastLast(BesideLayers):
    """Ling's: a layer past the last, with names that transformers does not load."""

    NAMES = {"enorm": "enorm", "hnorm": "hnorm", "eh_proj": "eh_proj", "post_norm": "final_layernorm"}

    def __init__(self, folder: str, seed: int) -> None:
        config = transformers.AutoConfig.from_pretrained(folder)
        n = config.num_hidden_layers
        longer = {"num_hidden_layers": n + 1, "layer_types": [*config.layer_types, "full_attention"]}
        config = transformers.AutoConfig.from_pretrained(folder, **longer, mlp_layer_types=[*config.mlp_layer_types, "sparse"])
        model = transformers.AutoModelForCausalLM.from_config(config)
        fill(model, seed)
        self.announce(model.config)
        module = self.plain(model)
        fill(module, seed + 1)
        model.to(torch.bfloat16).save_pretrained(folder)
        as_released("", config.model_type, os.path.join(folder, "model.safetensors"))
        self.weights = {f"layers.0.mtp_block.{k}": v for k, v in model.model.layers[n].state_dict().items()}
        parts = tuple(f"layers.0.{part}." for part in self.NAMES)
        own = {k: v for k, v in module.state_dict().items() if k.startswith(parts)}
        self.weights.update(own)
        add_tensors(folder, {f"model.layers.{n}.{self.NAMES[k.split('.')[2]]}.weight": v for k, v in own.items()})

    def plain(self, model) -> MtpModel:
        """With norms of the model, where MtpModel takes those of Kimi Delta Attention, which ask for a gate."""
        module = MtpModel(model, 1)
        for name in ["enorm", "hnorm", "post_norm"]:
            setattr(module.layers[0], name, type(model.model.norm)(model.config.hidden_size, eps=model.config.rms_norm_eps))
        return module

    def module(self, model) -> MtpModel:
        self.announce(model.config)
        module = self.plain(model)
        missing, unexpected = module.load_state_dict(self.weights, strict=False)
        assert not unexpected and all(k.startswith(("embed_tokens.", "shared_head.")) for k in missing), (missing, unexpected)
        return module


class LongcatModule(torch.nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        norm = lambda: longcat.LongcatFlashRMSNorm(config.hidden_size, eps=config.rms_norm_eps)  # noqa: E731
        self.enorm, self.hnorm, self.norm = norm(), norm(), norm()
        self.eh_proj = torch.nn.Linear(2 * config.hidden_size, config.hidden_size, bias=False)
        self.input_layernorm, self.post_attention_layernorm = norm(), norm()
        self.self_attn = longcat.LongcatFlashMLA(config, 0)
        self.mlp = longcat.LongcatFlashMLP(config)

    def forward(self, embedded: torch.Tensor, states: torch.Tensor, rotations) -> torch.Tensor:
        x = self.eh_proj(torch.cat([self.enorm(embedded), self.hnorm(states)], dim=-1))
        length = x.shape[1]
        later = torch.full((length, length), -torch.inf, dtype=x.dtype).triu(1)[None, None]
        x = x + self.self_attn(self.input_layernorm(x), rotations, later)[0]
        return self.norm(x + self.mlp(self.post_attention_layernorm(x)))


class Longcat(BesideLayers):
    """`model.mtp.*`: a layer with one attention and one MLP."""

    def __init__(self, folder: str, seed: int) -> None:
        model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))
        fill(model, seed)
        model.to(torch.bfloat16).save_pretrained(folder)
        module = LongcatModule(model.config)
        fill(module, seed + 1)
        self.weights = module.state_dict()

        def named(name: str) -> str:
            if name.startswith(("enorm.", "hnorm.")):
                return f"layers.0.{name.replace('.', '.m.')}"
            return name if name.startswith("norm.") else f"layers.0.{name.replace('mlp.', 'transformer_layer.mlp.')}"

        # Published files have a copy of the embedding there, which nobody reads.
        copy = {"model.mtp.embed_tokens.weight": model.model.embed_tokens.weight}
        add_tensors(folder, {f"model.mtp.{named(k)}": v for k, v in self.weights.items()} | copy)

    def states(self, model, states: torch.Tensor, tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        module = LongcatModule(model.config)
        module.load_state_dict(self.weights)
        embedded = model.model.embed_tokens(tokens)
        return module.to(states.dtype).eval()(embedded, states, model.model.rotary_emb(embedded, position_ids=places))


def add_tensors(folder: str, own: dict[str, torch.Tensor]) -> None:
    path = os.path.join(folder, "model.safetensors")
    tensors = load_file(path)
    for name, value in own.items():
        tensors[name] = value.detach().to(torch.bfloat16).contiguous().clone()
    save_file(tensors, path, metadata={"format": "pt"})


@torch.no_grad()
def numbers(folder: str, maker: BesideLayers, dtype: torch.dtype, random: np.random.Generator) -> dict[str, torch.Tensor]:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()
    model.set_experts_implementation("eager")
    prompt = [0, *random.integers(8, model.config.vocab_size, PROMPT - 1).tolist()]
    text = torch.tensor([prompt])
    for _ in range(LENGTH):
        logits = model(input_ids=text, use_cache=False).logits[0, -1]
        text = torch.cat([text, logits.argmax().reshape(1, 1)], dim=1)
    states = model(input_ids=text, output_hidden_states=True, use_cache=False).hidden_states[-1]
    places = torch.arange(1, text.shape[1]).reshape(1, -1)
    found = maker.states(model, states[:, :-1], text[:, 1:], places)
    predicted = model.lm_head(found)[0]
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
    maker = {"bailing_hybrid": PastLast, "longcat_flash": Longcat}.get(written["model_type"], BesideLayers)(folder, seed)
    write_config()
    generation = os.path.join(folder, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)
    for file in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(os.path.join(TOKENIZER, file), folder)
    found = numbers(folder, maker, torch.float64, np.random.default_rng(seed))
    single = numbers(folder, maker, torch.float32, np.random.default_rng(seed))
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
    for name in args.names or FIXTURES:
        make(os.path.join(args.out, name), MODELS[name], args.seed)
        print(name, flush=True)


main()
