"""Writes tests/fixtures/text: the corpus, the project's tiny vocabularies, and for each vocabulary the ids of the
corpus by the tokenizer it was made with, as 16-bit hashes.

    python scripts/text/goldens.py SHARED_DATA

The oracle is Hugging Face tokenizers for BPE and WordPiece and SentencePiece for SPM and unigram. llama.cpp is asked
for every vocabulary, too; where it differs from the oracle, the difference has to be one of EXPLAINED.
"""

import json
import pathlib
import re
import struct
import sys
import tempfile

import corpus
import oracles
import tiny

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/text"
N_TEXTS = 2000
# Texts for each pre-tokenizer with the tiny BPE vocabulary.
N_TEXTS_PRE = 1000
N_SPECIALS = 8
SPECIALS = {}

SHARED = {
    "gpt-2": "llama.cpp-vocab/ggml-vocab-gpt-2.gguf",
    "gpt-neox": "llama.cpp-vocab/ggml-vocab-gpt-neox.gguf",
    "deepseek-llm": "llama.cpp-vocab/ggml-vocab-deepseek-llm.gguf",
    "starcoder": "llama.cpp-vocab/ggml-vocab-starcoder.gguf",
    "refact": "llama.cpp-vocab/ggml-vocab-refact.gguf",
    "llama-bpe": "tokenizers/vocab-llama-bpe.gguf",
    "qwen2": "tokenizers/vocab-qwen2.gguf",
    "smollm2": "tokenizers/vocab-smollm2.gguf",
    "llama-spm": "llama.cpp-vocab/ggml-vocab-llama-spm.gguf",
    "phi-3": "llama.cpp-vocab/ggml-vocab-phi-3.gguf",
    "baichuan": "llama.cpp-vocab/ggml-vocab-baichuan.gguf",
    "bert-bge": "llama.cpp-vocab/ggml-vocab-bert-bge.gguf",
}

# How llama.cpp comes to differ from the tokenizer a vocabulary was made with: a name, the vocabularies or
# pre-tokenizers, and what the text has to have for it.
EXPLAINED = [
    ("white space beyond ASCII is U+000B to its regular expressions, and not in their explicit ranges",
     ["deepseek-llm", "deepseek-coder"], r"[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"),
    ("digits are split off in runs, which tells only where a vocabulary has tokens of several", ["deepseek-llm"],
     r"[0-9]{2}|[^\x00-\x7f]"),
    ("every letter beyond ASCII has both cases, and marks end words", ["gpt-4o", "tekken"], r"[^\x00-\x7f]"),
    ("letters have no case", ["youtu", "tiny_aya", "kimi-k2"], r"[A-Z]|[^\x00-\x7f]"),
    ("digits are grouped before letters, too, and with the text before them; white space is one run whatever follows it",
     ["tiny_aya", "afmoe"], r"\d|①|\s\s"),
    ("numbers that are no digits are grouped, too", ["superbpe"], r"[^\x00-\x7f]"),
    ("a decomposition is its first character, all marks are accents, white space goes before controls",
     ["tiny-wordpiece", "bert-bge"], r"[\x0b\x0c\x85]|[^\x00-\x7f]"),
    ("scores add up as 64-bit numbers, a final ▁ stays", ["tiny-unigram"], r"▁(\s|<|$)|(.).*\2"),
    ("of the white space after a token that takes it, only ASCII goes", ["phi-3"], r">[^\x00-\x7f]|>\s+[^\x00-\x7f]"),
    ("'</s>' is a control token whatever the file says", ["qwen2", "tiny-raw-bpe"], r"</s>"),
]


def hash16(ids):
    """FNV-1a over the ids as 32-bit numbers, folded."""
    h = 0x811C9DC5
    for byte in struct.pack(f"<{len(ids)}I", *ids):
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return (h ^ h >> 16) & 0xFFFF


def write_hashes(name, lists):
    data = [hash16(ids) for ids in lists]
    (OUT / f"{name}.hashes").write_bytes(struct.pack(f"<{len(data)}H", *data))


def with_special(i, text, names):
    """The text with a special token in the middle."""
    middle = len(text) // 2
    return text[:middle] + names[i % len(names)] + text[middle:]


def compare(name, texts, oracle, llama_cpp):
    differences = [text for text in texts if oracle(text) != llama_cpp(text)]
    unexplained = [t for t in differences if not any(name in names and re.search(p, t) for _, names, p in EXPLAINED)]
    print(f"{name}: llama.cpp differs on {len(differences)} of {len(texts)} texts, {len(unexplained)} unexplained")
    for text in unexplained[:5]:
        print(f"    {text!r}\n      oracle    {oracle(text)}\n      llama.cpp {llama_cpp(text)}")


def golden(name, path, texts):
    v = oracles.Vocabulary(path)
    sentencepiece = v.model in ("llama", "t5")
    llama_cpp = oracles.LlamaCpp(v)
    plain = oracles.SentencePiece(v) if sentencepiece else oracles.HuggingFace(v)
    compare(name, texts, plain.encode, llama_cpp.encode)
    write_hashes(name, [plain.encode(text) for text in texts])
    specials = [v.tokens[i] for i in v.of_type(oracles.CONTROL)][:N_SPECIALS]
    merged = {m.replace(" ", "") for m in v.merges or []}
    SPECIALS[name] = {
        "in_texts": specials,
        # What merges make is text to us, whatever its name.
        "end_of_generation": [i for i in llama_cpp.end_of_generation() if v.tokens[i] not in merged],
    }
    texts = [with_special(i, text, specials) for i, text in enumerate(texts)]
    parse = plain.encode_special if sentencepiece else oracles.HuggingFace(v, parse_special=True).encode
    compare(name, texts, parse, lambda text: llama_cpp.encode(text, parse_special=True))
    write_hashes(f"{name}-special", [parse(text) for text in texts])


def golden_pre(pre, texts):
    """The tiny BPE vocabulary with another pre-tokenizer."""
    tokens = oracles.Vocabulary(OUT / ("tiny-raw-bpe.gguf" if pre in oracles.RAW_UTF8 else "tiny-bpe.gguf"))
    hugging_face = oracles.HuggingFace(tokens, pre=pre)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{pre}.gguf"
        tiny.with_pre(tokens, path, pre)
        llama_cpp = oracles.LlamaCpp(oracles.Vocabulary(path))
    compare(pre, texts, hugging_face.encode, llama_cpp.encode)
    write_hashes(f"pre-{pre}", [hugging_face.encode(text) for text in texts])


def main(shared):
    OUT.mkdir(parents=True, exist_ok=True)
    texts = corpus.corpus(N_TEXTS)
    lines = ",\n".join(json.dumps(text, ensure_ascii=False) for text in texts)
    (OUT / "corpus.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    for name, write in tiny.VOCABULARIES.items():
        path = OUT / f"{name}.gguf"
        # Training is not the same each time; the vocabularies stay once they are there.
        if not path.exists():
            write(str(path))
        golden(name, path, texts)
    for pre in oracles.PRE:
        golden_pre(pre, texts[:N_TEXTS_PRE])
    for name, file in SHARED.items():
        golden(name, pathlib.Path(shared) / file, texts)
    (OUT / "specials.json").write_text(json.dumps(SPECIALS, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
