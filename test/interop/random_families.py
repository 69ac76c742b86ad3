"""Small checkpoints of families with drawn sizes and switches, and what transformers computes of them in float64.

    python test/interop/random_families.py OUT COUNT [--seed N]

Each becomes a folder OUT/FAMILY-SEED as make_families.py writes them. A draw that transformers itself refuses is named and left out.
"""

import argparse
import os
import random
import shutil
import sys

import make_families as made
import torch


class Draw(random.Random):
    def of(self, *choices):
        return self.choice(choices)

    def often(self, share: float = 0.4) -> bool:
        return self.random() < share

    def divisor(self, n: int) -> int:
        return self.choice([k for k in range(1, n + 1) if n % k == 0])


def base(d: Draw) -> dict:
    heads = d.of(1, 2, 3, 4, 6, 8)
    return {
        **{"vocab_size": 320, "hidden_act": "silu", "bos_token_id": 0, "eos_token_id": d.of(1, [1, 7]), "pad_token_id": 2},
        **{"num_attention_heads": heads, "num_key_value_heads": d.divisor(heads), "hidden_size": heads * d.of(8, 12, 16)},
        **{"intermediate_size": d.of(40, 72, 96, 132), "num_hidden_layers": d.randint(1, 5)},
        **{"max_position_embeddings": d.of(64, 256, 4096), "rms_norm_eps": d.of(1e-5, 1e-6, 1e-3)},
        **{"tie_word_embeddings": d.often(), "rope_theta": d.of(1e3, 1e4, 5e5)},
    }


def without(fields: dict, *names: str) -> dict:
    return {name: value for name, value in fields.items() if name not in names}


def scaling(d: Draw) -> dict:
    kind = d.of("none", "none", "linear", "llama3", "yarn", "yarn")
    if kind == "none":
        return {}
    if kind == "linear":
        return {"rope_scaling": {"rope_type": "linear", "factor": d.of(2.0, 4.0)}}
    original = {"original_max_position_embeddings": d.of(16, 32)}
    if kind == "llama3":
        return {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, **original}}
    yarn = {"rope_type": "yarn", "factor": d.of(4.0, 8.0), **original}
    for more in [
        {"beta_fast": d.of(32, 20), "beta_slow": d.of(1, 2)},
        {"attention_factor": 1.2},
        {"truncate": False},
        {"mscale": d.of(1.0, 0.7), "mscale_all_dim": d.of(1.0, 0.8)},
    ]:
        if d.often(0.3):
            yarn.update(more)
    return {"rope_scaling": yarn}


