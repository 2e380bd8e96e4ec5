#!/usr/bin/env python3
"""Write a GGUF file with a real model's shape, seeded random weights and a byte-level BPE tokenizer.

usage: make_shape.py SHAPE TYPE OUT [--seed N]

SHAPE is a key of SHAPES; TYPE is F32, F16, Q8_0, Q4_0 or Q4_K. Neither speed nor memory depends on the weights'
values, so these files stand in for real ones. Quantised blocks are written directly (random codes, sane scales),
so no quantiser is needed. Needs numpy and gguf. A 540 MB F32 file takes a few seconds.
"""
import argparse
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

from architectures import Shape, metadata, tensor_shapes
from gguf_files import END_OF_TEXT, bpe_metadata, byte_alphabet, storage_type, write

#                         arch  layers  embd heads kv  dim   ffn  vocab   ctx  base   eps
SHAPES = {
    "gpt2-124m":    Shape("gpt2",   12,  768, 12, 12,  64, 3072,  50257, 1024, 1e4, 1e-5),
    "smollm2-135m": Shape("llama",  30,  576,  9,  3,  64, 1536,  49152, 8192, 1e5, 1e-5),
    "smollm2-360m": Shape("llama",  32,  960, 15,  5,  64, 2560,  49152, 8192, 1e5, 1e-5),
    "gemma3-270m":  Shape("gemma3", 18,  640,  4,  1, 256, 2048, 262144, 8192, 1e6, 1e-6, extra={"attention.sliding_window": 512}),
    "gemma3-1b":    Shape("gemma3", 26, 1152,  4,  1, 256, 6912, 262144, 8192, 1e6, 1e-6, extra={"attention.sliding_window": 512}),
    "qwen3-0.6b":   Shape("qwen3",  28, 1024, 16,  8, 128, 3072, 151936, 8192, 1e6, 1e-6),
    "llama3.2-1b":  Shape("llama",  16, 2048, 32,  8,  64, 8192, 128256, 8192, 5e5, 1e-5),
    "tiny":         Shape("llama",   2,  256,  4,  2,  64,  768,   1024, 2048, 1e4, 1e-5),
}
CHAT_TEMPLATE = "{% for m in messages %}{{m.role}}: {{m.content}}\n{% endfor %}assistant:"
MERGED_TOKENS = 900  # letter pairs up to this many tokens; the rest of the vocabulary is filler


def tokenizer(n_vocab: int) -> tuple[list[str], list[str]]:
    """Tokens and merges: the bytes, pairs of letters, and filler up to n_vocab."""
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pairs = [(a, b) for a in ["Ġ", *letters] for b in letters]
    pairs = pairs[: min(n_vocab, MERGED_TOKENS) - 257]
    tokens = [END_OF_TEXT, *byte_alphabet(), *(a + b for a, b in pairs)]
    tokens += [f"<t{i}>" for i in range(len(tokens), n_vocab)]
    return tokens, [f"{a} {b}" for a, b in pairs]


def unspoken_bytes() -> list[int]:
    """Tokens of control and non-ASCII bytes. Their embedding is zeroed, so that a tied output rarely picks them:
    some runtimes die on half a UTF-8 sequence."""
    return [1 + byte for byte in range(256) if byte < 9 or byte > 126]


def random_blocks(rng: np.random.Generator, rows: int, columns: int, kind: Type) -> np.ndarray:
    """Blocks of a matrix (rows, columns) as bytes; dequantised values have a std of about columns**-0.5."""
    size, size_bytes = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (rows, columns // size, size_bytes), dtype=np.uint8)
    std = columns**-0.5
    def f16_bytes(value: float) -> np.ndarray:
        return np.frombuffer(np.float16(value).tobytes(), np.uint8)
    if kind == Type.Q8_0:  # d, qs[32]: codes have a std of 73.9
        blocks[..., 0:2] = f16_bytes(std / 73.9)
    elif kind == Type.Q4_0:  # d, qs[16]: 4.6
        blocks[..., 0:2] = f16_bytes(std / 4.6)
    elif kind == Type.Q4_K:  # d, dmin, scales[12], qs[128]: 6-bit scales are around 32, codes around 7.5
        blocks[..., 0:2] = f16_bytes(std / 4.6 / 32)
        blocks[..., 2:4] = f16_bytes(7.5 * std / 4.6 / 32)
    else:
        raise ValueError(f"no random blocks for {kind.name}")
    return blocks.reshape(rows, -1)


def random_tensor(rng: np.random.Generator, name: str, shape: tuple[int, ...], kind: Type) -> np.ndarray:
    if len(shape) == 1:  # a norm's weight is near 1, a bias near 0
        return (float(name.endswith("weight")) + 0.1 * rng.standard_normal(shape)).astype(np.float32)
    rows, columns = shape
    if kind in (Type.F32, Type.F16):
        std = 0.02 if name == "position_embd.weight" else columns**-0.5
        values = rng.standard_normal(shape, dtype=np.float32)
        values *= np.float32(std)
    else:
        values = random_blocks(rng, rows, columns, kind)
    if name == "token_embd.weight":
        values[unspoken_bytes()] = 0
    return values


def matrix_type(name: str, shape: tuple[int, ...], wanted: str) -> Type:
    if wanted == "Q4_K" and len(shape) == 2 and shape[1] % 256:
        wanted = "Q4_0"  # as llama.cpp falls back where rows are no multiple of a super-block
    return storage_type(name, shape, Type[wanted])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("type", choices=["F32", "F16", "Q8_0", "Q4_0", "Q4_K"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    shape = SHAPES[args.shape]
    rng = np.random.default_rng(args.seed)
    tensors = {}
    for name, dims in tensor_shapes(shape).items():
        kind = matrix_type(name, dims, args.type)
        tensors[name] = (random_tensor(rng, name, dims, kind), kind)
    header = metadata(shape, f"random {args.shape}", args.type) | bpe_metadata(*tokenizer(shape.n_vocab))
    header["tokenizer.chat_template"] = CHAT_TEMPLATE
    write(args.out, header, tensors)


if __name__ == "__main__":
    main()
