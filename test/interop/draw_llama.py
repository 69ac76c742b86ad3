"""
Samplers of llama.cpp, from the library named by the first argument: each line of stdin is
{"logits": [...], "history": [...], "steps": [[name, arguments...], ...]}; each line of stdout the probabilities by id.
"""
import ctypes
import json
import math
import os
import sys
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_float, c_int32, c_int64, c_size_t, c_uint32, c_void_p


class Token(Structure):
    _fields_ = [("id", c_int32), ("logit", c_float), ("p", c_float)]


class Row(Structure):
    _fields_ = [("data", POINTER(Token)), ("size", c_size_t), ("selected", c_int64), ("sorted", c_bool)]


folder = os.path.dirname(sys.argv[1])
for name in ("libggml-base.so", "libggml.so"):
    if os.path.exists(os.path.join(folder, name)):
        ctypes.CDLL(os.path.join(folder, name), mode=ctypes.RTLD_GLOBAL)
llama = ctypes.CDLL(sys.argv[1])

MAKE = {
    "penalties": [c_int32, c_int32, c_float, c_float, c_float],
    "dry": [c_void_p, c_float, c_float, c_int32, c_int32, POINTER(c_char_p), c_size_t],
    "top_n_sigma": [c_float],
    "top_k": [c_int32],
    "typical": [c_float, c_size_t],
    "top_p": [c_float, c_size_t],
    "min_p": [c_float, c_size_t],
    "xtc": [c_float, c_float, c_size_t, c_uint32],
    "temp": [c_float],
    "temp_ext": [c_float, c_float, c_float],
    "mirostat_v2": [c_uint32, c_float, c_float],
}
for name, arguments in MAKE.items():
    make = getattr(llama, "llama_sampler_init_" + name)
    make.argtypes, make.restype = arguments, c_void_p
llama.llama_sampler_apply.argtypes = [c_void_p, POINTER(Row)]
llama.llama_sampler_accept.argtypes = [c_void_p, c_int32]
llama.llama_sampler_free.argtypes = [c_void_p]

for line in sys.stdin:
    case = json.loads(line)
    logits = [-math.inf if logit is None else logit for logit in case["logits"]]
    tokens = (Token * len(logits))(*[Token(id, logit, 0) for id, logit in enumerate(logits)])
    row = Row(tokens, len(logits), -1, False)
    for name, *arguments in case["steps"]:
        sampler = getattr(llama, "llama_sampler_init_" + name)(*arguments)
        for id in case["history"]:
            llama.llama_sampler_accept(sampler, id)
        llama.llama_sampler_apply(sampler, byref(row))
        llama.llama_sampler_free(sampler)
    kept = {row.data[i].id: row.data[i].logit for i in range(row.size)}
    highest = max(kept.values())
    weights = [math.exp(kept[id] - highest) if id in kept else 0 for id in range(len(logits))]
    print(json.dumps([weight / sum(weights) for weight in weights]), flush=True)