def latent(d: Draw, b: dict) -> dict:
    experts = d.of(4, 6, 8, 12)
    groups = d.choice([g for g in (1, 2, 3, 4) if experts % g == 0 and experts // g >= 2])
    chosen = d.randint(1, groups)
    return {
        **{"num_key_value_heads": b["num_attention_heads"], "q_lora_rank": d.of(None, 24, 20), "kv_lora_rank": d.of(16, 32, 40)},
        **{"qk_rope_head_dim": d.of(4, 8, 16), "qk_nope_head_dim": d.of(8, 12, 20), "v_head_dim": d.of(8, 16, 20)},
        **{"n_routed_experts": experts, "n_group": groups, "topk_group": chosen},
        **{"num_experts_per_tok": d.randint(1, min(4, experts // groups * chosen)), "n_shared_experts": d.of(1, 2)},
        **{"moe_intermediate_size": d.of(16, 24, 36), "norm_topk_prob": d.often(0.6), "routed_scaling_factor": d.of(1.0, 1.5, 2.5)},
        **{"first_k_dense_replace": d.randint(0, b["num_hidden_layers"]), "attention_bias": d.often(0.25)},
    }


def deepseek_v2(d: Draw, b: dict) -> dict:
    method = d.of("greedy", "group_limited_greedy")
    sizes = latent(d, b) if method != "greedy" else without(latent(d, b), "n_group", "topk_group")
    return {**sizes, **scaling(d), "topk_method": method, "scoring_func": "softmax", "norm_topk_prob": False, "moe_layer_freq": 1}


def deepseek_v3(d: Draw, b: dict) -> dict:
    return {**latent(d, b), **scaling(d), "scoring_func": "sigmoid", "topk_method": "noaux_tc", "rope_interleave": d.often(0.7)}


def queries(d: Draw, fields: dict) -> dict:
    return {**fields, "q_lora_rank": fields["q_lora_rank"] or d.of(20, 24)}


def glm4_moe_lite(d: Draw, b: dict) -> dict:
    fields = queries(d, latent(d, b))
    dense = fields["first_k_dense_replace"]
    return {**fields, "mlp_layer_types": ["dense"] * dense + ["sparse"] * (b["num_hidden_layers"] - dense)}


def indexed(d: Draw, b: dict) -> dict:
    fields = queries(d, {**latent(d, b), "attention_bias": False})
    index = {"index_n_heads": d.of(16, 20), "index_head_dim": max(fields["qk_rope_head_dim"], d.of(16, 20)), "index_topk": d.of(1, 4, 6, 64)}
    return {**fields, **index, "scoring_func": "sigmoid", "topk_method": "noaux_tc"}


def window_from(d: Draw, b: dict) -> dict:
    return {"use_sliding_window": d.often(0.3), "sliding_window": 7, "max_window_layers": d.randint(0, b["num_hidden_layers"])}


def experts(d: Draw, b: dict) -> dict:
    dense = d.sample(range(b["num_hidden_layers"]), d.of(0, 0, 1))
    return {
        **{"num_experts": d.of(4, 6, 7), "num_experts_per_tok": d.randint(1, 3), "moe_intermediate_size": d.of(16, 24)},
        **{"head_dim": d.of(8, 16), "decoder_sparse_step": d.of(1, 1, 2), "norm_topk_prob": d.often(0.6), "mlp_only_layers": dense},
    }


def delta_net(d: Draw, b: dict) -> dict:
    heads = d.of(1, 2, 4)
    types = [d.of("linear_attention", "full_attention") for _ in range(b["num_hidden_layers"])]
    types[d.randrange(len(types))] = "full_attention"
    return {
        **{"linear_conv_kernel_dim": d.of(2, 3, 4), "linear_key_head_dim": d.of(8, 12, 16), "linear_value_head_dim": d.of(8, 12, 20)},
        **{"linear_num_key_heads": heads, "linear_num_value_heads": heads * d.of(1, 2, 3), "head_dim": d.of(8, 16)},
        **{"partial_rotary_factor": d.of(0.25, 0.5, 1.0), "layer_types": types, "attention_bias": False},
    }


def lfm2(d: Draw, b: dict) -> dict:
    types = [d.of("conv", "full_attention") for _ in range(b["num_hidden_layers"])]
    types[d.randrange(len(types))] = "full_attention"
    return {
        **{"layer_types": types, "conv_L_cache": d.of(2, 3, 4), "conv_bias": d.often(), "norm_eps": d.of(1e-5, 1e-4)},
        **{"block_multiple_of": 8, "block_ffn_dim_multiplier": d.of(1.0, 1.3), "block_auto_adjust_ff_dim": d.often(0.6)},
    }


S, F = "sliding_attention", "full_attention"
GELU = {"hidden_activation": "gelu_pytorch_tanh"}


def gemma3(d: Draw, b: dict) -> dict:
    listed = {"layer_types": [d.of(S, F) for _ in range(b["num_hidden_layers"])]}
    return {
        **{**GELU, "head_dim": d.of(8, 12, 16), "query_pre_attn_scalar": d.of(8, 16, 24), "sliding_window": d.of(5, 9)},
        **{"rope_local_base_freq": d.of(500.0, 1e4), "tie_word_embeddings": True, "attention_bias": d.often(0.3)},
        **(listed if d.often(0.5) else {"sliding_window_pattern": d.of(2, 3, 6)}),
        **({"rope_scaling": {"rope_type": "linear", "factor": 8.0}} if d.often(0.3) else {}),
        **({"final_logit_softcapping": 20.0} if d.often(0.3) else {}),
    }


def gemma4(d: Draw, b: dict) -> dict:
    layers = d.of(2, 3, 5, 6)
    types = [d.of(S, F) for _ in range(layers - 1)] + [F]
    shared = d.randint(1, layers - 1)
    fields = {
        **{**GELU, "num_hidden_layers": layers, "layer_types": types, "head_dim": d.of(8, 12), "global_head_dim": d.of(16, 24)},
        **{"sliding_window": d.of(5, 9), "hidden_size_per_layer_input": d.of(0, 6, 10), "vocab_size_per_layer_input": 320},
        **{"attention_bias": d.often(0.3)},
    }
    # Layers read the keys of the last of their kind that has its own.
    if d.often() and set(types[layers - shared :]) <= set(types[: layers - shared]):
        fields.update(num_kv_shared_layers=shared, use_double_wide_mlp=d.often(0.5))
    if d.often(0.3):
        fields.update(enable_moe_block=True, num_experts=6, top_k_experts=2, moe_intermediate_size=20)
    if d.often(0.3):
        fields.update(attention_k_eq_v=True, num_global_key_value_heads=d.divisor(b["num_attention_heads"]))
    if d.often(0.3):
        fields.update(final_logit_softcapping=20.0)
    return fields


def gpt_oss(d: Draw, b: dict) -> dict:
    yarn = {**made.YARN, "rope_type": "yarn", "truncate": d.often(0.5)}
    return {
        **{"head_dim": d.of(8, 12, 16), "num_local_experts": d.of(3, 5), "num_experts_per_tok": d.of(1, 2)},
        **{"sliding_window": d.of(5, 9), "intermediate_size": d.of(20, 36), "attention_bias": d.often(0.5)},
        **({"swiglu_limit": d.of(0.9, 7.0)} if d.often(0.5) else {}),
        **({"rope_scaling": yarn} if d.often(0.5) else {}),
    }


def longcat(d: Draw, b: dict) -> dict:
    idle = d.of(0, 3)
    return {
        **made.LONGCAT,
        **{"num_layers": d.of(1, 2, 3), "ffn_hidden_size": d.of(40, 72), "expert_ffn_hidden_size": d.of(16, 24)},
        **{"q_lora_rank": d.of(16, 20), "kv_lora_rank": d.of(24, 36), "qk_nope_head_dim": d.of(8, 12), "v_head_dim": d.of(8, 20)},
        **{"n_routed_experts": d.of(4, 5), "zero_expert_num": idle, "moe_topk": d.randint(2, 3), "routed_scaling_factor": d.of(1.0, 2.5)},
        **{"attention_bias": d.often(), "hidden_size": b["hidden_size"], "num_attention_heads": b["num_attention_heads"]},
    }


def kimi_delta(d: Draw, b: dict) -> dict:
    fields = latent(d, b)
    renamed = {"num_experts": fields["n_routed_experts"], "num_shared_experts": fields["n_shared_experts"]}
    return {**without(fields, "n_routed_experts", "n_shared_experts", "attention_bias"), **renamed}


def kimi_linear(d: Draw, b: dict) -> dict:
    fields = kimi_delta(d, b)
    layers = b["num_hidden_layers"]
    attending = sorted({d.randint(1, layers), *[i for i in range(1, layers + 1) if d.often(0.3)]})
    delta = {"head_dim": d.of(8, 12, 16), "num_heads": d.of(1, 2, 3), "short_conv_kernel_size": d.of(2, 3, 4)}
    return {
        **without(fields, "n_group", "num_experts_per_tok", "norm_topk_prob"),
        **{"num_expert_group": fields["n_group"], "num_experts_per_token": fields["num_experts_per_tok"]},
        **{"moe_renormalize": fields["norm_topk_prob"], "model_max_length": b["max_position_embeddings"], "mla_use_nope": True},
        **{"moe_router_activation_func": "sigmoid", "moe_layer_freq": 1, "use_grouped_topk": True, "q_lora_rank": None},
        "linear_attn_config": {
            **{**delta, "full_attn_layers": attending},
            "kda_layers": [i for i in range(1, layers + 1) if i not in attending],
        },
    }


def bailing_hybrid(d: Draw, b: dict) -> dict:
    fields = kimi_delta(d, b)
    layers = b["num_hidden_layers"]
    limits = lambda: [d.of(0, 0.3, 0.6) for _ in range(layers + d.of(0, 1))]  # noqa: E731
    bounded = d.often(0.7)
    return {
        **{**without(made.LING, "partial_rotary_factor", "rope_parameters"), **fields, **scaling(d), "moe_shared_expert_intermediate_size": fields["moe_intermediate_size"]},
        **{"num_hidden_layers": layers, "layer_group_size": d.randint(1, min(3, layers)), "head_dim": d.of(8, 12), "hidden_act": "silu"},
        **{"short_conv_kernel_size": d.of(2, 3, 4), "kda_safe_gate": bounded, "kda_lower_bound": d.of(-5.0, -2.0)},
        "rope_theta": b["rope_theta"],
        **({"expert_swiglu_limit_list": limits(), "share_expert_swiglu_limit_list": limits()} if d.often(0.5) else {}),
    }


def smollm3(d: Draw, b: dict) -> dict:
    listed = {"no_rope_layers": [d.of(0, 1) for _ in range(b["num_hidden_layers"])]}
    biases = {"attention_bias": d.often(0.3), "mlp_bias": d.often(0.3)}
    return {**scaling(d), **biases, **(listed if d.often(0.5) else {"no_rope_layer_interval": d.of(2, 3, 4)})}


def granite(d: Draw, b: dict) -> dict:
    return {
        **{**scaling(d), "attention_bias": d.often(0.3), "mlp_bias": d.often(0.3), "embedding_multiplier": d.of(1.0, 6.0)},
        **{"attention_multiplier": d.of(0.1, 0.25), "residual_multiplier": d.of(0.3, 1.0), "logits_scaling": d.of(1.0, 4.0)},
    }


def ministral3(d: Draw, b: dict) -> dict:
    grows = {**made.GROWS, "rope_theta": b["rope_theta"], "llama_4_scaling_beta": d.of(0.1, 0.3)}
    return {"rope_parameters": grows, "rope_theta": None, "head_dim": d.of(8, 16), "sliding_window": d.of(None, 9)}


DYNAMIC = {"rope_scaling": {"type": "dynamic", "alpha": 1000.0, "factor": 1.0, "beta_fast": 32, "beta_slow": 1}}
FAMILIES = {
    "deepseek_v2": deepseek_v2,
    "deepseek_v3": deepseek_v3,
    "axk1": lambda d, b: queries(d, deepseek_v3(d, b)),
    "glm4_moe_lite": glm4_moe_lite,
    "deepseek_v32": indexed,
    "glm_moe_dsa": lambda d, b: {**indexed(d, b), "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2},
    "axk2": lambda d, b: {**indexed(d, b), "gated_norm_rank": d.of(3, 5)},
    "longcat_flash": longcat,
    "kimi_linear": kimi_linear,
    "bailing_hybrid": bailing_hybrid,
    "llama": lambda d, b: {**scaling(d), "attention_bias": d.often(), "mlp_bias": d.often(), "head_dim": d.of(None, 8, 20)},
    "mistral": lambda d, b: {**scaling(d), "sliding_window": d.of(None, 9), "head_dim": d.of(8, 12, 20)},
    "ministral3": ministral3,
    "qwen2": lambda d, b: {**scaling(d), **window_from(d, b)},
    "qwen3": lambda d, b: {**scaling(d), **window_from(d, b), "head_dim": d.of(8, 12, 20), "attention_bias": d.often()},
    "qwen3_moe": lambda d, b: {**scaling(d), **experts(d, b), "attention_bias": d.often(0.3), "use_sliding_window": False},
    "qwen3_next": lambda d, b: {**experts(d, b), **delta_net(d, b), "shared_expert_intermediate_size": d.of(20, 36)},
    "qwen3_5_text": lambda d, b: {**delta_net(d, b), "attention_bias": d.often(0.3)},
    "qwen3_5_moe_text": lambda d, b: {**experts(d, b), **delta_net(d, b), "shared_expert_intermediate_size": d.of(20, 36)},
    "lfm2": lfm2,
    "gemma3_text": gemma3,
    "gemma4_text": gemma4,
    "gpt_oss": gpt_oss,
    "smollm3": smollm3,
    "granite": granite,
    "olmo2": lambda d, b: {**scaling(d), "attention_bias": d.often()},
    "glm4": lambda d, b: {"head_dim": d.of(8, 12, 16), "partial_rotary_factor": d.of(0.5, 1.0), "attention_bias": d.often()},
    "phi3": lambda d, b: {"sliding_window": d.of(None, 9), "partial_rotary_factor": d.of(0.5, 1.0)},
    "ernie4_5": lambda d, b: {"head_dim": d.of(8, 12, 20), "use_bias": d.often()},
    "hunyuan_v1_dense": lambda d, b: {"head_dim": d.of(8, 16), "attention_bias": d.often(0.3), **(DYNAMIC if d.often(0.5) else {})},
}
# Fields that the family's own replace, under other names.
ABSENT = {
    "lfm2": ["hidden_act", "rms_norm_eps"],
    "gemma3_text": ["hidden_act"],
    "gemma4_text": ["hidden_act", "rope_theta"],
    "ministral3": ["rope_theta"],
    "kimi_linear": ["max_position_embeddings", "rope_theta"],
    "longcat_flash": ["intermediate_size", "num_hidden_layers", "num_key_value_heads"],
}


def draw(family: str, seed: int) -> dict:
    d = Draw(f"{family} {seed}")
    b = base(d)
    fields = {**b, **FAMILIES[family](d, b), "model_type": family}
    return without(fields, *ABSENT.get(family, []))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    names = list(FAMILIES)
    for i in range(args.seed, args.seed + args.count):
        family = names[i % len(names)]
        folder = os.path.join(args.out, f"{family}-{i}")
        try:
            made.make(folder, draw(family, i), i)
            print(os.path.basename(folder), flush=True)
        except Exception as error:  # Of transformers: sizes that do not go together; or a text that rounding decides.
            print(f"{family}-{i}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
