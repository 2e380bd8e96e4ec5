#!/usr/bin/env python3
"""Train the project's small models on one public-domain book and write them as GGUF files.

usage: train_fixtures.py TEXT OUT_DIR [MODEL ...]

TEXT is a plain-text book (ours: "War and Peace", the public-domain English translation; not in the repository).
MODEL is a key of MODELS, by default all of them. JAX, on an accelerator if there is one: minutes on a GPU.
Parameters carry GGUF's tensor names and shapes throughout, so export is quantisation and nothing else.
"""
import argparse
import json
import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from gguf import GGMLQuantizationType as Type
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from architectures import Shape, metadata, tensor_shapes
from gguf_files import END_OF_TEXT, bpe_metadata, typed, write

N_VOCAB = 2048
SEED = 1
Params = dict[str, jax.Array]


@dataclass(frozen=True)
class Recipe:
    shape: Shape
    steps: int
    dropout: float
    teachers: tuple[float, ...] = ()  # dropout of each larger model trained first
    soft: float = 0.0  # how large a part of the target is the teachers' mean prediction
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.1


#                 arch  layers  embd heads kv dim  ffn  vocab  ctx
EMBEDDED = Shape("llama",    5,  256,  4,  2, 64,  512, N_VOCAB, 512)
TEACHER = Shape("llama",     8,  384,  6,  6, 64, 1024, N_VOCAB, 512)
GPT2 = Shape("gpt2",         4,   96,  3,  3, 32,  384, N_VOCAB, 256)
QWEN3 = Shape("qwen3",       3,  128,  3,  1, 64,  256, N_VOCAB, 256, 1e6, 1e-6)
GEMMA3 = Shape("gemma3",     7,   96,  2,  1, 64,  160, N_VOCAB, 256, 1e6, 1e-6, extra={"attention.sliding_window": 32})
LOCAL_ROPE_BASE = 1e4  # gemma3's sliding-window layers; every sixth layer is global and uses rope.freq_base

MODELS = {
    "embedded": Recipe(EMBEDDED, steps=5000, dropout=0.0, teachers=(0.3, 0.2), soft=0.9),
    "gpt2-tiny": Recipe(GPT2, steps=6000, dropout=0.05),
    "qwen3-tiny": Recipe(QWEN3, steps=6000, dropout=0.05),
    "gemma3-tiny": Recipe(GEMMA3, steps=6000, dropout=0.05),
}


# The text

def chapters(text: str) -> list[str]:
    """The book's chapters without their headings, one line a paragraph."""
    parts = re.split(r"^(?:CHAPTER [IVXLC]+|(?:BOOK|FIRST|SECOND)\b[^\n]*)$", text.replace("\r", ""), flags=re.M)
    paragraphs = [[" ".join(p.split()) for p in part.split("\n\n")] for part in parts]
    return ["\n\n".join(p for p in chapter if p) for chapter in paragraphs if any(chapter)]


