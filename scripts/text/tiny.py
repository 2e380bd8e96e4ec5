"""Trains the project's own tiny vocabularies, one of each kind, and writes them as GGUF files.

The BPE one is trained on whole texts, without a pre-tokenizer: its merges run over words, digits and lines, so that
every difference between two pre-tokenizers shows in the ids.
"""

import collections
import io
import json
import pathlib

import gguf
import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

import corpus
from oracles import BYTE, CONTROL, NORMAL, RAW_UTF8, UNKNOWN, UNUSED, USER_DEFINED

# Replacements of the tiny unigram model: one to several, several to one, to nothing, longest first.
RULES = {"ﬁ": "fi", "ﬃ": "ffi", "½": "1/2", "e\u0301": "é", "\u00ad": "", "Ａ": "A", "Ａ！": "A!", "\u3000": " ", "\t": " ",
         "\n": " ", "…": "...", "ß": "ss", "\u200b": " ", "中": "[CJK]"}


def training_texts():
    return [t for t in corpus.corpus(3000, seed=7) if t.strip()] + [" ".join(corpus.WORDS)] * 50


def common_characters(texts, n=220):
    """The texts without their rare characters, which would fill a small vocabulary."""
    count = collections.Counter("".join(texts))
    common = {c for c, _ in count.most_common(n)} | set("".join(RULES.values()))
    return ["".join(c for c in text if c in common) for text in texts]


def writer(path, model, tokens, types, scores=None):
    w = gguf.GGUFWriter(path, "llama")
    w.add_tokenizer_model(model)
    w.add_token_list(tokens)
    w.add_token_types(types)
    if scores:
        w.add_token_scores(scores)
    return w


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def train_bpe(ignore_space_marks):
    t = Tokenizer(models.BPE(byte_fallback=ignore_space_marks))
    t.pre_tokenizer = None
    if ignore_space_marks:
        t.normalizer = normalizers.Replace(" ", "▁")
        alphabet = []
    else:
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1200, initial_alphabet=alphabet, limit_alphabet=300, show_progress=False,
                                  max_token_length=12)
    t.train_from_iterator(training_texts(), trainer)
    model = json.loads(t.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return tokens, model["merges"]


def write_bpe(path, pre="default"):
    tokens, merges = train_bpe(False)
    added = [("<|endoftext|>", CONTROL), ("<|im_start|>", CONTROL), ("<|im_end|>", CONTROL), ("  \n", USER_DEFINED),
             ("<tool>", USER_DEFINED), ("<tool>x", USER_DEFINED)]
    types = [NORMAL] * len(tokens) + [kind for _, kind in added]
    w = writer(path, "gpt2", tokens + [text for text, _ in added], types)
    w.add_token_merges([" ".join(m) for m in merges])
    w.add_tokenizer_pre(pre)
    w.add_eos_token_id(len(tokens))
    finish(w)


def write_raw_bpe(path, pre="gemma4"):
    """BPE over characters with bytes to fall back to. No token spans a newline and something else."""
    tokens, merges = train_bpe(True)
    crosses = lambda t: "\n" in t and t.strip("\n")
    merges = [m for m in merges if not crosses("".join(m))]
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{i:02X}>" for i in range(256)] + [t for t in tokens if not crosses(t)]
    types = [CONTROL] * 3 + [UNKNOWN] + [BYTE] * 256 + [NORMAL] * (len(tokens) - 260)
    w = writer(path, "gemma4", tokens, types)
    w.add_token_merges([" ".join(m) for m in merges])
    w.add_tokenizer_pre(pre)
    w.add_bos_token_id(2)
    w.add_eos_token_id(1)
    finish(w)


def write_sentencepiece(path, unigram):
    blob = io.BytesIO()
    options = {"byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False}
    if unigram:
        rules = pathlib.Path(path).with_suffix(".tsv")
        hexes = lambda text: " ".join(f"{ord(c):X}" for c in text)
        rules.write_text("".join(f"{hexes(k)}\t{hexes(v)}\n" for k, v in RULES.items()))
        options = {"normalization_rule_tsv": str(rules)}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(common_characters(training_texts())), model_writer=blob, model_type="unigram" if unigram else "bpe",
        vocab_size=1000, character_coverage=1.0, user_defined_symbols=["<tool>"], unk_id=0, bos_id=1, eos_id=2,
        minloglevel=2, num_threads=1, **options)
    p = sentencepiece.SentencePieceProcessor(model_proto=blob.getvalue())
    kind = lambda i: (UNKNOWN if p.is_unknown(i) else CONTROL if p.is_control(i) else BYTE if p.is_byte(i)
                      else UNUSED if p.is_unused(i) else USER_DEFINED if p.id_to_piece(i) == "<tool>" else NORMAL)
    n = range(p.vocab_size())
    w = writer(path, "t5" if unigram else "llama", [p.id_to_piece(i) for i in n], [kind(i) for i in n],
               [p.get_score(i) for i in n])
    w.add_tokenizer_pre("default")
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_add_space_prefix(True)
    if unigram:
        w.add_remove_extra_whitespaces(True)
        w.add_precompiled_charsmap(charsmap(blob.getvalue()))
        rules.unlink()
    finish(w)


def charsmap(model_proto):
    """`normalizer_spec.precompiled_charsmap` of a serialized SentencePiece model."""
    def fields(data):
        at = 0
        def varint():
            nonlocal at
            n = shift = 0
            while True:
                byte = data[at]
                at += 1
                n |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return n
        while at < len(data):
            key = varint()
            if key & 7 == 0:
                yield key >> 3, varint()
            else:
                size = {1: 8, 5: 4}.get(key & 7) or varint()
                at += size
                yield key >> 3, data[at - size:at]
    return dict(fields(dict(fields(model_proto))[3]))[2]


def write_wordpiece(path):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # Of a token that is `▁` a GGUF file cannot say whether it begins a word.
    t.train_from_iterator([text.replace("▁", "") for text in training_texts()], trainers.WordPieceTrainer(
        vocab_size=1000, limit_alphabet=250, special_tokens=special, show_progress=False))
    vocab = t.get_vocab()
    names = sorted(vocab, key=vocab.get)
    tokens = [n if n in special else n[2:] if n.startswith("##") else "▁" + n for n in names]
    w = writer(path, "bert", tokens, [CONTROL if n in special else NORMAL for n in names])
    w.add_bos_token_id(2)
    w.add_sep_token_id(3)
    w.add_unk_token_id(1)
    w.add_pad_token_id(0)
    w.add_mask_token_id(4)
    finish(w)


VOCABULARIES = {
    "tiny-bpe": write_bpe,
    "tiny-raw-bpe": write_raw_bpe,
    "tiny-spm": lambda path: write_sentencepiece(path, unigram=False),
    "tiny-unigram": lambda path: write_sentencepiece(path, unigram=True),
    "tiny-wordpiece": write_wordpiece,
}


def with_pre(v, path, pre):
    """Writes a BPE vocabulary with another pre-tokenizer."""
    w = writer(path, "gpt2", v.tokens, v.types)
    w.add_token_merges(v.merges)
    w.add_tokenizer_pre(pre)
    if pre in RAW_UTF8:
        w.add_bos_token_id(2)
    else:
        w.add_bos_token_id(v.tokens.index("<|endoftext|>"))
    finish(w)
