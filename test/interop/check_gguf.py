"""Reads GGUF files with llama.cpp's own Python package (PyPI: gguf, numpy) and hashes what it dequantises.

    python check_gguf.py FILE

Prints one line of JSON: names of all keys, and per tensor its type, shape and the SHA-256 of its numbers as f32.
"""

import hashlib
import json
import sys

import gguf
import numpy as np

reader = gguf.GGUFReader(sys.argv[1])
tensors = {}
for tensor in reader.tensors:
    numbers = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype("<f4")
    shape = [int(size) for size in reversed(tensor.shape)]
    digest = hashlib.sha256(np.ascontiguousarray(numbers).tobytes()).hexdigest()
    tensors[tensor.name] = [tensor.tensor_type.name, shape, digest]
print(json.dumps({"keys": [key for key in reader.fields if not key.startswith("GGUF.")], "tensors": tensors}))
