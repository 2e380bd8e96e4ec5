#!/usr/bin/env python3
"""Write llama.cpp's intermediate activations of one prompt as .npy files: the reference for every layer.

usage: dump_activations.py MODEL.gguf OUT --prompt-tokens N | ID,ID,... [--decode M] [--rows R,R,...] [--n-ctx N]

The model is dequantised to an F32 twin in a temporary folder and llama.cpp runs that, with flash attention off and an
F32 KV cache: the prompt in one batch ("prefill"), then M greedy steps of one token ("decode"). A prompt given as a
number is that many tokens of PROMPT. --rows keeps only those token rows of the prefill.

OUT/index.json
    {"model", "arch", "n_ctx", "tokens": prompt ids, "decoded": the ids fed at each decode step,
     "nodes": [{"name", "file", "phase": "prefill" | "decode", "layers": [...] | null, "shape", "rows": [...] | null}]}
    layers: the layers that have the node, in the order of the array's axis; null for nodes outside the layers.
    rows: the token rows kept; null is all.
OUT/PHASE.NAME.npy, little-endian f32, C order
    prefill (layers, T_kept, width), decode (steps, layers, 1, width); without the layer axis where layers is null.
    Heads are flattened: Qcur has width n_head * head_dim. kq and the other scores have (H, T_kept, S) in place of
    (T_kept, width): S is T in the prefill and T + M in decode, and what causality, the sliding window or the future
    hides is 0.

Names are llama.cpp's, without the layer number. What it names twice in a layer has the bare name for the last and,
for the earlier ones, a suffix that says what comes next:
    Qcur.pre_bias, .pre_norm, .pre_rope, .pre_scale     the query before that step; the same for Kcur and Vcur
    X.pre_weight                                        llama.cpp's `norm`: X before the norm's weight
    X.pre_bias                                          llama.cpp's `norm_w`: LayerNorm's X before its bias
Meanings that are not plain from the name:
    kq           q . k, scaled only where the architecture scales the query (gemma*, phi3); elsewhere 1/sqrt(head_dim)
                 (granite: attention.scale) is applied inside the softmax, so kq_soft_max = softmax(scale * kq)
    kq_scaled_1, kq_tanh, kq_scaled_2                   gemma2's soft cap: kq / cap, its tanh, times cap
    Qcur         the query that meets the keys, but gemma2 and gemma3 scale it once more (a node without a name)
    embd         the token embedding; with granite after embedding_scale. gemma*: inp_scaled is the scaled one
    attn_out     attention's output after its matrix (llama, smollm3, granite; elsewhere the node has no name)
    ffn_out      the FFN's output before a post norm and before granite's residual_scale
    ffn_up       phi3: gate and up rows fused, 2 F wide. gpt2: before the bias, ffn_up_b after it
    ffn_down     gpt2: before the bias, ffn_out after it
    result_output logits, after soft cap or scale
    ffn_moe_topk expert ids (as f32), best first; the other ffn_moe_* rows follow that order, experts flattened
Left out: nodes without a name, reshapes, whole-tensor views and permuted copies (kqv is kqv_out), the KV cache's.
"""
import argparse
import json
import re
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from gguf import GGUFReader

from gguf_files import read_metadata, write_f32_twin
from llama_runner import Node, Runner
from numpy_forward import Config

PROMPT = (
    "It was already late when Prince Andrew came into the drawing room, where the old countess sat with her daughters "
    "by the fire. \"Well, my dear,\" she said, \"and what news do you bring us from the army?\" He did not answer at "
    "once. He looked at Natasha, who had turned her face away, and he felt that everything he had meant to say was "
    "now quite useless and even false. \"There is nothing to tell, countess,\" he replied at last with a smile; \"the "
    "Emperor has left for Moscow, and the whole regiment is to follow him in the morning.\" Nobody spoke."
)
LAYOUT_OPS = {"RESHAPE", "VIEW", "PERMUTE", "TRANSPOSE"}
STEP_NAMES = {"ADD": "bias", "RMS_NORM": "norm", "NORM": "norm", "ROPE": "rope", "SCALE": "scale"}
SAME_VALUES_ELSEWHERE = {"kqv", "ffn_moe_argsort"}  # as kqv_out and ffn_moe_topk
SCORES = {"kq", "kq_scaled_1", "kq_tanh", "kq_scaled_2", "kq_soft_max"}


