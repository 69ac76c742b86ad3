"""A Llama of a GGUF file as ONNX for transformers.js: f32, 8-bit and 4-bit weights, with ONNX Runtime's own fused operators.

    python3 bench/browser/export-onnx.py MODEL.gguf FOLDER

Needs onnx, numpy and gguf from PyPI. The fused forms (grouped attention with rope, products of whole 8-bit rows with 8-bit
activations, products of 4-bit blocks) are the fastest that ONNX Runtime's WebAssembly has. 4-bit blocks are symmetric, as the
exports of transformers.js are. Logits are computed for the last token only.
"""

import json
import os
import sys

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCK = 32
source, folder = sys.argv[1:3]
reader = gguf.GGUFReader(source)
tensors = {t.name: t for t in reader.tensors}


def field(name):
    return reader.fields[f"llama.{name}"].contents()


LAYERS = field("block_count")
D = field("embedding_length")
HEADS = field("attention.head_count")
GROUPS = field("attention.head_count_kv")
EPS = field("attention.layer_norm_rms_epsilon")
THETA = field("rope.freq_base")
CONTEXT = min(field("context_length"), 4096)
FFN = field("feed_forward_length")
HEAD = D // HEADS


def weight(name):
    t = tensors[name]
    return gguf.dequantize(t.data, t.tensor_type).astype(np.float32)


VOCAB = weight("token_embd.weight").shape[0]


class Graph:
    def __init__(self, bits):
        self.bits = bits
        self.nodes = []
        self.constants = []
        self.count = 0

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, inputs, outputs=1, domain="", **attributes):
        names = [f"{op}_{self.count}_{i}" for i in range(outputs)] if isinstance(outputs, int) else outputs
        self.count += 1
        self.nodes.append(helper.make_node(op, inputs, names, domain=domain, name=f"n{self.count}", **attributes))
        return names[0] if outputs == 1 else names

    def product(self, x, name, w):
        """x W^T, W [N, K]."""
        if self.bits == 32:
            return self.node("MatMul", [x, self.constant(name, w.T)])
        codes, scales = (eight_bits if self.bits == 8 else four_bits)(w)
        inputs = [x, self.constant(name, codes), self.constant(f"{name}.scales", scales)]
        if self.bits == 8:
            return self.node("DynamicQuantizeMatMul", inputs, domain="com.microsoft")
        n, k = w.shape
        settings = dict(K=k, N=n, bits=4, block_size=BLOCK, accuracy_level=4)
        return self.node("MatMulNBits", inputs, domain="com.microsoft", **settings)


def eight_bits(w):
    """[K, N] codes -127 .. 127 with a scale for each row of W."""
    largest = np.abs(w).max(axis=1)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.round(w / scale[:, None]).astype(np.int8).T, scale


