"""Writes a checkpoint of the fixtures as a GGUF file, F32, with llama.cpp's own Python package (PyPI: gguf, numpy).

Names of tensors and keys come from that package, so that they are nobody's guess; what the package leaves to each
architecture (rows permuted, ones added, matrices turned) is done here as llama.cpp's converter does it.

    python make_gguf.py FOLDER OUT.gguf [--legacy] [--fused]
"""

import argparse
import json
import math
import struct
from pathlib import Path

import gguf
import numpy as np

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "gemma3_text": gguf.MODEL_ARCH.GEMMA3,
    "minicpm3": gguf.MODEL_ARCH.MINICPM3,
    "falcon": gguf.MODEL_ARCH.FALCON,
    "gpt2": gguf.MODEL_ARCH.GPT2,
}


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    tensors = {}
    for file in sorted(folder.glob("model*.safetensors")):
        data = file.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        for name, info in json.loads(data[8 : 8 + length]).items():
            if name == "__metadata__":
                continue
            start, end = (8 + length + o for o in info["data_offsets"])
            raw = data[start:end]
            match info["dtype"]:
                case "BF16":
                    values = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
                case "F16":
                    values = np.frombuffer(raw, np.float16).astype(np.float32)
                case "F32":
                    values = np.frombuffer(raw, np.float32)
                case other:
                    raise SystemExit(f"{name} is {other}")
            tensors[name] = values.reshape(info["shape"])
    return tensors


