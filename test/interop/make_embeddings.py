"""Makes test/fixtures/embeddings: tiny encoders with random weights, and the vectors and scores that transformers computes.

    python test/interop/make_embeddings.py [LLAMA_CPP]

OUT: another folder. Needs torch, transformers, safetensors, and sentencepiece with protobuf. LLAMA_CPP: a checkout of llama.cpp, whose
converter then makes the files of GGUF.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unicodedata

import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import NomicBertConfig, NomicBertModel, PreTrainedTokenizerFast
from transformers import RobertaConfig, RobertaForSequenceClassification, RobertaModel
from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification, XLMRobertaModel

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
# What SentencePiece's normaliser and its spaces are for.
XLM_TEXTS = [
    *TEXTS[:4],
    "  the\u00a0cat \t sat\n on\u3000the  mat ",
    "\uff34\uff48\uff45 \ufb01ne \ufb00ox \u00bd na\u00ef\u0308ve cafe\u0301 \u212b \ufb01",
    "日本 ☃ hen\u200b house 👍🏿 x",
    "the red hen " * 8,
    "$100,000 it\u2019s late\u2026",
]
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


# The charsmap of SentencePiece's own nmt_nfkc has 240 kB: a part of its rules.
def rules():
    single = [*range(0xA0, 0x180), *range(0x2010, 0x2070), *range(0x2100, 0x2140), *range(0xFB00, 0xFB07), *range(0xFF01, 0xFF5F)]
    pairs = [base + mark for base in "aeiouAEIOU" for mark in "\u0300\u0301\u0308"]
    spaces = ["\t", "\n", "\r", "\u00a0", "\u3000", "\u2009"]
    changed = {text: unicodedata.normalize("NFKC", text) for text in [*map(chr, single), *pairs]}
    changed = {text: to for text, to in changed.items() if text != to} | {text: " " for text in spaces} | {"\u200b": " "}
    code = lambda text: " ".join(f"{ord(c):04X}" for c in text)
    return "".join(f"{code(text)}\t{code(to)}\n" for text, to in changed.items())


def sentencepiece(folder):
    import sentencepiece as library

    with open(f"{folder}/rules.tsv", "w", encoding="utf-8") as f:
        f.write(rules())
    with open(f"{folder}/corpus.txt", "w", encoding="utf-8") as f:
        f.writelines(f"{text.strip()} {word}\n" for text in [*TEXTS[:4], TEXTS[5]] for word in WORDS)
    library.SentencePieceTrainer.train(
        input=f"{folder}/corpus.txt", model_prefix=f"{folder}/sentencepiece.bpe", vocab_size=100, num_threads=1,
        model_type="unigram", normalization_rule_tsv=f"{folder}/rules.tsv", hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip


# As transformers converts it: the tokens that control the model first, then the pieces.
def xlm_tokenizer(folder, limit):
    os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"
    from sentencepiece import sentencepiece_model_pb2 as library

    proto = library.ModelProto()
    with open(f"{folder}/sentencepiece.bpe.model", "rb") as f:
        proto.ParseFromString(f.read())
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [(piece.piece, piece.score) for piece in proto.pieces[3:]]
    vocabulary = [*[(name, 0.0) for name in names], *pieces, ("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    named = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    named |= {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=limit, **named)
    fast.model_input_names = ["input_ids", "attention_mask"]
    return fast


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


def ids(tokenizer, texts=TEXTS):
    return [encoded(tokenizer, text).input_ids[0].tolist() for text in texts]


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


def xlm_roberta():
    torch.manual_seed(4)
    with tempfile.TemporaryDirectory() as made:
        sentencepiece(made)
        tokenizer = xlm_tokenizer(made, 46)
        sizes = {**SIZES, "vocab_size": len(tokenizer), "type_vocab_size": 1, "pad_token_id": 1, "id2label": {0: "LABEL_0"}}
        sizes |= {"max_position_embeddings": 50, "layer_norm_eps": 1e-5, "bos_token_id": 0, "eos_token_id": 2}
        model = randomised(XLMRobertaModel(XLMRobertaConfig(**sizes)))
        folder = save("xlm-roberta", model, tokenizer)
        known = {mode: vectors(model, tokenizer, mode, True, XLM_TEXTS) for mode in ["mean", "cls"]}
        write(f"{folder}/expected.json", {"texts": XLM_TEXTS, "ids": ids(tokenizer, XLM_TEXTS), **known})
        name = "xlm-roberta-reranker"
        reranker(name, XLMRobertaForSequenceClassification(XLMRobertaConfig(**sizes)), tokenizer)
        for folder in [folder, f"{OUT}/{name}"]:
            to_gguf(folder, f"{made}/sentencepiece.bpe.model")


# transformers' own config.json has other names than those that Nomic has published.
PUBLISHED = {
    "activation_function": "swiglu", "causal": False, "layer_norm_epsilon": 1e-12, "max_trained_positions": 2048,
    "mlp_fc1_bias": False, "mlp_fc2_bias": False, "model_type": "nomic_bert", "n_positions": 8192, "parallel_block": False,
    "prenorm": False, "qkv_proj_bias": False, "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False,
    "rotary_emb_scale_base": None, "rotary_scaling_factor": None, "type_vocab_size": 2, "use_rms_norm": False,
}  # fmt: skip


def nomic_bert():
    torch.manual_seed(5)
    tokenizer = tokenizer_for(2048)
    sizes = {name: size for name, size in SIZES.items() if name not in ["hidden_act", "max_position_embeddings"]}
    model = randomised(NomicBertModel(NomicBertConfig(**sizes)))
    folder = save("nomic-bert", model, tokenizer)
    names = {"vocab_size": "vocab_size", "hidden_size": "n_embd", "num_hidden_layers": "n_layer"}
    names |= {"num_attention_heads": "n_head", "intermediate_size": "n_inner"}
    published = {new: SIZES[old] for old, new in names.items()}
    write(f"{folder}/config.json", {"architectures": ["NomicBertModel"], **published, **PUBLISHED})
    # Long enough that positions turn far.
    texts = [*TEXTS, "the old dog sat in the sun late and said that the hen ran on the hill " * 9]
    known = {mode: vectors(model, tokenizer, mode, mode != "last", texts) for mode in ["mean", "last"]}
    write(f"{folder}/expected.json", {"texts": texts, "ids": ids(tokenizer, texts), **known})
    # The converter asks transformers, which reads its own names only.
    to_gguf(folder, config={old: SIZES[old] for old in names})


def to_gguf(folder, *besides, config={}):
    if len(sys.argv) < 2:
        return
    with tempfile.TemporaryDirectory() as made:
        shutil.copytree(folder, made, dirs_exist_ok=True)
        for path in besides:
            shutil.copy(path, made)
        with open(f"{made}/config.json", encoding="utf-8") as f:
            write(f"{made}/config.json", {**json.load(f), **config})
        convert = [sys.executable, "-c", CONVERT, sys.argv[1], made, "--outtype", "f32"]
        subprocess.run([*convert, "--outfile", f"{folder}.gguf"], check=True)


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
        xlm_roberta()
        nomic_bert()
    to_gguf(f"{OUT}/bert")
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")


main()
