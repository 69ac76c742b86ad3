"""Small encoder-decoders with random weights, and what transformers computes and writes with them in float64.

    python test/interop/make_encoder_decoders.py OUT [NAME ...] [--seed N] [--list]

Each becomes a folder OUT/NAME with config.json as the hub's repositories spell it, model.safetensors, tokenizer.json,
expected.safetensors (docs/verify.md) and texts.json: greedy texts and those of a beam search. Those in FIXTURES are kept in
test/fixtures/families; the others have other sizes and switches, for test/interop/encoder-decoders.test.ts. Needs torch, transformers,
tokenizers, sentencepiece and safetensors.
"""

import argparse
import json
import os
import shutil

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import sentencepiece
import tokenizers
import torch
import transformers
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

CORPUS = os.path.join(os.path.dirname(__file__), "../../models/tales-mla-8m/README.md")
TEXTS = [
    "The mouse-king said that the soup was made of a sausage peg.",
    "Once upon a time",
    " ".join(["They wished very much to be queen, but they did not want the trouble of going out into the world;"] * 2),
]
# Of languages, and of what no piece has, which the vocabulary may have all the same.
ODD = [">>de<< What's  the KING of \u00bd \u65e5\u672c?", "KKK ZQ \u65e5 K\u65e5 \U0001f600"]
T5 = {
    "model_type": "t5",
    "vocab_size": 130,
    "d_model": 36,
    "d_kv": 10,
    "d_ff": 44,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 20,
    "layer_norm_epsilon": 1e-6,
    "feed_forward_proj": "relu",
    "is_encoder_decoder": True,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "decoder_start_token_id": 0,
}
MARIAN = {
    "model_type": "marian",
    "vocab_size": 130,
    "d_model": 40,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 5,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 56,
    "decoder_ffn_dim": 64,
    "activation_function": "relu",
    "max_position_embeddings": 200,
    "scale_embedding": True,
    "share_encoder_decoder_embeddings": True,
    "tie_word_embeddings": True,
    "is_encoder_decoder": True,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "decoder_start_token_id": 0,
    "bad_words_ids": [[0]],
    "forced_eos_token_id": 1,
    "num_beams": 4,
}
MODELS = {
    "t5": {**T5},
    "t5-v1-1": {
        **T5,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
        "num_heads": 4,
        "d_kv": 8,
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
    },
    "t5-few-fields": {
        k: v
        for k, v in T5.items()
        if k not in ("num_decoder_layers", "relative_attention_max_distance", "relative_attention_num_buckets", "layer_norm_epsilon")
    },
    "t5-silu": {**T5, "feed_forward_proj": "gated-silu", "relative_attention_num_buckets": 11, "relative_attention_max_distance": 33},
    "t5-saved-by-5": {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": True, "scale_decoder_outputs": False, "num_layers": 1},
    "t5-one-head": {**T5, "num_heads": 1, "d_kv": 7, "d_model": 22, "num_layers": 1, "num_decoder_layers": 1, "relative_attention_num_buckets": 4},
    "mt5": {**T5, "model_type": "mt5", "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    "marian-relu": {**MARIAN},
    "marian-two-vocabularies": {
        **MARIAN,
        "share_encoder_decoder_embeddings": False,
        "decoder_vocab_size": 143,
        "scale_embedding": False,
        "activation_function": "swish",
    },
    "marian-sentencepiece": {**MARIAN, "vocab_size": 160},
    "marian-odd": {**MARIAN, "d_model": 35, "encoder_attention_heads": 7, "decoder_attention_heads": 5, "activation_function": "gelu"},
}
FIXTURES = ["t5", "t5-v1-1"]


def tokenizer_of(size: int) -> transformers.PreTrainedTokenizerFast:
    made = tokenizers.Tokenizer(tokenizers.models.Unigram())
    made.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.NFKC(), tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    made.decoder = tokenizers.decoders.Metaspace()
    trainer = tokenizers.trainers.UnigramTrainer(
        vocab_size=size - 5, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    with open(CORPUS, encoding="utf-8") as file:
        made.train_from_iterator([*file.read().split("\n"), *TEXTS], trainer)
    made.post_processor = tokenizers.processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


def marian_tokenizer(folder: str, size: int, rule: str = "nmt_nfkc") -> transformers.MarianTokenizer:
    """Two models of SentencePiece and the ids of their pieces, as OPUS-MT has them: some pieces have no id, and some ids are the target's alone."""
    with open(CORPUS, encoding="utf-8") as file:
        text = [*file.read().split("\n"), *TEXTS]
    for side, lines, count in (("source", text, 110), ("target", [line.upper() for line in text], 70)):
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_prefix=os.path.join(folder, side),
            vocab_size=count,
            hard_vocab_limit=False,
            normalization_rule_name=rule,
            minloglevel=2,
        )
        os.rename(os.path.join(folder, f"{side}.model"), os.path.join(folder, f"{side}.spm"))
        os.remove(os.path.join(folder, f"{side}.vocab"))
    pieces = []
    for side in ("source", "target"):
        spm = sentencepiece.SentencePieceProcessor(model_file=os.path.join(folder, f"{side}.spm"))
        pieces += [spm.id_to_piece(i) for i in range(3, spm.get_piece_size())]
    kept = [piece for i, piece in enumerate(dict.fromkeys(pieces)) if i % 13 != 5]
    tokens = ["<pad>", "</s>", "<unk>", ">>de<<", *kept][:size]
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump({token: i for i, token in enumerate(tokens)}, file, ensure_ascii=False)
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
        json.dump({"source_lang": "en", "target_lang": "de", "tokenizer_class": "MarianTokenizer"}, file)
    return transformers.MarianTokenizer.from_pretrained(folder)


def weights_of(model, config: dict) -> dict[str, torch.Tensor]:
    """Random weights under the names that files have, with copies of the embedding only where files have them."""
    found = {}
    for name, value in model.state_dict().items():
        if name.endswith("embed_positions.weight"):
            continue
        found[name] = value.clone()
    shared = config.get("share_encoder_decoder_embeddings", True)
    if shared:
        for name in [n for n in found if n.endswith("embed_tokens.weight")]:
            del found[name]
    untied = config.get("tie_word_embeddings") is False or config.get("scale_decoder_outputs") is False
    if not untied:
        found.pop("lm_head.weight", None)
    else:
        found["lm_head.weight"] = found["lm_head.weight"].clone()
    for name, value in found.items():
        if name.endswith("norm.weight"):
            value.copy_(1 + 0.2 * torch.randn_like(value))
        elif name.endswith(".bias") or name == "final_logits_bias":
            value.normal_(0, 0.1)
        elif "relative_attention_bias" in name:
            value.normal_(0, 1)
        elif value.dim() == 2:
            # Embeddings are small beside what layers add, so that texts do not repeat one token.
            value.normal_(0, 0.4 if "shared" in name or "embed" in name else 1.4 * value.shape[1] ** -0.5)
        # T5's scores are not scaled.
        if ".q.weight" in name:
            value.mul_(0.4)
    return {name: value.to(torch.bfloat16).contiguous() for name, value in found.items()}


@torch.no_grad()
def numbers(model, ids: list[int], start: int, end: int) -> dict[str, np.ndarray]:
    source = torch.tensor([ids])
    decoder = torch.tensor([[start, *[(7 * i + 3) % end for i in range(min(len(ids), 18))]]])
    out = model(
        input_ids=source, decoder_input_ids=decoder, output_hidden_states=True, output_attentions=True, use_cache=False
    )
    stack = lambda tensors: torch.stack([t[0] for t in tensors]).float().numpy()
    text = torch.tensor([[start]])
    for _ in range(24):
        logits = model(input_ids=source, decoder_input_ids=text, use_cache=False).logits[0, -1]
        text = torch.cat([text, logits.argmax().reshape(1, 1)], dim=1)
    return {
        "input_ids": np.array(ids, dtype=np.int64),
        "decoder_input_ids": decoder[0].numpy(),
        "logits": out.logits[0].float().numpy(),
        "encoder_hidden": stack(out.encoder_hidden_states),
        "decoder_hidden": stack(out.decoder_hidden_states),
        "decoder_attentions": stack(out.decoder_attentions),
        "cross_attentions": stack(out.cross_attentions),
        "greedy": text[0, 1:].numpy(),
    }


@torch.no_grad()
def texts(model, tokenizer, text: str, ids: list[int], end: int) -> dict:
    def written(**options) -> list[dict]:
        out = model.generate(
            torch.tensor([ids]),
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=True,
            # transformers makes its cache for as many layers as the encoder has.
            use_cache=False,
            **options,
        )
        scores = getattr(out, "sequences_scores", None)
        found = []
        for i, sequence in enumerate(out.sequences[:, 1:].tolist()):
            kept = sequence[: sequence.index(end)] if end in sequence else sequence
            known = all(id < len(tokenizer) for id in kept)
            found.append(
                {
                    "ids": kept,
                    "ended": end in sequence,
                    "text": tokenizer.decode(kept, skip_special_tokens=True) if known else None,
                    "score": None if scores is None else scores[i].item(),
                }
            )
        return found

    return {
        "source": text,
        "source_ids": ids,
        "greedy": written(num_beams=1, max_new_tokens=20)[0],
        "beams": written(num_beams=3, num_return_sequences=3, max_new_tokens=14, early_stopping=True, length_penalty=1.0),
    }


def make(out: str, name: str, seed: int) -> None:
    torch.manual_seed(seed * 1000 + sorted(MODELS).index(name))
    config = dict(MODELS[name])
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    classes = {
        "t5": (transformers.T5Config, transformers.T5ForConditionalGeneration),
        "mt5": (transformers.MT5Config, transformers.MT5ForConditionalGeneration),
        "marian": (transformers.MarianConfig, transformers.MarianMTModel),
    }
    config_class, model_class = classes[config["model_type"]]
    fresh = model_class(config_class(**{k: v for k, v in config.items() if k != "model_type"}))
    save_tensors(weights_of(fresh, config), os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    written = {"architectures": [model_class.__name__], **config}
    for file, value in {"config.json": written, "generation_config.json": generation(config)}.items():
        with open(os.path.join(folder, file), "w", encoding="utf-8") as handle:
            json.dump(value, handle, indent=2)
    if name == "marian-sentencepiece":
        tokenizer = marian_tokenizer(folder, config["vocab_size"])
    else:
        tokenizer = tokenizer_of(config["vocab_size"])
        tokenizer.save_pretrained(folder)
    model = model_class.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    tensors, found = {}, []
    for p, text in enumerate([*TEXTS, *ODD] if name == "marian-sentencepiece" else TEXTS):
        ids = tokenizer(text).input_ids
        end = config.get("decoder_vocab_size", config["vocab_size"])
        for key, value in numbers(model, ids, config["decoder_start_token_id"], end).items():
            tensors[f"{p}.{key}"] = np.ascontiguousarray(value)
        found.append(texts(model, tokenizer, text, ids, config["eos_token_id"]))
    by = f"transformers {transformers.__version__}, torch {torch.__version__}, float64"
    save_file(tensors, os.path.join(folder, "expected.safetensors"), metadata={"made_by": by})
    with open(os.path.join(folder, "texts.json"), "w", encoding="utf-8") as handle:
        json.dump(found, handle, ensure_ascii=False)


def t5_tokenizer(folder: str, size: int) -> transformers.T5Tokenizer:
    """A spiece.model whose pieces are ids, and three tokens for gaps."""
    with open(CORPUS, encoding="utf-8") as file:
        text = [*file.read().split("\n"), *TEXTS]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_prefix=os.path.join(folder, "spiece"),
        vocab_size=size,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    os.remove(os.path.join(folder, "spiece.vocab"))
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
        json.dump({"extra_ids": 3, "tokenizer_class": "T5Tokenizer"}, file)
    return transformers.T5Tokenizer.from_pretrained(folder, extra_ids=3)


def make_tokenizer(folder: str) -> None:
    """test/fixtures/tokenizers/marian and t5: files of SentencePiece without a map of characters, and what transformers makes of some texts."""
    os.makedirs(folder, exist_ok=True)
    if os.path.basename(folder) == "t5":
        return expect_texts(folder, t5_tokenizer(folder, 120), [*TEXTS[:2], *ODD, "", " ", "A <extra_id_0> and<extra_id_2> b", "</s> a <unk>"])
    tokenizer = marian_tokenizer(folder, 160, "identity")
    expect_texts(folder, tokenizer, [*TEXTS[:2], *ODD, "", " ", "Once >>de<< upon", "</s> a <unk>"])
    os.remove(os.path.join(folder, "target.spm"))


def expect_texts(folder: str, tokenizer, texts: list[str]) -> None:
    found = [{"text": text, "ids": tokenizer(text).input_ids, "decoded": tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True)} for text in texts]
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(found, file, ensure_ascii=False)


def generation(config: dict) -> dict:
    keys = ["pad_token_id", "eos_token_id", "decoder_start_token_id", "bad_words_ids"]
    return {key: config[key] for key in keys if key in config}


def main() -> None:
    # Of tensors as small as these, other threads only wait for each other.
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tokenizer", metavar="FOLDER", help="write Marian's small tokenizer there instead, or T5's in a folder t5")
    parser.add_argument("--list", action="store_true", help="print the names as JSON")
    args = parser.parse_args()
    if args.list:
        print(json.dumps(list(MODELS)))
        return
    if args.tokenizer:
        make_tokenizer(args.tokenizer)
        return
    for name in args.names or FIXTURES:
        make(args.out, name, args.seed)


if __name__ == "__main__":
    main()