def permuted(w: np.ndarray, heads: int) -> np.ndarray:
    """Rows of each head from halves to neighbours."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


class Converter:
    def __init__(self, folder: Path, out: Path, legacy: bool, fused: bool):
        self.config = json.loads((folder / "config.json").read_text())
        self.tensors = read_tensors(folder)
        self.legacy = legacy
        self.fused = fused
        self.kind = self.config["model_type"]
        self.latent = "kv_lora_rank" in self.config
        self.arch = ARCHITECTURES.get(self.kind, gguf.MODEL_ARCH.DEEPSEEK2)
        self.writer = gguf.GGUFWriter(out, gguf.MODEL_ARCH_NAMES[self.arch])
        self.layers = self.config.get("num_hidden_layers") or self.config["n_layer"]
        self.names = gguf.get_tensor_name_map(self.arch, self.layers)

    def convert(self) -> None:
        self.write_keys()
        self.write_tensors()
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()

    def write_keys(self) -> None:
        c, w = self.config, self.writer
        hidden = c.get("hidden_size") or c["n_embd"]
        heads = c.get("num_attention_heads") or c["n_head"]
        w.add_block_count(self.layers)
        w.add_context_length(c.get("max_position_embeddings") or c["n_positions"])
        w.add_embedding_length(hidden)
        w.add_feed_forward_length(c.get("intermediate_size") or 4 * hidden)
        w.add_head_count(heads)
        w.add_vocab_size(c["vocab_size"])
        if "rms_norm_eps" in c:
            w.add_layer_norm_rms_eps(c["rms_norm_eps"])
        else:
            w.add_layer_norm_eps(c["layer_norm_epsilon"])
        if "rope_theta" in c:
            w.add_rope_freq_base(c["rope_theta"])
        if self.latent:
            self.write_latent_keys(heads)
        elif self.kind != "gpt2":
            w.add_head_count_kv(c.get("num_key_value_heads") or c.get("num_kv_heads") or heads)
            if "head_dim" in c:
                w.add_key_length(c["head_dim"])
                w.add_value_length(c["head_dim"])
            if self.arch == gguf.MODEL_ARCH.LLAMA:
                w.add_rope_dimension_count(c.get("head_dim") or hidden // heads)
        if c.get("sliding_window"):
            w.add_sliding_window(c["sliding_window"])
        if "layer_types" in c:
            w.add_sliding_window_pattern([t == "sliding_attention" for t in c["layer_types"]])
        self.write_experts_keys()
        self.write_rope_keys()
        if self.kind == "minicpm3":
            # Keys of MiniCPM, which MiniCPM3's files do without because there is one model.
            w.add_embedding_scale(c["scale_emb"])
            w.add_residual_scale(c["scale_depth"] / math.sqrt(self.layers))
            w.add_logit_scale(hidden / c["dim_model_base"])

    def write_latent_keys(self, heads: int) -> None:
        c, w = self.config, self.writer
        rank, rope = c["kv_lora_rank"], c["qk_rope_head_dim"]
        key, value = c["qk_nope_head_dim"] + rope, c["v_head_dim"]
        if c.get("q_lora_rank"):
            w.add_q_lora_rank(c["q_lora_rank"])
        w.add_kv_lora_rank(rank)
        w.add_rope_dimension_count(rope)
        if self.kind == "minicpm3":
            w.add_head_count_kv(heads)
            w.add_key_length(key)
        elif self.legacy:
            w.add_head_count_kv(heads)
            w.add_key_length(key)
            w.add_value_length(value)
        else:
            w.add_head_count_kv(1)
            w.add_key_length(rank + rope)
            w.add_value_length(rank)
            w.add_key_length_mla(key)
            w.add_value_length_mla(value)

    def write_experts_keys(self) -> None:
        c, w = self.config, self.writer
        if self.arch != gguf.MODEL_ARCH.DEEPSEEK2:
            return
        experts = c.get("n_routed_experts") or 0
        w.add_leading_dense_block_count(c["first_k_dense_replace"] if experts else self.layers)
        w.add_expert_shared_count(c.get("n_shared_experts") or 0)
        if not experts:
            return
        w.add_expert_count(experts)
        w.add_expert_used_count(c["num_experts_per_tok"])
        w.add_expert_feed_forward_length(c["moe_intermediate_size"])
        w.add_expert_weights_scale(c["routed_scaling_factor"])
        if c["norm_topk_prob"]:
            w.add_expert_weights_norm(True)
        sigmoid = c.get("topk_method") == "noaux_tc"
        w.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID if sigmoid else gguf.ExpertGatingFuncType.SOFTMAX)
        if c.get("n_group", 1) > 1:
            w.add_expert_group_count(c["n_group"])
            w.add_expert_group_used_count(c["topk_group"])

    def write_rope_keys(self) -> None:
        scaling, w = self.config.get("rope_scaling"), self.writer
        kind = scaling and (scaling.get("rope_type") or scaling.get("type"))
        if kind == "yarn":
            w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
            w.add_rope_scaling_factor(scaling["factor"])
            w.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
            w.add_rope_scaling_yarn_log_mul(0.1 * scaling["mscale_all_dim"])
        elif kind == "longrope":
            self.add("rope_factors_long.weight", np.array(scaling["long_factor"], np.float32))
            self.add("rope_factors_short.weight", np.array(scaling["short_factor"], np.float32))
        elif kind == "llama3":
            self.add("rope_freqs.weight", self.llama3_factors(scaling))
        elif kind:
            raise SystemExit(f"rope scaling {kind}")

    def llama3_factors(self, s: dict) -> np.ndarray:
        c = self.config
        dim = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
        factors = []
        for i in range(0, dim, 2):
            wavelength = 2 * math.pi * c["rope_theta"] ** (i / dim)
            ratio = s["original_max_position_embeddings"] / wavelength
            low, high = s["low_freq_factor"], s["high_freq_factor"]
            smooth = min(max((ratio - low) / (high - low), 0), 1)
            factors.append(1 / ((1 - smooth) / s["factor"] + smooth))
        return np.array(factors, np.float32)

    def write_tensors(self) -> None:
        experts: dict[str, dict[int, np.ndarray]] = {}
        for name, w in self.tensors.items():
            if name.endswith(("rotary_emb.inv_freq", ".attn.bias")) or self.beyond_last_layer(name):
                continue
            if ".experts." in name:
                before, rest = name.split(".experts.")
                number, part = rest.split(".", 1)
                experts.setdefault(f"{before}.experts.{part}", {})[int(number)] = w
            else:
                self.write_tensor(name, w)
        stacked = {name: np.stack([parts[e] for e in range(len(parts))]) for name, parts in experts.items()}
        for name, w in stacked.items():
            if not self.fused or name.endswith("down_proj.weight"):
                self.write_tensor(name, w)
            elif name.endswith("gate_proj.weight"):
                up = stacked[name.replace("gate_proj", "up_proj")]
                gate = self.gguf_name(name)
                self.add(gate.replace("ffn_gate_exps", "ffn_gate_up_exps"), np.concatenate([w, up], axis=1))

    def write_tensor(self, name: str, w: np.ndarray) -> None:
        c = self.config
        if self.kind == "gpt2" and name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            w = w.T
        if self.kind == "gemma3_text" and name.endswith("norm.weight"):
            w = w + 1
        if self.arch == gguf.MODEL_ARCH.LLAMA:
            if name.endswith("q_proj.weight"):
                w = permuted(w, c["num_attention_heads"])
            if name.endswith("k_proj.weight"):
                w = permuted(w, c["num_key_value_heads"])
        if name.endswith("e_score_correction_bias"):
            name = name.replace("e_score_correction_bias", "e_score_correction.bias")
        if name.endswith("kv_b_proj.weight") and not self.legacy and self.kind != "minicpm3":
            nope, value, heads = c["qk_nope_head_dim"], c["v_head_dim"], c["num_attention_heads"]
            per_head = w.reshape(heads, nope + value, w.shape[-1])
            self.add(self.gguf_name(name.replace("kv_b_proj", "k_b_proj")), per_head[:, :nope].transpose(0, 2, 1))
            self.add(self.gguf_name(name.replace("kv_b_proj", "v_b_proj")), per_head[:, nope:])
            return
        self.add(self.gguf_name(name), w)

    def beyond_last_layer(self, name: str) -> bool:
        parts = name.split(".")
        return "layers" in parts and int(parts[parts.index("layers") + 1]) >= self.layers

    def gguf_name(self, name: str) -> str:
        found = self.names.get_name(name, try_suffixes=(".weight", ".bias"))
        if found is None:
            raise SystemExit(f"gguf knows no name for {name}")
        return found

    def add(self, name: str, w: np.ndarray) -> None:
        self.writer.add_tensor(name, np.ascontiguousarray(w, np.float32))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--legacy", action="store_true", help="one attn_kv_b instead of attn_k_b and attn_v_b")
    parser.add_argument("--fused", action="store_true", help="gate and up of the experts in one tensor")
    arguments = parser.parse_args()
    Converter(arguments.folder, arguments.out, arguments.legacy, arguments.fused).convert()
