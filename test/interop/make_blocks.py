"""Blocks of types that ggml has and gguf-py may lack, and the numbers that ggml reads in them: test/fixtures/gguf/blocks.

    python test/interop/make_blocks.py LIBGGML_BASE [TYPE ...]

LIBGGML_BASE is the library `libggml-base.so` of a llama.cpp from 0.5.0 on (`node bench/rival/install.mjs` has one). Each TYPE (the default is all below)
becomes TYPE.safetensors and an entry of blocks.json; test/fixtures/gguf/README.md says what they hold. Needs numpy and safetensors, and uses gguf-py's
own arithmetic where it has the type.
"""

import ctypes
import json
import os
import sys

import numpy as np
from safetensors.numpy import save_file

FOLDER = os.path.join(os.path.dirname(__file__), "../fixtures/gguf/blocks")
COLS = 512
# Number in files, elements and bytes of a block, where f16 scales lie.
TYPES = {"NVFP4": (40, 64, 36, []), "Q1_0": (41, 128, 18, [0]), "Q2_0": (42, 64, 18, [0])}


def inputs(rng):
    normal = rng.standard_normal(COLS)
    huge = rng.standard_normal(COLS)
    huge[77] = 30000
    half = rng.standard_normal(COLS)
    half[::2] = 0
    rows = {
        "normal": normal,
        "small (x 0.02)": 0.02 * rng.standard_normal(COLS),
        "zeros": np.zeros(COLS),
        "one huge value (30000)": huge,
        "negative only": -np.abs(rng.standard_normal(COLS)),
        "offset (3 + 0.1 normal)": 3 + 0.1 * rng.standard_normal(COLS),
        "tiny (x 1e-6)": 1e-6 * rng.standard_normal(COLS),
        "half zeros": half,
        "ramp -1..1": np.linspace(-1, 1, COLS),
        "heavy-tailed": rng.standard_t(2, COLS),
    }
    return list(rows), np.stack(list(rows.values())).astype(np.float32)


def main():
    library = ctypes.CDLL(sys.argv[1])
    pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
    with open(os.path.join(FOLDER, "blocks.json")) as file:
        index = json.load(file)
    for name in sys.argv[2:] or TYPES:
        number, elements, size, scales = TYPES[name]
        rng = np.random.default_rng(number)
        names, rows = inputs(rng)
        width = COLS // elements * size
        written = np.zeros((len(rows), width), np.uint8)
        for row, to in zip(rows, written):
            getattr(library, f"quantize_row_{name.lower()}_ref")(pointer(row), pointer(to), ctypes.c_int64(COLS))
        anything = rng.integers(0, 256, (4, width), np.uint8)
        for at in scales:
            tame = ((0.5 + rng.random((4, COLS // elements))) * 2.0**-6).astype(np.float16)
            anything.reshape(4, -1, size)[:, :, at : at + 2] = tame.view(np.uint8).reshape(4, -1, 2)
        stored = np.concatenate([written, anything])
        values = np.zeros((len(stored), COLS), np.float32)
        for row, to in zip(stored, values):
            getattr(library, f"dequantize_row_{name.lower()}")(pointer(row), pointer(to), ctypes.c_int64(COLS))
        entry = {"ggml_type": number, "block_size": elements, "block_bytes": size, "rows": names + ["random bytes"] * 4}
        apart = difference(name, stored, values)
        if apart is not None:
            entry["max_difference_gguf_py_and_ggml"] = apart
        error = np.sqrt(np.mean((values[0] - rows[0]) ** 2))
        index["types"][name] = {**entry, "finite": bool(np.isfinite(values).all()), "quantisation_rmse_of_normal_row": float(error)}
        save_file({"bytes": stored, "values": values, "input": rows}, os.path.join(FOLDER, f"{name}.safetensors"))
        print(name, index["types"][name])
    with open(os.path.join(FOLDER, "blocks.json"), "w") as file:
        json.dump(index, file, indent=1)


def difference(name, stored, values):
    """From gguf-py's arithmetic; None where it has none."""
    import gguf

    try:
        kind = gguf.GGMLQuantizationType[name]
        return float(np.abs(gguf.quants.dequantize(stored, kind) - values).max())
    except (KeyError, NotImplementedError):
        return None


main()
