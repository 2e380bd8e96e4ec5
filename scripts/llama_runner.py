"""llama.cpp as the reference: load a GGUF file, feed tokens, see every node of its compute graph.

Needs llama-cpp-python built as scripts/README.md says (exact GELU, no CPU-specific kernels).
"""
import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import llama_cpp as lib
import numpy as np

GGML_TYPES = {0: np.float32, 1: np.float16, 26: np.int32}  # enum ggml_type, those that nodes have


class GgmlTensor(ctypes.Structure):
    """struct ggml_tensor of ggml.h."""
    _fields_ = [
        ("type", ctypes.c_int), ("buffer", ctypes.c_void_p), ("ne", ctypes.c_int64 * 4), ("nb", ctypes.c_size_t * 4),
        ("op", ctypes.c_int), ("op_params", ctypes.c_int32 * 16), ("flags", ctypes.c_int32), ("src", ctypes.c_void_p * 10),
        ("view_src", ctypes.c_void_p), ("view_offs", ctypes.c_size_t), ("data", ctypes.c_void_p),
        ("name", ctypes.c_char * 64), ("extra", ctypes.c_void_p), ("padding", ctypes.c_char * 8),
    ]


ggml = ctypes.CDLL(next((Path(lib.__file__).parent / "lib").glob("libggml-base.so*")))
ggml.ggml_op_name.restype = ctypes.c_char_p
ggml.ggml_op_name.argtypes = [ctypes.c_int]


@dataclass
class Node:
    name: str
    op: str
    address: int
    sources: list[int]  # addresses of the operands
    values: np.ndarray  # 4-d, outermost first (ggml's ne reversed)


def read_tensor(tensor: GgmlTensor) -> np.ndarray:
    dtype = np.dtype(GGML_TYPES[tensor.type])
    shape, strides = list(tensor.ne)[::-1], list(tensor.nb)[::-1]
    span = sum((n - 1) * stride for n, stride in zip(shape, strides)) + dtype.itemsize
    memory = np.frombuffer((ctypes.c_char * span).from_address(tensor.data), np.uint8)
    return np.lib.stride_tricks.as_strided(memory[: dtype.itemsize].view(dtype), shape, strides).copy()


class Runner:
    """One model with one sequence. flash_attn off, F32 KV cache, logits of every position."""

    def __init__(self, path: Path, n_ctx: int = 256, on_node: Callable[[Node], None] | None = None):
        self.quiet = lib.llama_cpp.llama_log_callback(lambda level, text, data: None)
        lib.llama_log_set(self.quiet, None)
        lib.llama_backend_init()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = 0
        params.use_extra_bufts = False  # plain kernels, no repacked weights
        self.model = lib.llama_model_load_from_file(str(path).encode(), params)
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot load {path}")
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = n_ctx
        params.n_threads = params.n_threads_batch = 1
        params.flash_attn_type = 0
        params.type_k = params.type_v = 0  # F32
        params.swa_full = True  # a cell of the cache is a position, in sliding-window layers too
        self.error: Exception | None = None
        if on_node:
            self.callback = self.make_callback(on_node)
            params.cb_eval = self.callback
        self.context = lib.llama_init_from_model(self.model, params)
        if not self.context:
            raise RuntimeError(f"llama.cpp cannot make a context for {path}")
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.n_vocab = lib.llama_vocab_n_tokens(self.vocab)
        self.n_past = 0

    def make_callback(self, on_node: Callable[[Node], None]):
        @lib.llama_cpp.ggml_backend_sched_eval_callback
        def callback(address, ask, _data):
            if ask or self.error:
                return True
            try:
                tensor = ctypes.cast(address, ctypes.POINTER(GgmlTensor)).contents
                if tensor.type in GGML_TYPES and 0 not in tensor.ne:
                    op = ggml.ggml_op_name(tensor.op).decode()
                    sources = [s for s in tensor.src if s]
                    on_node(Node(tensor.name.decode(), op, address, sources, read_tensor(tensor)))
            except Exception as error:  # an exception may not cross into C
                self.error = error
            return True
        return callback

    def feed(self, tokens: list[int]) -> np.ndarray:
        """Append tokens; returns their logits (T, V)."""
        batch = lib.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = self.n_past + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = 1
        status = lib.llama_decode(self.context, batch)
        lib.llama_batch_free(batch)
        if self.error:
            raise self.error
        if status:
            raise RuntimeError(f"llama_decode returned {status}")
        self.n_past += len(tokens)
        rows = [np.ctypeslib.as_array(lib.llama_get_logits_ith(self.context, i), (self.n_vocab,)) for i in range(len(tokens))]
        return np.stack(rows).copy()

    def tokenize(self, text: str) -> list[int]:
        data = text.encode()
        ids = (ctypes.c_int32 * (len(data) + 8))()
        n = lib.llama_tokenize(self.vocab, data, len(data), ids, len(ids), False, True)
        return list(ids[:n])

    def detokenize(self, ids: list[int]) -> str:
        array = (ctypes.c_int32 * len(ids))(*ids)
        text = ctypes.create_string_buffer(32 * len(ids) + 64)
        n = lib.llama_detokenize(self.vocab, array, len(ids), text, len(text), False, True)
        return text.raw[:n].decode(errors="replace")

    def close(self) -> None:
        lib.llama_free(self.context)
        lib.llama_model_free(self.model)
