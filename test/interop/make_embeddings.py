"""Makes test/fixtures/embeddings: tiny encoders with random weights, and the vectors and scores that transformers computes.

    python test/interop/make_embeddings.py [LLAMA_CPP]

OUT: another folder. Needs torch, transformers and safetensors. LLAMA_CPP: a checkout of llama.cpp, whose converter then makes bert.gguf.
"""

import json
import os
import shutil
import subprocess
import sys

import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast
from transformers import RobertaConfig, RobertaForSequenceClassification, RobertaModel

OUT = os.environ.get("OUT", "test/fixtures/embeddings")
WORDS = "the a cat dog sat ran on mat hill in sun rain old red fox hen said late naive cafe ##s ##ing ##ed 日 本".split()
LETTERS = [*"abcdefghijklmnopqrstuvwxyz0123456789", *".,!?;:'-$@"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", *WORDS, *LETTERS, *["##" + c for c in LETTERS[:36]]]
TEXTS = [
    "The cat sat on the mat.",
    "A dog ran, in the rain!",
    "old FOXES said: naïve café",
    "x",
    "日本 ☃ unknown",
    "the red hen " * 9,
    "$100,000 [SEP] it's late",
]
QUERY = "where is the cat?"
SIZES = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 48,
    "hidden_act": "gelu",
    "initializer_range": 0.3,
}


# The converter knows tokenizers by a hash of what they make of a text, and none of these.
CONVERT = """
import runpy, sys
folder = sys.argv.pop(1)
sys.path[:0] = [folder, folder + "/gguf-py"]
from conversion.base import TextModel
TextModel.get_vocab_base_pre = lambda self, tokenizer: "default"
runpy.run_path(folder + "/convert_hf_to_gguf.py", run_name="__main__")
"""


def randomised(model):
    """Norms and biases are ones and zeros at first, which would hide mistakes."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("bias"):
                p.copy_(torch.randn(p.shape, generator=generator) * 0.2)
            elif "LayerNorm" in name:
                p.copy_(1 + torch.randn(p.shape, generator=generator) * 0.2)
    return model.eval()


def tokenizer_for(limit):
    os.makedirs(OUT, exist_ok=True)
    vocabulary = f"{OUT}/vocab.txt"
    with open(vocabulary, "w", encoding="utf-8") as f:
        f.write("\n".join(VOCABULARY) + "\n")
    tokenizer = BertTokenizerFast(vocabulary, model_max_length=limit)
    os.remove(vocabulary)
    return tokenizer


def save(name, model, tokenizer):
    folder = f"{OUT}/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=1)
        f.write("\n")


def encoded(tokenizer, *texts):
    # Special tokens that are written out in a text are text.
    return tokenizer(*texts, return_tensors="pt", split_special_tokens=True)


def vectors(model, tokenizer, pooling, normalize, texts=TEXTS):
    found = []
    for text in texts:
        inputs = encoded(tokenizer, text)
        if model.config.type_vocab_size < 2:
            inputs.pop("token_type_ids", None)
        hidden = model(**inputs).last_hidden_state[0]
        vector = hidden.mean(0) if pooling == "mean" else hidden[0 if pooling == "cls" else -1]
        found.append((vector / vector.norm() if normalize else vector).tolist())
    return found


def ids(tokenizer):
    return [encoded(tokenizer, text).input_ids[0].tolist() for text in TEXTS]


def bert():
    torch.manual_seed(1)
    tokenizer = tokenizer_for(40)
    model = randomised(BertModel(BertConfig(**SIZES)))
    folder = save("bert", model, tokenizer)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    names = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(modules)
    ]
    write(f"{folder}/modules.json", names)
    write(f"{folder}/1_Pooling/config.json", {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    write(f"{folder}/sentence_bert_config.json", {"max_seq_length": 40, "do_lower_case": False})
    prompts = {"prompts": {"query": "the old fox said: ", "document": ""}, "default_prompt_name": None}
    write(f"{folder}/config_sentence_transformers.json", prompts)
    modes = {mode: vectors(model, tokenizer, mode, mode != "last") for mode in ["mean", "cls", "last"]}
    asked = vectors(model, tokenizer, "mean", True, ["the old fox said: " + t for t in TEXTS[:2]])
    write(f"{folder}/expected.json", {"texts": TEXTS, "ids": ids(tokenizer), **modes, "query": asked})


def roberta():
    torch.manual_seed(2)
    tokenizer = tokenizer_for(46)
    sizes = {**SIZES, "type_vocab_size": 1, "pad_token_id": 0, "id2label": {0: "LABEL_0"}}
    model = randomised(RobertaModel(RobertaConfig(**sizes)))
    folder = save("roberta", model, tokenizer)
    write(f"{folder}/expected.json", {"texts": TEXTS, "ids": ids(tokenizer), "mean": vectors(model, tokenizer, "mean", True)})
    reranker("roberta-reranker", RobertaForSequenceClassification(RobertaConfig(**sizes)), tokenizer)


def reranker(name, model, tokenizer):
    model = randomised(model)
    folder = save(name, model, tokenizer)
    scores = []
    for text in TEXTS:
        inputs = encoded(tokenizer, QUERY, text)
        if model.config.type_vocab_size < 2:
            inputs.pop("token_type_ids", None)
        if inputs.input_ids.shape[1] <= 46:
            scores.append(model(**inputs).logits[0, 0].item())
    write(f"{folder}/expected.json", {"query": QUERY, "documents": TEXTS[: len(scores)], "scores": scores})


def main():
    with torch.no_grad():
        bert()
        roberta()
        torch.manual_seed(3)
        reranker("bert-reranker", BertForSequenceClassification(BertConfig(**SIZES, num_labels=1)), tokenizer_for(48))
    if len(sys.argv) > 1:
        convert = [sys.executable, "-c", CONVERT, sys.argv[1], f"{OUT}/bert", "--outtype", "f32"]
        subprocess.run([*convert, "--outfile", f"{OUT}/bert.gguf"], check=True)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")


main()
