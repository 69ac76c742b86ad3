"""Makes test/fixtures/lora: small models of transformers with adapters of PEFT, and what they compute.

    python test/interop/make_lora.py        # needs torch, transformers, peft and safetensors (PyPI)

For each model: the folder of the base, the adapter as PEFT saves it, and expected.safetensors in float64 sums: logits with the adapter and without,
the loss of the next tokens and its gradients with respect to lora_A and lora_B, and the loss of DPO (arXiv 2305.18290, eq. 7; beta 0.1, the
sums of log-probabilities, as TRL's sigmoid loss) of a pair with the adapter off as reference, with its gradients.
"""
import json
import pathlib
import shutil

import peft
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file

PLACE = pathlib.Path(__file__).parent.parent / "fixtures" / "lora"
SMALL = dict(
    vocab_size=48, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=64, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False, initializer_range=0.3,
)
MODELS = {
    "llama": (
        transformers.LlamaConfig(**SMALL, num_key_value_heads=2),
        peft.LoraConfig(r=3, lora_alpha=5, target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]),
    ),
    "deepseek_v3": (
        transformers.DeepseekV3Config(
            **SMALL, num_key_value_heads=4, kv_lora_rank=10, q_lora_rank=14, qk_nope_head_dim=6, qk_rope_head_dim=4, v_head_dim=6,
            first_k_dense_replace=1, moe_intermediate_size=12, n_routed_experts=4, n_shared_experts=1, num_experts_per_tok=2,
            n_group=2, topk_group=1,
        ),
        peft.LoraConfig(r=4, lora_alpha=6, use_rslora=True,
                        target_modules=["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"]),
    ),
}


def sum_of_logprobs(model, prompt, answer):
    ids = torch.tensor([prompt + answer])
    logps = F.log_softmax(model(ids[:, :-1]).logits[0], -1)
    return sum(logps[len(prompt) - 1 + i, token] for i, token in enumerate(answer))


def gradients(model, prefix):
    return {
        f"{prefix} {name.replace('.default', '')}": p.grad.float().contiguous()
        for name, p in model.named_parameters() if p.requires_grad
    }


def make(name, config, lora):
    torch.manual_seed(7)
    place = PLACE / name
    shutil.rmtree(place, ignore_errors=True)
    config._attn_implementation = "eager"
    config._experts_implementation = "eager"
    base = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    for parameter in base.parameters():
        if parameter.dim() == 1:
            parameter.data += 0.2 * torch.randn_like(parameter)
    base.save_pretrained(place / "base")
    model = peft.get_peft_model(base, lora).eval()
    for parameter_name, parameter in model.named_parameters():
        if "lora_B" in parameter_name:
            parameter.data = 0.3 * torch.randn_like(parameter)
    model.save_pretrained(place / "adapter")
    (place / "adapter" / "README.md").unlink(missing_ok=True)
    model = model.double()
    tokens = [1, 7, 33, 4, 4, 19, 40, 22, 11, 5, 47, 3]
    prompt, chosen, rejected = tokens[:5], tokens[5:9], [9, 2, 30, 31, 8, 2]
    ids = torch.tensor([tokens])
    expected = {"logits": model(ids).logits[0].detach().float()}
    with model.disable_adapter():
        expected["base logits"] = model(ids).logits[0].detach().float()
    loss = F.cross_entropy(model(ids[:, :-1]).logits[0], ids[0, 1:])
    loss.backward()
    expected |= gradients(model, "loss")
    model.zero_grad()
    with model.disable_adapter(), torch.no_grad():
        reference = [sum_of_logprobs(model, prompt, answer) for answer in (chosen, rejected)]
    policy = [sum_of_logprobs(model, prompt, answer) for answer in (chosen, rejected)]
    margin = 0.1 * ((policy[0] - reference[0]) - (policy[1] - reference[1]))
    dpo = -F.logsigmoid(margin)
    dpo.backward()
    expected |= gradients(model, "dpo")
    expected["scalars"] = torch.stack([loss, dpo, margin, *reference, *policy]).detach().float()
    save_file(expected, place / "expected.safetensors")
    (place / "expected.json").write_text(json.dumps({"tokens": tokens, "prompt": prompt, "chosen": chosen, "rejected": rejected}) + "\n")


for name, (config, lora) in MODELS.items():
    make(name, config, lora)
print(f"transformers {transformers.__version__}, PEFT {peft.__version__}, torch {torch.__version__}")