def four_bits(w):
    """Codes 0 .. 15, where 8 is zero, with a scale for 32 columns, two codes a byte. The largest number of a block is -8 or 7 of them."""
    n, k = w.shape
    blocks = w.reshape(n, k // BLOCK, BLOCK)
    low, high = blocks.min(axis=2), blocks.max(axis=2)
    scale = np.where(-low > high, low, high) / -8
    scale = np.where(scale != 0, scale, 1).astype(np.float32)
    codes = np.clip(np.round(blocks / scale[..., None]) + 8, 0, 15).astype(np.uint8)
    return codes[..., 0::2] | (codes[..., 1::2] << 4), scale


def build(bits):
    g = Graph(bits)
    ms = "com.microsoft"
    angles = np.outer(np.arange(CONTEXT), THETA ** (-np.arange(0, HEAD, 2) / HEAD))
    cos, sin = g.constant("cos", np.cos(angles).astype(np.float32)), g.constant("sin", np.sin(angles).astype(np.float32))
    one = g.constant("one", np.array([1], np.int64))
    length = g.node("ReduceSum", ["attention_mask", one], keepdims=0)
    last_key = g.node("Cast", [g.node("Sub", [length, g.constant("one1", np.array(1, np.int64))])], to=TensorProto.INT32)
    total = g.node("Gather", [g.node("Shape", ["attention_mask"]), g.constant("one0", np.array(1, np.int64))])
    total = g.node("Cast", [total], to=TensorProto.INT32)
    x = g.node("Gather", [g.constant("embedding", weight("token_embd.weight")), "input_ids"])
    added = None
    for i in range(LAYERS):
        name = f"blk.{i}"

        def norm(x, added, which):
            scale = g.constant(f"{name}.{which}", weight(f"{name}.{which}.weight"))
            if added is None:
                return g.node("SimplifiedLayerNormalization", [x, scale], epsilon=EPS, axis=-1), x
            out = g.node("SkipSimplifiedLayerNormalization", [x, added, scale], 4, domain=ms, epsilon=EPS)
            g.nodes[-1].output[1] = g.nodes[-1].output[2] = ""
            return out[0], out[3]

        h, x = norm(x, added, "attn_norm")
        q, k, v = (g.product(h, f"{name}.{p}", weight(f"{name}.attn_{p}.weight")) for p in "qkv")
        past = [f"past_key_values.{i}.{p}" for p in ("key", "value")]
        present = [f"present.{i}.{p}" for p in ("key", "value")]
        # llama.cpp's files have the rows of q and k permuted, so that rope rotates neighbours.
        rope = dict(do_rotary=1, rotary_interleaved=1)
        inputs = [q, k, v, *past, last_key, total, cos, sin]
        outputs = [f"attended.{i}", *present]
        g.node("GroupQueryAttention", inputs, outputs, domain=ms, num_heads=HEADS, kv_num_heads=GROUPS, **rope)
        added = g.product(outputs[0], f"{name}.o", weight(f"{name}.attn_output.weight"))
        h, x = norm(x, added, "ffn_norm")
        gate, up = (g.product(h, f"{name}.{p}", weight(f"{name}.ffn_{p}.weight")) for p in ("gate", "up"))
        gated = g.node("Mul", [g.node("Mul", [gate, g.node("Sigmoid", [gate])]), up])
        added = g.product(gated, f"{name}.down", weight(f"{name}.ffn_down.weight"))
    end = g.constant("end", np.array([-1], np.int64))
    far = g.constant("far", np.array([2**62], np.int64))
    x, added = (g.node("Slice", [t, end, far, one]) for t in (x, added))
    scale = g.constant("output_norm", weight("output_norm.weight"))
    h = g.node("SkipSimplifiedLayerNormalization", [x, added, scale], domain=ms, epsilon=EPS)
    head = weight("output.weight" if "output.weight" in tensors else "token_embd.weight")
    logits = g.product(h, "head", head)
    g.nodes[-1].output[0] = "logits"

    def value(name, shape, kind=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, shape)

    keys = [("key", "value")[j] for _ in range(LAYERS) for j in (0, 1)]
    at = [i // 2 for i in range(2 * LAYERS)]
    inputs = [value("input_ids", ["batch_size", "sequence_length"], TensorProto.INT64), value("attention_mask", ["batch_size", "total_sequence_length"], TensorProto.INT64)]
    inputs += [value(f"past_key_values.{i}.{p}", ["batch_size", GROUPS, "past_sequence_length", HEAD]) for i, p in zip(at, keys)]
    outputs = [value("logits", ["batch_size", 1, VOCAB])]
    outputs += [value(f"present.{i}.{p}", ["batch_size", GROUPS, "total_sequence_length", HEAD]) for i, p in zip(at, keys)]
    graph = helper.make_graph(g.nodes, "llama", inputs, outputs, g.constants)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(ms, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


os.makedirs(os.path.join(folder, "onnx"), exist_ok=True)
for bits, name in ((32, "model.onnx"), (8, "model_quantized.onnx"), (4, "model_q4.onnx")):
    onnx.save(build(bits), os.path.join(folder, "onnx", name))
config = dict(
    model_type="llama", architectures=["LlamaForCausalLM"], hidden_size=D, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
    num_key_value_heads=GROUPS, head_dim=HEAD, intermediate_size=FFN, vocab_size=VOCAB, max_position_embeddings=CONTEXT,
    rms_norm_eps=EPS, rope_theta=THETA, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
)
for file, contents in (("config.json", config), ("generation_config.json", dict(bos_token_id=1, eos_token_id=2))):
    with open(os.path.join(folder, file), "w") as out:
        json.dump(contents, out)