class Graph:
    """The nodes of one evaluation, with their layers and final names."""

    def __init__(self):
        self.nodes: list[Node] = []

    def named(self) -> dict[str, dict[int, np.ndarray]]:
        """{name: {layer or -1: values}} of the nodes worth keeping."""
        placed = self.placed()
        consumers = self.consumers()
        by_address = {node.address: entry for node, entry in zip(self.nodes, placed)}
        last = {entry: node for node, entry in zip(self.nodes, placed) if entry}
        values: dict[str, dict[int, np.ndarray]] = defaultdict(dict)
        for node, entry in zip(self.nodes, placed):
            if entry is None or entry[0] in SAME_VALUES_ELSEWHERE:
                continue
            name, layer = entry
            consumer = consumers.get(node.address)
            if name in ("norm", "norm_w"):
                name = self.norm_name(name, consumer, consumers, by_address)
            elif last[entry] is not node:
                name = f"{name}.pre_{STEP_NAMES[consumer.op]}"
            if layer in values[name]:
                raise ValueError(f"two nodes would be called {name} in layer {layer}")
            values[name][layer] = node.values
        return values

    def placed(self) -> list[tuple[str, int] | None]:
        """(name, layer) of each node, None for those to skip. Some names inside a layer lack their layer's number."""
        placed, layer = [], -1
        addresses = {node.address: node for node in self.nodes}
        for node in self.nodes:
            match = re.fullmatch(r"([\w.]+?)(?:-(\d+))?", node.name)
            if not match or re.fullmatch(r"node_\d+", node.name) or node.name.startswith("cache_") or self.is_alias(node, addresses):
                placed.append(None)
                continue
            name = match[1]
            layer = int(match[2]) if match[2] else layer
            placed.append((name, layer))
            if name == "l_out":
                layer = -1
        return placed

    @staticmethod
    def is_alias(node: Node, addresses: dict[int, Node]) -> bool:
        """Does it only lay out all of another node's values anew?"""
        source = addresses.get(node.sources[0]) if node.sources else None
        return node.op in LAYOUT_OPS and source is not None and source.values.size == node.values.size

    def consumers(self) -> dict[int, Node]:
        """The first node that computes with each node's values, through layout changes."""
        consumers: dict[int, Node] = {}
        for node in reversed(self.nodes):
            step = consumers.get(node.address, node) if node.op in LAYOUT_OPS else node
            for source in node.sources:
                consumers[source] = step
        return consumers

    @staticmethod
    def norm_name(name: str, consumer: Node, consumers: dict[int, Node], by_address: dict) -> str:
        """`norm` is followed by * weight and, in a LayerNorm as `norm_w`, by + bias; the end of that chain has the name."""
        end = consumer
        if (by_address[end.address] or ("",))[0] == "norm_w":
            end = consumers[end.address]
        step = "weight" if name == "norm" else "bias"
        return f"{by_address[end.address][0]}.pre_{step}"


def shaped(name: str, values: np.ndarray, visible: np.ndarray, n_past: int) -> np.ndarray:
    """(T, width), or (H, T, S) for scores, hidden ones 0."""
    if name not in SCORES:
        n_tokens = len(visible) - n_past
        return np.ascontiguousarray(values, np.float32).reshape(n_tokens, -1)
    scores = values[0][:, :, : len(visible)]
    return np.where(visible[n_past:], scores, 0).astype(np.float32)


def check_softmax(weights: np.ndarray, raw: np.ndarray) -> None:
    """Positions are cache cells and the mask is the one we think: nothing was hidden that weighed something."""
    if np.abs(weights.sum(-1) - 1).max() > 1e-5 or np.abs(raw.sum(-1) - weights.sum(-1)).max() > 1e-6:
        raise ValueError("kq_soft_max has weight outside the positions it may see")


