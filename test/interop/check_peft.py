"""Logits of transformers with an adapter that PEFT loads: a line of JSON for each BASE ADAPTER pair of arguments.

    python test/interop/check_peft.py TOKENS BASE ADAPTER [BASE ADAPTER ...]     # needs torch, transformers, peft (PyPI)
"""
import json
import sys
import warnings

import peft
import torch
import transformers

tokens = torch.tensor([json.loads(sys.argv[1])])
for base, adapter in zip(sys.argv[2::2], sys.argv[3::2]):
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = peft.PeftModel.from_pretrained(model, adapter).eval()
    unfit = [str(w.message) for w in caught if "adapter keys" in str(w.message)]
    print(json.dumps({"unfit": unfit, "logits": model(tokens).logits[0].flatten().tolist()}))
