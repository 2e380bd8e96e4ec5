#!/usr/bin/env python3
"""Write tiny models with seeded random weights for the architectures that have no trained fixture.

usage: random_fixtures.py VOCABULARY.gguf OUT_DIR [MODEL ...]

VOCABULARY.gguf is any model with a byte-level BPE (ours: models/embedded.gguf): the fixtures take the first tokens of it.
The same seed gives the same bytes. What makes an architecture special has values that matter at these sizes: soft caps
near the values they cap, windows shorter than the prompts, RoPE scaling with an original context of a few positions.
"""
import argparse
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader

from architectures import Shape, metadata, tensor_shapes
from gguf_files import bpe_metadata, read_metadata, typed, write

N_VOCAB = 320
N_CTX = 256


@dataclass(frozen=True)
class Fixture:
    shape: Shape
    file_type: str
    rope_factors: str = ""  # "llama3", "longrope": the frequency tensors that go with it


def shape(arch: str, **changes) -> Shape:
    """Two layers, 64 wide, four heads of 16 over two of keys and values."""
    dims = dict(n_layer=2, n_embd=64, n_head=4, n_head_kv=2, head_dim=16, n_ff=96, n_vocab=N_VOCAB, n_ctx=N_CTX)
    return Shape(arch, **(dims | changes))


def scaling(kind: str, factor: float, original_ctx: int, **more) -> dict:
    keys = {"type": kind, "factor": factor, "original_context_length": original_ctx} | more
    return {f"rope.scaling.{key}": value for key, value in keys.items()}


FIXTURES = {
    "qwen2": Fixture(shape("qwen2", rope_freq_base=1e6, norm_eps=1e-6, biases=("attn_q", "attn_k", "attn_v")), "Q8_0"),
    "qwen2-output-bias": Fixture(shape("qwen2", n_embd=32, n_head=2, n_head_kv=1, n_ff=64, biases=("attn_q", "attn_v"), output_bias=True), "Q8_0"),
    "llama-untied": Fixture(shape("llama", n_head_kv=1, tied=False), "F16"),
    "llama-ffn-bias": Fixture(shape("llama", n_embd=32, n_head=2, n_head_kv=1, n_ff=64, biases=("ffn_gate", "ffn_up", "ffn_down")), "Q8_0"),
    "llama-rope-linear": Fixture(shape("llama", extra=scaling("linear", 4.0, 64)), "Q8_0"),
    "llama-rope-yarn": Fixture(shape("llama", n_head=2, n_head_kv=1, head_dim=32, n_ctx=2048, extra=scaling("yarn", 4.0, 512)), "Q8_0"),
    "llama-rope-llama3": Fixture(shape("llama", n_ctx=2048, rope_freq_base=5e5), "Q8_0", "llama3"),
    "gemma": Fixture(shape("gemma", n_head_kv=1, head_dim=32, norm_eps=1e-6), "Q8_0"),
    "gemma2": Fixture(shape("gemma2", head_dim=32, norm_eps=1e-6, extra={
        "attention.sliding_window": 4, "attn_logit_softcapping": 3.0, "final_logit_softcapping": 0.5}), "Q8_0"),
    "phi3": Fixture(shape("phi3"), "F16"),
    "phi3-longrope": Fixture(shape("phi3", n_ctx=2048, extra={
        "rope.scaling.original_context_length": 512, "rope.scaling.attn_factor": 1.19}), "Q8_0", "longrope"),
    "smollm3": Fixture(shape("smollm3", n_layer=4), "Q8_0"),
    "granite": Fixture(shape("granite", extra={
        "embedding_scale": 4.0, "attention.scale": 0.125, "residual_scale": 0.7, "logit_scale": 8.0}), "Q8_0"),
    "granite-bias": Fixture(shape("granite", n_embd=32, n_head=2, n_head_kv=1, n_ff=64, biases=("attn_output", "ffn_up", "ffn_down"), extra={
        "embedding_scale": 4.0, "attention.scale": 0.125, "residual_scale": 0.5, "logit_scale": 8.0, "rope.scaling.finetuned": False}), "Q8_0"),
    "olmo2": Fixture(shape("olmo2", n_embd=32, n_head=2, n_ff=64, norm_eps=1e-6, tied=False), "F32"),
    "olmo3": Fixture(shape("olmo2", n_layer=4, n_embd=32, n_head=2, n_ff=64, n_ctx=2048, rope_freq_base=5e5, norm_eps=1e-6, tied=False, extra={
        "attention.sliding_window": 5, "attention.sliding_window_pattern": [True, True, False, True]} | scaling("yarn", 8.0, 512)), "Q8_0"),
    "qwen3moe": Fixture(shape("qwen3moe", head_dim=32, n_ff=32, rope_freq_base=1e6, norm_eps=1e-6, n_expert=8, n_expert_used=3), "Q8_0"),
}


def llama3_factors(s: Shape, factor=8.0, low=1.0, high=4.0, original_ctx=64) -> np.ndarray:
    """Llama 3.1's `rope_freqs.weight`: what each pair's frequency is divided by."""
    wavelength = 2 * math.pi * s.rope_freq_base ** (np.arange(0, s.head_dim, 2) / s.head_dim)
    smooth = np.clip((original_ctx / wavelength - low) / (high - low), 0, 1)
    return 1 / ((1 - smooth) / factor + smooth)


def rope_tensors(fixture: Fixture, rng: np.random.Generator) -> dict[str, np.ndarray]:
    pairs = fixture.shape.head_dim // 2
    if fixture.rope_factors == "llama3":
        return {"rope_freqs.weight": llama3_factors(fixture.shape)}
    if fixture.rope_factors == "longrope":
        return {"rope_factors_short.weight": 1 + 0.1 * rng.random(pairs), "rope_factors_long.weight": 1 + 8 * np.sort(rng.random(pairs))}
    return {}


def weights(s: Shape, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Matrices keep a unit variance, but queries and keys are larger, so that attention is not flat, and a tied
    embedding is smaller, so that the most likely token is not always the last one again."""
    tensors = {}
    for name, dims in tensor_shapes(s).items():
        x = rng.standard_normal(dims)
        if len(dims) == 1:
            tensors[name] = 0.3 * x if name.endswith("bias") else 1 + 0.2 * x
        else:
            gain = 1.0
            if ".attn_q." in name or ".attn_k." in name:
                gain = 1.6
            if name == "token_embd.weight" and s.tied:
                gain = 0.3
            tensors[name] = gain * dims[-1] ** -0.5 * x
    return tensors


def vocabulary(path: Path) -> dict:
    """The first N_VOCAB tokens of a byte-level BPE with the merges that make them."""
    source = read_metadata(GGUFReader(path))
    tokens = source["tokenizer.ggml.tokens"][:N_VOCAB]
    known = set(tokens)
    merges = [m for m in source["tokenizer.ggml.merges"] if m.replace(" ", "") in known]
    return bpe_metadata(tokens, merges)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("models", nargs="*", default=list(FIXTURES))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = vocabulary(args.vocabulary)
    for name in args.models:
        fixture = FIXTURES[name]
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        tensors = weights(fixture.shape, rng) | rope_tensors(fixture, rng)
        title = "random " + name.replace("phi3", "phi 3")  # llama.cpp looks for <unk> where the name has "phi3"
        header = metadata(fixture.shape, title, fixture.file_type, "Seeded random weights: a test fixture.") | tokenizer
        path = args.out / f"{name}.gguf"
        write(path, header, typed(tensors, Type[fixture.file_type]))
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
