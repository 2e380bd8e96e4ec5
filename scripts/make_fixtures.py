#!/usr/bin/env python3
"""Make every committed reference: activations by llama.cpp, greedy continuations, and their check in float64.

usage: make_fixtures.py MODELS_DIR OUT_DIR [MODEL ...]

Writes OUT_DIR/MODEL/CASE/ (see dump_activations.py) and OUT_DIR/MODEL/greedy.json:
    {"model", "n_ctx", "prompt", "prompt_tokens", "tokens": the 64 ids that follow, "text",
     "min_margin": the least difference between the best and the second logit of any step}
Each dump is compared with numpy_forward.py; a node further than TOLERANCE in relative L2 stops everything.
"""
import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dump_activations import dump, prompt_ids
from gguf_files import write_f32_twin
from llama_runner import Runner
from numpy_forward import check
from random_fixtures import FIXTURES as RANDOM

TOLERANCE = 1e-5
GREEDY_PROMPT_TOKENS, GREEDY_STEPS = 7, 64


@dataclass(frozen=True)
class Case:
    prompt_tokens: int
    decode: int
    rows: tuple[int, ...] | None = None  # of the prefill; None is all
    n_ctx: int = 256
    suffix: str = ""

    @property
    def name(self) -> str:
        return f"t{self.prompt_tokens}{self.suffix}"


EVERY_MODEL = (Case(1, 8), Case(7, 8), Case(64, 8, (0, 31, 63)))
CASES: dict[str, tuple[Case, ...]] = {name: EVERY_MODEL for name in ("embedded", "gpt2-tiny", "qwen3-tiny", "gemma3-tiny", *RANDOM)}
CASES |= {name: (Case(7, 4),) for name in ("granite-bias", "llama-ffn-bias", "olmo3", "qwen2-output-bias")}  # like others but for a detail
CASES["gemma3-tiny"] += (Case(100, 4, (31, 32, 99)),)  # its window is 32
CASES["phi3-longrope"] += (Case(7, 4, n_ctx=1024, suffix="-long"),)  # past the original context: long factors


def greedy(model: Path) -> dict:
    """The greedy continuation by llama.cpp on the F32 twin; an end token does not stop it."""
    prompt = prompt_ids(model, GREEDY_PROMPT_TOKENS)
    with tempfile.TemporaryDirectory() as folder:
        twin = Path(folder) / "twin.gguf"
        write_f32_twin(model, twin)
        runner = Runner(twin)
        logits, ids, margins = runner.feed(prompt), [], []
        for _ in range(GREEDY_STEPS):
            second, best = np.sort(logits[-1])[-2:]
            margins.append(float(best - second))
            ids.append(int(logits[-1].argmax()))
            logits = runner.feed(ids[-1:])
        result = {
            "model": model.name, "n_ctx": 256, "prompt": runner.detokenize(prompt), "prompt_tokens": prompt,
            "tokens": ids, "text": runner.detokenize(ids), "min_margin": round(min(margins), 6),
        }
        runner.close()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models_dir", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("models", nargs="*", default=list(CASES))
    args = parser.parse_args()
    for name in args.models:
        model = args.models_dir / f"{name}.gguf"
        for case in CASES[name]:
            folder = args.out / name / case.name
            rows = list(case.rows) if case.rows else None
            dump(model, folder, prompt_ids(model, case.prompt_tokens), case.decode, rows, case.n_ctx)
            results, unknown = check(model, folder)
            worst = max(results, key=lambda r: r.error)
            n_bytes = sum(f.stat().st_size for f in folder.iterdir())
            print(f"{name}/{case.name}: {len(results)} arrays, {n_bytes} bytes, worst {worst.error:.1e} ({worst.phase} {worst.name})")
            if unknown or not worst.error <= TOLERANCE:
                sys.exit(f"{folder}: worst {worst}, not checked {unknown}")
        continuation = greedy(model)
        text = json.dumps(continuation, ensure_ascii=False, indent=1)
        (args.out / name / "greedy.json").write_text(text + "\n")
        print(f"{name}: least margin {continuation['min_margin']}, {continuation['text']!r}")


if __name__ == "__main__":
    main()
