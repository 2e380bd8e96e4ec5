"""Reading and writing GGUF files: the few helpers the other scripts share.

Matrices are numpy arrays in the order (rows, columns) = (N, K); GGUF itself lists dimensions innermost first,
and gguf-py converts. Metadata is a plain dict {key: value}.
"""
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFValueType, GGUFWriter

FILE_TYPE = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "Q4_K": 15}  # general.file_type
NORMAL, CONTROL = 1, 3  # tokenizer.ggml.token_type
END_OF_TEXT = "<|endoftext|>"


def read_metadata(reader: GGUFReader) -> dict[str, Any]:
    return {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}


def read_tensors(reader: GGUFReader) -> dict[str, np.ndarray]:
    """Every tensor, dequantised to f32."""
    return {t.name: np.asarray(gguf.quants.dequantize(t.data, t.tensor_type), np.float32) for t in reader.tensors}


def value_type(value: Any) -> GGUFValueType:
    for python, kind in ((bool, "BOOL"), (int, "UINT32"), (float, "FLOAT32"), (str, "STRING"), (list, "ARRAY")):
        if isinstance(value, python):
            return GGUFValueType[kind]
    raise TypeError(f"no GGUF type for {type(value)}")


def write(path: Path, metadata: dict[str, Any], tensors: dict[str, tuple[np.ndarray, Type]]) -> None:
    """Write a GGUF file. A tensor is (f32 values, type to store it as) or (raw uint8 blocks, their type)."""
    writer = GGUFWriter(path, metadata["general.architecture"])
    for key, value in metadata.items():
        if key == "general.architecture":
            continue
        kind = value_type(value)
        item = value_type(value[0]) if kind == GGUFValueType.ARRAY else None
        if item == GGUFValueType.UINT32:
            item = GGUFValueType.INT32  # token types and layer patterns are i32 in the wild
        writer.add_key_value(key, value, kind, item)
    add_tensors(writer, tensors)
    finish(writer)


def add_tensors(writer: GGUFWriter, tensors: dict[str, tuple[np.ndarray, Type]]) -> None:
    for name, (values, kind) in tensors.items():
        if kind == Type.F32:
            writer.add_tensor(name, np.ascontiguousarray(values, np.float32))
        elif kind == Type.F16:
            writer.add_tensor(name, np.ascontiguousarray(values, np.float16))
        elif values.dtype == np.uint8:
            writer.add_tensor(name, values, raw_dtype=kind)
        else:
            writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(values, np.float32), kind), raw_dtype=kind)


def finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_f32_twin(source: Path, target: Path) -> None:
    """Copy a GGUF file with every tensor dequantised to F32.

    llama.cpp quantises the activations inside its quantised matmuls (5e-3 relative L2 each), so a tight reference
    is llama.cpp on this twin: the same weight values, no activation rounding.
    """
    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        value = FILE_TYPE["F32"] if key == "general.file_type" else field.contents()
        item = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, value, field.types[0], item)
    add_tensors(writer, {name: (values, Type.F32) for name, values in read_tensors(reader).items()})
    finish(writer)


def storage_type(name: str, shape: tuple[int, ...], wanted: Type) -> Type:
    """The type a tensor is stored as when its file is `wanted`: vectors, positions and routers stay F32, as llama.cpp keeps them."""
    if len(shape) == 1 or name == "position_embd.weight" or ".ffn_gate_inp." in name:
        return Type.F32
    block = gguf.GGML_QUANT_SIZES[wanted][0]
    return wanted if shape[-1] % block == 0 else Type.F16


def typed(tensors: dict[str, np.ndarray], wanted: Type) -> dict[str, tuple[np.ndarray, Type]]:
    return {name: (values, storage_type(name, values.shape, wanted)) for name, values in tensors.items()}


def byte_alphabet() -> list[str]:
    """GPT-2's printable character for each byte, in byte order (the alphabet of byte-level BPE)."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    stand_in = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(stand_in)) for b in range(256)]


def bpe_metadata(tokens: list[str], merges: list[str]) -> dict[str, Any]:
    """Tokenizer keys of a byte-level BPE whose token 0 is <|endoftext|>."""
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [CONTROL if t == END_OF_TEXT else NORMAL for t in tokens],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 0,
        "tokenizer.ggml.add_bos_token": False,
    }
