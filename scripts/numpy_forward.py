#!/usr/bin/env python3
"""The arbiter: a float64 forward pass in numpy, compared with a dump of llama.cpp's activations.

usage: numpy_forward.py MODEL.gguf DUMP_DIR [--tolerance 1e-5]

DUMP_DIR is what dump_activations.py wrote. Prints the relative L2 error of every node, the worst layer and phase
of each, and fails when one is above the tolerance. Architectures: gpt2, llama, qwen2, qwen3, qwen3moe, gemma, gemma2,
gemma3, phi3, smollm3, granite, olmo2. Shapes in comments: T tokens, C n_embd, H heads, D head_dim, F n_ff, V vocabulary.
"""
import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader

from architectures import GEMMAS
from gguf_files import read_metadata, read_tensors

Array = np.ndarray
INTERLEAVED_ROPE = ("llama", "smollm3", "granite")  # ggml's NORM; the others split halves (NEOX)


class Config:
    """The metadata that the forward pass reads, with llama.cpp's defaults."""

    def __init__(self, metadata: dict[str, Any], n_ctx: int):
        self.arch: str = metadata["general.architecture"]
        def get(key: str, default: Any = None) -> Any:
            return metadata.get(f"{self.arch}.{key}", default)
        self.n_ctx = n_ctx  # what the context was made for: it chooses phi3's long or short RoPE factors
        self.n_layer: int = get("block_count")
        self.n_embd: int = get("embedding_length")
        self.n_head: int = get("attention.head_count")
        self.n_head_kv: int = get("attention.head_count_kv", self.n_head)
        self.head_dim: int = get("attention.key_length", self.n_embd // self.n_head)
        self.norm_eps: float = get("attention.layer_norm_rms_epsilon") or get("attention.layer_norm_epsilon")
        self.n_expert_used: int = get("expert_used_count", 0)

        self.n_rot: int = get("rope.dimension_count", self.head_dim)
        self.rope_freq_base: float = get("rope.freq_base", 1e4)
        self.rope_scaling: str = get("rope.scaling.type", "linear")
        self.rope_factor: float = get("rope.scaling.factor", 1.0)
        self.rope_attn_factor: float = get("rope.scaling.attn_factor", 1.0)
        self.granite_rope: bool = get("rope.scaling.finetuned", True)
        self.rope_original_ctx: int = get("rope.scaling.original_context_length", get("context_length"))

        self.sliding_window: int = get("attention.sliding_window", 4096 if self.arch == "gemma2" else 0)
        period = {"gemma2": 2, "gemma3": 6, "olmo2": 4}.get(self.arch, 1)
        pattern = get("attention.sliding_window_pattern", period)
        self.window_pattern: list[bool] = pattern if isinstance(pattern, list) else [l % pattern < pattern - 1 for l in range(self.n_layer)]
        self.attn_softcap: float = get("attn_logit_softcapping", 50.0) if self.arch == "gemma2" else 0.0
        self.final_softcap: float = get("final_logit_softcapping", 30.0 if self.arch == "gemma2" else 0.0)

        self.embedding_scale: float = get("embedding_scale", 0.0) or 1.0
        if self.arch in GEMMAS:
            self.embedding_scale = float(np.float32(math.sqrt(self.n_embd)))
        self.attention_scale: float = get("attention.scale", 0.0) or self.head_dim**-0.5
        self.residual_scale: float = get("residual_scale", 0.0) or 1.0
        self.logit_scale: float = get("logit_scale", 0.0) or 1.0

    def window(self, layer: int) -> int:
        """Positions a query of this layer sees, itself included; 0 is all of them."""
        is_local = self.arch in ("gemma2", "gemma3", "olmo2") and self.window_pattern[layer]
        return self.sliding_window if is_local else 0

    def visible(self, layer: int, n: int) -> Array:
        """(n, n) bool: may query row see key column?"""
        distance = np.arange(n)[:, None] - np.arange(n)
        return (distance >= 0) & (distance < (self.window(layer) or n))

    def has_rope(self, layer: int) -> bool:
        return not (self.arch == "gpt2" or self.arch == "smollm3" and layer % 4 == 3 or self.arch == "granite" and not self.granite_rope)

    def rope_angles(self, layer: int, n: int, factors: Array | None) -> tuple[Array, float]:
        """Angles (n, n_rot / 2) and the factor on cos and sin."""
        base, factor = self.rope_freq_base, self.rope_factor
        if self.arch == "gemma3" and self.window(layer) > 0:
            base, factor = 1e4, 1.0
        pair = np.arange(self.n_rot // 2)
        angle = np.arange(n)[:, None] * base ** (-2.0 * pair / self.n_rot)
        if factors is not None:
            angle = angle / factors
        if self.arch == "olmo2" and self.window(layer) > 0:
            return angle, 1.0
        if self.rope_scaling != "yarn":
            return angle / factor, self.rope_attn_factor
        # YaRN (arXiv 2309.00071): fast pairs keep their angle, slow ones are interpolated, a ramp between.
        def pair_with_turns(turns: float) -> float:
            return self.n_rot * math.log(self.rope_original_ctx / (turns * 2 * math.pi)) / (2 * math.log(base))
        low = max(0, math.floor(pair_with_turns(32.0)))
        high = min(self.n_rot - 1, math.ceil(pair_with_turns(1.0)))
        keep = 1 - np.clip((pair - low) / max(0.001, high - low), 0, 1)
        mscale = self.rope_attn_factor * (1 + 0.1 * math.log(factor))
        return angle / factor * (1 - keep) + angle * keep, mscale


def rotate(x: Array, angle: Array, mscale: float, interleaved: bool) -> Array:
    """x (T, H, D), angle (T, n_rot / 2)."""
    n_rot = 2 * angle.shape[1]
    cos, sin = mscale * np.cos(angle)[:, None], mscale * np.sin(angle)[:, None]
    first, second = (slice(0, n_rot, 2), slice(1, n_rot, 2)) if interleaved else (slice(0, n_rot // 2), slice(n_rot // 2, n_rot))
    y = x.copy()
    a, b = x[..., first], x[..., second]
    y[..., first], y[..., second] = a * cos - b * sin, a * sin + b * cos
    return y


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def silu(x: Array) -> Array:
    return x / (1 + np.exp(-x))


def gelu(x: Array) -> Array:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


class Forward:
    """Runs once over all tokens; `nodes[name][layer]` holds each intermediate, layer -1 where there is none."""

    def __init__(self, config: Config, weights: dict[str, Array]):
        self.c, self.weights = config, {name: w.astype(np.float64) for name, w in weights.items()}
        self.nodes: dict[str, dict[int, Array]] = {}
        self.layer = -1

    def note(self, name: str, x: Array) -> Array:
        keep_axes = name.startswith("kq") and name != "kqv_out"  # (H, T, S)
        self.nodes.setdefault(name, {})[self.layer] = x if keep_axes else x.reshape(len(x), -1)
        return x

    def has(self, name: str) -> bool:
        return f"blk.{self.layer}.{name}" in self.weights

    def w(self, name: str) -> Array:
        return self.weights[name if self.layer < 0 else f"blk.{self.layer}.{name}"]

    def norm(self, x: Array, weight: str, note: str) -> Array:
        if self.c.arch == "gpt2":
            x = x - x.mean(-1, keepdims=True)
        x = self.note(f"{note}.pre_weight", x / np.sqrt((x * x).mean(-1, keepdims=True) + self.c.norm_eps))
        x = x * self.w(f"{weight}.weight")
        if self.c.arch == "gpt2":
            x = self.note(f"{note}.pre_bias", x) + self.w(f"{weight}.bias")
        return self.note(note, x)

    def qkv(self, h: Array) -> list[Array]:
        """Query, key and value (T, heads, D), before norms and RoPE."""
        c = self.c
        widths = [n * c.head_dim for n in (c.n_head, c.n_head_kv, c.n_head_kv)]
        if self.has("attn_qkv.weight"):
            fused = self.note("wqkv", h @ self.w("attn_qkv.weight").T)
            if self.has("attn_qkv.bias"):
                fused = self.note("wqkv_b", fused + self.w("attn_qkv.bias"))
            parts = np.split(fused, np.cumsum(widths)[:2], -1)
        else:
            parts = [h @ self.w(f"attn_{n}.weight").T for n in "qkv"]
        for i, n in enumerate("qkv"):
            if self.has(f"attn_{n}.bias"):
                self.note(f"{n.upper()}cur.pre_bias", parts[i])
                parts[i] = parts[i] + self.w(f"attn_{n}.bias")
        return [self.note(f"{n}cur", part).reshape(len(h), -1, c.head_dim) for n, part in zip("QKV", parts)]

    def normed_and_rotated(self, x: Array, name: str) -> Array:
        c = self.c
        if self.has(f"attn_{name}_norm.weight"):
            self.note(f"{name.upper()}cur.pre_norm", x)
            whole_row = c.arch == "olmo2"
            normed = self.norm(x.reshape(len(x), -1) if whole_row else x, f"attn_{name}_norm", f"{name.upper()}cur_normed")
            x = normed.reshape(x.shape)
        elif c.has_rope(self.layer):
            self.note(f"{name.upper()}cur.pre_rope", x)
        if c.has_rope(self.layer):
            angle, mscale = c.rope_angles(self.layer, len(x), self.rope_factors())
            x = rotate(x, angle, mscale, c.arch in INTERLEAVED_ROPE)
        return self.note(f"{name.upper()}cur", x)

    def rope_factors(self) -> Array | None:
        if "rope_freqs.weight" in self.weights:
            return self.weights["rope_freqs.weight"]
        kind = "long" if self.c.n_ctx > self.c.rope_original_ctx else "short"
        return self.weights.get(f"rope_factors_{kind}.weight")

    def attention(self, h: Array) -> Array:
        c = self.c
        q, k, v = self.qkv(h)
        q, k = self.normed_and_rotated(q, "q"), self.normed_and_rotated(k, "k")
        scale = c.attention_scale
        if c.arch in (*GEMMAS, "phi3"):  # these scale the query, the others the scores inside the softmax
            if c.arch == "gemma":
                self.note("Qcur_scaled", q * scale)
            if c.arch == "phi3":
                self.note("Qcur.pre_scale", q)
                self.note("Qcur", q * scale)
            q, scale = q * scale, 1.0
        k, v = (np.repeat(x, c.n_head // c.n_head_kv, 1) for x in (k, v))
        visible = c.visible(self.layer, len(h))
        scores = self.note("kq", np.where(visible, np.einsum("qhd,khd->hqk", q, k), 0))  # (H, T, T)
        if c.attn_softcap:
            scores = self.note("kq_scaled_1", scores / c.attn_softcap)
            scores = self.note("kq_tanh", np.tanh(scores))
            scores = self.note("kq_scaled_2", scores * c.attn_softcap)
        weights = self.note("kq_soft_max", softmax(np.where(visible, scores * scale, -np.inf)))
        return self.note("kqv_out", np.einsum("hqk,khd->qhd", weights, v).reshape(len(h), -1))

    def ffn(self, h: Array) -> Array:
        c = self.c
        up = self.note("ffn_up", h @ self.w("ffn_up.weight").T)
        if self.has("ffn_up.bias"):
            up = self.note("ffn_up_b", up + self.w("ffn_up.bias"))
        if c.arch == "gpt2":
            act = self.note("ffn_gelu", gelu(up))
        elif c.arch == "phi3":
            gate, up = np.split(up, 2, -1)
            act = self.note("ffn_swiglu", silu(gate) * up)
        else:
            gate = self.note("ffn_gate", h @ self.w("ffn_gate.weight").T)
            if self.has("ffn_gate.bias"):
                gate = self.note("ffn_gate_b", gate + self.w("ffn_gate.bias"))
            act = self.note("ffn_geglu", gelu(gate) * up) if c.arch in GEMMAS else self.note("ffn_swiglu", silu(gate) * up)
        down = act @ self.w("ffn_down.weight").T
        if self.has("ffn_down.bias"):
            down = self.note("ffn_down", down) + self.w("ffn_down.bias")
        return self.note("ffn_out", down)

    def moe(self, h: Array) -> Array:
        """Softmax over all experts, the best few, their weights made to sum to 1. Experts in order of probability."""
        probs = self.note("ffn_moe_probs", softmax(self.note("ffn_moe_logits", h @ self.w("ffn_gate_inp.weight").T)))
        chosen = self.note("ffn_moe_topk", np.argsort(-probs, -1, kind="stable")[:, : self.c.n_expert_used])  # (T, E)
        weights = self.note("ffn_moe_weights", np.take_along_axis(probs, chosen, -1))
        total = self.note("ffn_moe_weights_sum", weights.sum(-1, keepdims=True))
        total = self.note("ffn_moe_weights_sum_clamped", np.maximum(total, 6.103515625e-5))
        weights = self.note("ffn_moe_weights_norm", weights / total)
        gate, up, down = (self.w(f"ffn_{n}_exps.weight")[chosen] for n in ("gate", "up", "down"))
        up = self.note("ffn_moe_up", np.einsum("tc,tefc->tef", h, up))
        gate = self.note("ffn_moe_gate", np.einsum("tc,tefc->tef", h, gate))
        act = self.note("ffn_moe_swiglu", silu(gate) * up)
        out = self.note("ffn_moe_down", np.einsum("tef,tecf->tec", act, down))
        out = self.note("ffn_moe_weighted", out * weights[..., None])
        return self.note("ffn_moe_out", out.sum(1))

    def block(self, x: Array) -> Array:
        c = self.c
        h = x if c.arch == "olmo2" else self.norm(x, "attn_norm", "attn_norm")
        h = self.attention(h) @ self.w("attn_output.weight").T
        if self.has("attn_output.bias"):
            h = h + self.w("attn_output.bias")
        if c.arch in ("llama", "smollm3", "granite"):
            self.note("attn_out", h)
        if self.has("post_attention_norm.weight"):
            h = self.norm(h, "post_attention_norm", "attn_post_norm")
        x = x + c.residual_scale * h
        self.note("sa_out" if c.arch in GEMMAS else "ffn_inp", x)
        h = x if c.arch == "olmo2" else self.norm(x, "ffn_norm", "ffn_norm")
        h = self.moe(h) if self.has("ffn_gate_inp.weight") else self.ffn(h)
        if self.has("post_ffw_norm.weight"):
            h = self.norm(h, "post_ffw_norm", "ffn_post_norm")
        return self.note("l_out", x + c.residual_scale * h)

    def run(self, tokens: list[int]) -> Array:
        c = self.c
        embedding = self.w("token_embd.weight")
        x = self.w("token_embd.weight")[tokens]
        if c.arch in GEMMAS:
            self.note("embd", x)
            x = self.note("inp_scaled", x * c.embedding_scale)
        else:  # granite's node is after the scale
            x = self.note("embd", x * c.embedding_scale)
        if c.arch == "gpt2":
            x = self.note("inpL", x + self.note("pos_embd", self.w("position_embd.weight")[: len(tokens)]))
        for self.layer in range(c.n_layer):
            x = self.block(x)
        self.layer = -1
        x = self.norm(x, "output_norm", "result_norm")
        logits = x @ self.weights.get("output.weight", embedding).T / c.logit_scale
        if "output.bias" in self.weights:
            logits = self.note("result_output_no_bias", logits) + self.w("output.bias")
        if c.final_softcap:
            logits = c.final_softcap * np.tanh(logits / c.final_softcap)
        return self.note("result_output", logits)


def relative_l2(x: Array, reference: Array) -> float:
    return float(np.linalg.norm(x - reference) / max(np.linalg.norm(reference), 1e-30))


@dataclass
class Comparison:
    name: str
    phase: str
    error: float  # worst layer's relative L2
    layer: int | None


def compare(forward: Forward, dump: Path, index: dict[str, Any]) -> tuple[list[Comparison], list[str]]:
    """Errors of every dumped node that the forward pass has, and the names of those it lacks."""
    T, M = len(index["tokens"]), len(index["decoded"])
    results, unknown = [], []
    for node in index["nodes"]:
        name, phase = node["name"], node["phase"]
        if name not in forward.nodes:
            unknown.append(f"{phase}.{name}")
            continue
        reference = np.load(dump / node["file"])
        worst = Comparison(name, phase, 0.0, None)
        for i, layer in enumerate(node["layers"] or [-1]):
            x = forward.nodes[name][layer]
            has_keys = x.ndim == 3
            if phase == "prefill":
                rows = node["rows"] if node["rows"] is not None else range(T)
                mine = x[:, rows, :T] if has_keys else x[rows]
                theirs = reference[i] if node["layers"] is not None else reference
            else:
                mine = np.stack([x[:, [T + j]] if has_keys else x[[T + j]] for j in range(M)])
                theirs = reference[:, i] if node["layers"] is not None else reference
            if mine.shape != theirs.shape:
                raise ValueError(f"{phase} {name}: {mine.shape} here, {theirs.shape} in the dump")
            error = relative_l2(mine, theirs)
            if not error <= worst.error:
                worst = Comparison(name, phase, error, None if layer < 0 else layer)
        results.append(worst)
    return results, unknown


def check(model: Path, dump: Path) -> tuple[list[Comparison], list[str]]:
    index = json.loads((dump / "index.json").read_text())
    reader = GGUFReader(model)
    forward = Forward(Config(read_metadata(reader), index["n_ctx"]), read_tensors(reader))
    forward.run(index["tokens"] + index["decoded"])
    return compare(forward, dump, index)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    args = parser.parse_args()
    results, unknown = check(args.model, args.dump)
    for r in results:
        print(f"{r.phase:8s} {r.name:28s} {r.error:.2e}" + (f"  layer {r.layer}" if r.layer is not None else ""))
    for name in unknown:
        print(f"{name}: not computed here")
    worst = max(r.error for r in results)
    print(f"{len(results)} nodes, worst relative L2 {worst:.2e}")
    if unknown or not worst <= args.tolerance:
        sys.exit(1)


if __name__ == "__main__":
    main()