def record(twin: Path, config: Config, tokens: list[int], decode: int) -> tuple[list[int], list[dict[str, dict[int, np.ndarray]]]]:
    """Run prefill and decode. Returns the decoded ids and, for each evaluation, {name: {layer: array}}."""
    graph = Graph()
    runner = Runner(twin, config.n_ctx, on_node=lambda node: graph.nodes.append(node))
    decoded: list[int] = []
    evaluations = []
    fed = tokens
    for step in range(decode + 1):
        graph.nodes.clear()
        n_past = runner.n_past
        logits = runner.feed(fed)
        evaluation: dict[str, dict[int, np.ndarray]] = {}
        for name, layers in graph.named().items():
            evaluation[name] = {}
            for layer, values in layers.items():
                visible = config.visible(layer, runner.n_past)
                evaluation[name][layer] = shaped(name, values, visible, n_past)
                if name == "kq_soft_max":
                    check_softmax(evaluation[name][layer], values[0])
        evaluations.append(evaluation)
        if step < decode:
            fed = [int(logits[-1].argmax())]
            decoded += fed
    runner.close()
    return decoded, evaluations


def pad_keys(x: np.ndarray, n: int) -> np.ndarray:
    return np.pad(x, [(0, 0), (0, 0), (0, n - x.shape[-1])])


def dump(model: Path, out: Path, tokens: list[int], decode: int = 0, rows: list[int] | None = None, n_ctx: int = 256) -> dict:
    """Write OUT and return the index."""
    config = Config(read_metadata(GGUFReader(model)), n_ctx)
    with tempfile.TemporaryDirectory() as folder:
        twin = Path(folder) / "twin.gguf"
        write_f32_twin(model, twin)
        decoded, (prefill, *steps) = record(twin, config, tokens, decode)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.npy"):
        old.unlink()
    nodes = []

    def save(phase: str, name: str, layers: list[int], array: np.ndarray, kept: list[int] | None) -> None:
        file = f"{phase}.{name}.npy"
        np.save(out / file, np.ascontiguousarray(array, "<f4"))
        listed = None if layers == [-1] else layers
        nodes.append({"name": name, "file": file, "phase": phase, "layers": listed, "shape": list(array.shape), "rows": kept})

    for name, by_layer in prefill.items():
        layers = sorted(by_layer)
        array = np.stack([by_layer[layer] for layer in layers])
        if rows is not None:
            array = array[..., rows, :]
        save("prefill", name, layers, array[0] if layers == [-1] else array, rows)
    for name, by_layer in steps[0].items() if steps else ():
        layers = sorted(by_layer)
        arrays = [np.stack([step[name][layer] for layer in layers]) for step in steps]
        if name in SCORES:
            arrays = [np.stack([pad_keys(x, len(tokens) + decode) for x in array]) for array in arrays]
        array = np.stack(arrays)
        save("decode", name, layers, array[:, 0] if layers == [-1] else array, None)
    index = {"model": model.name, "arch": config.arch, "n_ctx": n_ctx, "tokens": tokens, "decoded": decoded, "nodes": nodes}
    (out / "index.json").write_text(to_json(index))
    return index


def to_json(index: dict) -> str:
    """JSON with one node a line, so that a change shows as one line."""
    head = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in index.items() if key != "nodes")
    nodes = ",\n".join(f"    {json.dumps(node)}" for node in index["nodes"])
    return f'{{\n{head},\n  "nodes": [\n{nodes}\n  ]\n}}\n'


def prompt_ids(model: Path, n: int) -> list[int]:
    """The first n tokens of PROMPT."""
    runner = Runner(model)
    ids = runner.tokenize(PROMPT)
    runner.close()
    if len(ids) < n:
        raise ValueError(f"PROMPT has {len(ids)} tokens, {n} wanted")
    return ids[:n]


def integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--prompt-tokens", type=integers, required=True, metavar="N | ID,ID,...")
    parser.add_argument("--decode", type=int, default=0)
    parser.add_argument("--rows", type=integers)
    parser.add_argument("--n-ctx", type=int, default=256)
    args = parser.parse_args()
    tokens = args.prompt_tokens
    if len(tokens) == 1:
        tokens = prompt_ids(args.model, tokens[0])
    index = dump(args.model, args.out, tokens, args.decode, args.rows, args.n_ctx)
    total = sum((args.out / node["file"]).stat().st_size for node in index["nodes"])
    print(f"{args.out}: {len(index['nodes'])} arrays, {total} bytes, decoded {index['decoded']}")


if __name__ == "__main__":
    main()