def train_tokenizer(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=N_VOCAB, special_tokens=[END_OF_TEXT], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def tokenizer_metadata(tokenizer: Tokenizer) -> dict:
    bpe = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(bpe["vocab"], key=bpe["vocab"].get)
    return bpe_metadata(tokens, [" ".join(pair) for pair in bpe["merges"]])


def token_streams(tokenizer: Tokenizer, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Token ids to train on and to hold out (every 20th chapter), each chapter after an <|endoftext|>."""
    streams: list[list[int]] = [[], []]
    for i, encoding in enumerate(tokenizer.encode_batch(texts)):
        streams[i % 20 == 10] += [0, *encoding.ids]
    return np.array(streams[0], np.int32), np.array(streams[1], np.int32)


# The models, in the vocabulary of the GGUF tensors. Shapes: B batch, T tokens, C n_embd, H heads, D head_dim.

def initial_params(s: Shape, seed: int) -> Params:
    rng = np.random.default_rng(seed)
    params = {}
    for name, shape in tensor_shapes(s).items():
        if len(shape) == 1:
            values = np.full(shape, float(name.endswith("weight")))
        else:
            residual = (2 * s.n_layer) ** -0.5 if "attn_output" in name or "ffn_down" in name else 1.0
            std = 0.02 if name == "position_embd.weight" else residual * shape[1] ** -0.5
            values = std * rng.standard_normal(shape)
        params[name] = jnp.asarray(values, jnp.float32)
    return params


def rms_norm(x, weight, eps):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + eps) * weight


def layer_norm(x, weight, bias, eps):
    x = x - jnp.mean(x, -1, keepdims=True)
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + eps) * weight + bias


def rope(x, base: float, interleaved: bool):
    """Rotate pairs of x (B, T, H, D): neighbours (llama) or element i with i + D/2 (the others)."""
    T, D = x.shape[1], x.shape[-1]
    angle = jnp.arange(T)[:, None] * base ** (-jnp.arange(0, D, 2) / D)
    cos, sin = jnp.cos(angle)[:, None], jnp.sin(angle)[:, None]
    if interleaved:
        a, b = x[..., 0::2], x[..., 1::2]
        return jnp.stack([a * cos - b * sin, a * sin + b * cos], -1).reshape(x.shape)
    a, b = jnp.split(x, 2, -1)
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], -1)


def attention(q, k, v, window: int):
    """q (B, T, H, D), k and v (B, T, KvH, D) -> (B, T, H * D); a window of 0 sees everything before."""
    B, T, H, D = q.shape
    k, v = (jnp.repeat(x, H // x.shape[2], 2) for x in (k, v))
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * D**-0.5
    distance = jnp.arange(T)[:, None] - jnp.arange(T)
    visible = (distance >= 0) & (distance < (window or T))
    weights = jax.nn.softmax(jnp.where(visible, scores, -1e9), -1)
    return jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(B, T, H * D)


def is_global(s: Shape, layer: int) -> bool:
    return s.arch != "gemma3" or layer % 6 == 5


def logits(params: Params, s: Shape, ids, drop):
    """Token ids (B, T) -> logits (B, T, V). `drop` is applied to the embedding and to what each half-block adds."""
    B, T = ids.shape
    x = params["token_embd.weight"][ids]
    if s.arch == "gpt2":
        x = x + params["position_embd.weight"][:T]
    if s.arch == "gemma3":
        x = x * s.n_embd**0.5
    x = drop(x)
    for layer in range(s.n_layer):
        def w(name, prefix=f"blk.{layer}."):
            return params[prefix + name]
        def project(x, name):
            y = x @ w(f"{name}.weight").T
            return y + w(f"{name}.bias") if s.arch == "gpt2" else y
        def norm(x, name):
            if s.arch == "gpt2":
                return layer_norm(x, w(f"{name}.weight"), w(f"{name}.bias"), s.norm_eps)
            return rms_norm(x, w(f"{name}.weight"), s.norm_eps)

        h = norm(x, "attn_norm")
        if s.arch == "gpt2":
            q, k, v = jnp.split(project(h, "attn_qkv"), 3, -1)
        else:
            q, k, v = (project(h, f"attn_{n}") for n in "qkv")
        q, k, v = (y.reshape(B, T, -1, s.head_dim) for y in (q, k, v))
        if s.arch in ("qwen3", "gemma3"):
            q, k = norm(q, "attn_q_norm"), norm(k, "attn_k_norm")
        if s.arch != "gpt2":
            base = s.rope_freq_base if is_global(s, layer) else LOCAL_ROPE_BASE
            q, k = (rope(y, base, interleaved=s.arch == "llama") for y in (q, k))
        h = project(attention(q, k, v, 0 if is_global(s, layer) else s.window), "attn_output")
        if s.arch == "gemma3":
            h = norm(h, "post_attention_norm")
        x = x + drop(h)

        h = norm(x, "ffn_norm")
        activation = jax.nn.silu if s.arch in ("llama", "qwen3") else partial(jax.nn.gelu, approximate=True)
        if s.arch == "gpt2":
            h = activation(project(h, "ffn_up"))
        else:
            h = activation(project(h, "ffn_gate")) * project(h, "ffn_up")
        h = project(h, "ffn_down")
        if s.arch == "gemma3":
            h = norm(h, "post_ffw_norm")
        x = x + drop(h)
    if s.arch == "gpt2":
        x = layer_norm(x, params["output_norm.weight"], params["output_norm.bias"], s.norm_eps)
    else:
        x = rms_norm(x, params["output_norm.weight"], s.norm_eps)
    return x @ params["token_embd.weight"].T


# Training

def dropout(rate: float, key):
    keys = iter(jax.random.split(key, 64))
    def drop(x):
        return jnp.where(jax.random.bernoulli(next(keys), 1 - rate, x.shape), x / (1 - rate), 0.0)
    return drop


def cross_entropy(z, targets):
    return jnp.mean(jax.nn.logsumexp(z, -1) - jnp.take_along_axis(z, targets[..., None], -1)[..., 0])


@partial(jax.jit, static_argnames=("s",))
def batch_loss(params: Params, s: Shape, windows):
    return cross_entropy(logits(params, s, windows[:, :-1], lambda x: x), windows[:, 1:])


def held_out_loss(params: Params, s: Shape, stream: np.ndarray) -> float:
    """Nats a token over the stream cut into windows of the full context."""
    n = (len(stream) - 1) // s.n_ctx
    windows = np.stack([stream[i * s.n_ctx : (i + 1) * s.n_ctx + 1] for i in range(n)])
    batches = np.array_split(windows, max(1, n // 16))
    return float(np.average([batch_loss(params, s, b) for b in batches], weights=[len(b) for b in batches]))


def learning_rate(recipe: Recipe, step):
    """Linear warm-up over 100 steps, then a cosine to a fiftieth."""
    progress = step / recipe.steps
    return recipe.learning_rate * jnp.minimum(1.0, (step + 1) / 100) * (0.51 + 0.49 * jnp.cos(jnp.pi * progress))


def train(recipe: Recipe, stream: np.ndarray, held_out: np.ndarray, seed: int, say, teachers=()) -> tuple[Params, float]:
    """Adam with decoupled weight decay; keeps the parameters (an average over time) with the least held-out loss.

    With teachers, a part of the target is their mean prediction: on a text this short it helps more than dropout
    (held-out loss 3.27 against 3.40 for `embedded`), since a teacher says what else could have followed.
    """
    s, tokens = recipe.shape, jnp.asarray(stream)

    def loss(params, teachers, windows, key):
        ids, targets = windows[:, :-1], windows[:, 1:]
        z = logits(params, s, ids, dropout(recipe.dropout, key))
        hard = cross_entropy(z, targets)
        if not teachers:
            return hard
        soft = sum(jax.nn.softmax(logits(t, TEACHER, ids, lambda x: x)) for t in teachers) / len(teachers)
        return (1 - recipe.soft) * hard - recipe.soft * jnp.mean(jnp.sum(soft * jax.nn.log_softmax(z), -1))

    def step(teachers, state, i):
        params, mean, square, average, key = state
        key, at, drop = jax.random.split(key, 3)
        starts = jax.random.randint(at, (recipe.batch, 1), 0, len(stream) - s.n_ctx - 1)
        windows = tokens[starts + jnp.arange(s.n_ctx + 1)]
        value, gradient = jax.value_and_grad(loss)(params, teachers, windows, drop)
        size = jnp.sqrt(sum(jnp.sum(g * g) for g in gradient.values()))
        clip = jnp.minimum(1.0, 1.0 / (size + 1e-9))
        rate, b1, b2 = learning_rate(recipe, i), 0.9, 0.98
        mean = {n: b1 * mean[n] + (1 - b1) * clip * g for n, g in gradient.items()}
        square = {n: b2 * square[n] + (1 - b2) * (clip * g) ** 2 for n, g in gradient.items()}
        def update(n, p):
            decay = recipe.weight_decay * p if p.ndim == 2 else 0.0
            corrected = mean[n] / (1 - b1 ** (i + 1)), square[n] / (1 - b2 ** (i + 1))
            return p - rate * (corrected[0] / (jnp.sqrt(corrected[1]) + 1e-8) + decay)
        params = {n: update(n, p) for n, p in params.items()}
        keep = jnp.minimum(0.995, (i + 1) / (i + 10))
        average = {n: keep * average[n] + (1 - keep) * p for n, p in params.items()}
        return (params, mean, square, average, key), value

    @partial(jax.jit, donate_argnums=0, static_argnums=3)
    def run(state, teachers, first, count):
        return jax.lax.scan(partial(step, teachers), state, first + jnp.arange(count))

    params = initial_params(s, seed)
    zeros = {n: jnp.zeros_like(p) for n, p in params.items()}
    state = (params, zeros, {n: z + 0 for n, z in zeros.items()}, {n: p + 0 for n, p in params.items()}, jax.random.key(seed))
    best, best_loss, start = params, float("inf"), time.time()
    every = min(250, recipe.steps)
    for first in range(0, recipe.steps, every):
        state, values = run(state, list(teachers), first, every)
        held = held_out_loss(state[3], s, held_out)
        say(f"step {first + every:5d}  train {float(values.mean()):.4f}  held out {held:.4f}  {time.time() - start:.0f} s")
        if held < best_loss:
            best, best_loss = {n: np.asarray(p) for n, p in state[3].items()}, held
    return best, best_loss


def export(path: Path, params: Params, s: Shape, name: str, loss: float, tokenizer: Tokenizer) -> None:
    description = f"Trained from scratch on War and Peace (public domain). Held-out loss {loss:.3f} nats a token."
    header = metadata(s, name, "Q8_0", description) | tokenizer_metadata(tokenizer)
    write(path, header, typed({n: np.asarray(p, np.float32) for n, p in params.items()}, Type.Q8_0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    args = parser.parse_args()
    texts = chapters(args.text.read_text(encoding="utf-8"))
    tokenizer = train_tokenizer(texts)
    stream, held_out = token_streams(tokenizer, texts)
    print(f"{len(texts)} chapters, {len(stream)} tokens to train on, {len(held_out)} held out, on {jax.devices()[0]}")
    for name in args.models:
        recipe = MODELS[name]
        def say(line, name=name):
            print(f"{name}: {line}", flush=True)
        teachers = []
        for dropout_rate in recipe.teachers:
            teacher = Recipe(TEACHER, steps=2000, dropout=dropout_rate, learning_rate=1e-3)
            teachers.append(train(teacher, stream, held_out, SEED + 1 + len(teachers), say)[0])
        params, loss = train(recipe, stream, held_out, SEED, say, teachers)
        args.out.mkdir(parents=True, exist_ok=True)
        export(args.out / f"{name}.gguf", params, recipe.shape, f"webgguf {name}", loss, tokenizer)
        say(f"best held-out loss {loss:.4f}")


if __name__ == "__main__":
    main()
