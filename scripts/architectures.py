"""What a GGUF file of each architecture holds: its metadata keys and its tensors' names and shapes."""
from dataclasses import dataclass, field
from typing import Any

from gguf_files import FILE_TYPE

GEMMAS = ("gemma", "gemma2", "gemma3")


@dataclass(frozen=True)
class Shape:
    arch: str
    n_layer: int
    n_embd: int
    n_head: int
    n_head_kv: int
    head_dim: int
    n_ff: int
    n_vocab: int
    n_ctx: int
    rope_freq_base: float = 1e4
    norm_eps: float = 1e-5
    tied: bool = True  # no output.weight: the token embedding is the output matrix
    n_expert: int = 0
    n_expert_used: int = 0
    biases: tuple[str, ...] = ()  # matrices of a block that have a bias
    output_bias: bool = False
    extra: dict[str, Any] = field(default_factory=dict, hash=False)  # more metadata, keys without the "arch." prefix

    @property
    def window(self) -> int:
        return self.extra.get("attention.sliding_window", 0)


def metadata(s: Shape, name: str, file_type: str, description: str = "") -> dict[str, Any]:
    """Metadata of a model file, without the tokenizer's keys."""
    keys: dict[str, Any] = {
        "block_count": s.n_layer,
        "context_length": s.n_ctx,
        "embedding_length": s.n_embd,
        "feed_forward_length": s.n_ff,
        "vocab_size": s.n_vocab,
        "attention.head_count": s.n_head,
    }
    if s.arch == "gpt2":
        keys["attention.layer_norm_epsilon"] = s.norm_eps
    else:
        keys |= {
            "attention.head_count_kv": s.n_head_kv,
            "attention.key_length": s.head_dim,
            "attention.value_length": s.head_dim,
            "attention.layer_norm_rms_epsilon": s.norm_eps,
            "rope.freq_base": s.rope_freq_base,
            "rope.dimension_count": s.head_dim,
        }
    if s.n_expert:
        keys |= {"expert_count": s.n_expert, "expert_used_count": s.n_expert_used, "expert_feed_forward_length": s.n_ff}
    general = {
        "general.architecture": s.arch,
        "general.name": name,
        "general.file_type": FILE_TYPE[file_type],
        "general.license": "mit",
    }
    if description:
        general["general.description"] = description
    return general | {f"{s.arch}.{key}": value for key, value in (keys | s.extra).items()}


def tensor_shapes(s: Shape) -> dict[str, tuple[int, ...]]:
    """Names and shapes, rows first: a matrix (N, K) maps K inputs to N outputs."""
    C, F, Q, KV = s.n_embd, s.n_ff, s.n_head * s.head_dim, s.n_head_kv * s.head_dim
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (s.n_vocab, C)}
    if s.arch == "gpt2":
        shapes["position_embd.weight"] = (s.n_ctx, C)
    for layer in range(s.n_layer):
        block = gpt2_block(C, F) if s.arch == "gpt2" else rms_block(s, C, F, Q, KV)
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
    shapes["output_norm.weight"] = (C,)
    if s.arch == "gpt2":
        shapes["output_norm.bias"] = (C,)
    if not s.tied:
        shapes["output.weight"] = (s.n_vocab, C)
    if s.output_bias:
        shapes["output.bias"] = (s.n_vocab,)
    return shapes


def gpt2_block(C: int, F: int) -> dict[str, tuple[int, ...]]:
    matrices = {"attn_qkv": (3 * C, C), "attn_output": (C, C), "ffn_up": (F, C), "ffn_down": (C, F)}
    block: dict[str, tuple[int, ...]] = {}
    for name, shape in ({"attn_norm": (C,), "ffn_norm": (C,)} | matrices).items():
        block |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return block


def rms_block(s: Shape, C: int, F: int, Q: int, KV: int) -> dict[str, tuple[int, ...]]:
    """A block of every other architecture: RMSNorm, RoPE, gated FFN."""
    block: dict[str, tuple[int, ...]] = {}
    if s.arch != "olmo2":
        block |= {"attn_norm": (C,), "ffn_norm": (C,)}
    if s.arch in ("gemma2", "gemma3", "olmo2"):
        block |= {"post_attention_norm": (C,), "post_ffw_norm": (C,)}
    if s.arch in ("qwen3", "qwen3moe", "gemma3"):
        block |= {"attn_q_norm": (s.head_dim,), "attn_k_norm": (s.head_dim,)}
    if s.arch == "olmo2":  # over the full row, not head by head
        block |= {"attn_q_norm": (Q,), "attn_k_norm": (KV,)}
    if s.arch == "phi3":
        block |= {"attn_qkv": (Q + 2 * KV, C)}
    else:
        block |= {"attn_q": (Q, C), "attn_k": (KV, C), "attn_v": (KV, C)}
    block |= {"attn_output": (C, Q)}
    if s.n_expert:
        E = s.n_expert
        block |= {"ffn_gate_inp": (E, C), "ffn_gate_exps": (E, F, C), "ffn_up_exps": (E, F, C), "ffn_down_exps": (E, C, F)}
    elif s.arch == "phi3":
        block |= {"ffn_up": (2 * F, C), "ffn_down": (C, F)}  # gate rows first, then up rows
    else:
        block |= {"ffn_gate": (F, C), "ffn_up": (F, C), "ffn_down": (C, F)}
    named = {f"{name}.weight": shape for name, shape in block.items()}
    return named | {f"{name}.bias": block[name][:1] for name in s.biases}
