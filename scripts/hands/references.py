#!/usr/bin/env python3
"""Write the references of the hand pipeline that the tests read: networks by LiteRT, the glue by glue.py.

usage: references.py MODELS_DIR PICTURES_DIR OUT_DIR

MODELS_DIR has NETWORKS, PICTURES_DIR has hand_{four,rock}_crop.png. Networks' outputs are float32, the glue is float64; arrays
are float32. OUT_DIR gets:

networks.json       for each network its operators in the order of the arrays: number in the file, type, shape of the output
NETWORK.npy         (3, operators, 1 + VALUES): for the inputs noise, four, rock, and for each operator, the L2 norm of its
                    output and the values at places(seed = operator's number, VALUES, elements of the output). The noise is
                    noise(seed 1, input's shape). A palm network sees the picture letterboxed; a landmark network sees the
                    region of PAIR-PICTURE.json (the "photo"), cut to its input size; hand_landmark that of the full pair
PAIR-PICTURE.json   the pipeline on four, rock and both: see pipeline_reference
PAIR-PICTURE.npy    (1 + crops, SAMPLES, 5): of the letterboxed picture, the crop of each hand of "photo" and of "video", pixels
                    at places(seed 0, SAMPLES, pixels): column, row, r, g, b
transforms.json     the 50 transforms, with the checksum of each result
PAIR-transforms.npy (50, 134): palm's score; region's x, y, side, rotation; presence; right; 21 x (x, y, z); 21 x world, and
                    the number of hands last. Transform i is of picture four for an even i, rock for an odd one
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import glue
from network import Network
from portable import noise, places
from transforms import BACKGROUND, Transform, checksum

NETWORKS = {"palm_detection_lite": "lite", "palm_detection_full": "full", "hand_landmark_lite": "lite",
            "hand_landmark_full": "full", "hand_landmark": "full"}  # and the pair whose region a landmark network looks at
PAIRS, PICTURES = ("lite", "full"), ("four", "rock")
MAX_HANDS = 2
NOISE_SEED, VALUES, SAMPLES, TRANSFORMS = 1, 44, 200, 50


def floats(values) -> list:
    """For JSON: 9 digits, which is more than a float32 holds."""
    return [float(f"{value:.9g}") for value in np.ravel(values)]


def rows(values: np.ndarray) -> list[list[float]]:
    return [floats(row) for row in values]


def region_numbers(region: glue.Region) -> list[float]:
    """x, y, width, height in pixels, rotation in radians."""
    return floats([region.x, region.y, region.width, region.height, region.rotation])


def palm_numbers(palms: glue.Palms) -> list[list[float]]:
    """For each palm: score, xmin, ymin, xmax, ymax, then x, y of 7 key points."""
    return rows(np.concatenate([palms.scores[:, None], palms.boxes, palms.points.reshape(-1, 14)], axis=1))


def hand_numbers(hand: glue.Hand) -> dict:
    """The landmark network's outputs, and what the glue makes of them. Its region is where the next picture is looked at."""
    landmarks, presence, right, world = hand.raw
    return {
        "region": region_numbers(hand.region),
        "raw": {"landmarks": floats(landmarks), "presence": float(presence[0]), "right": float(right[0]), "world": floats(world)},
        "label": glue.label(hand.right)[0],
        "landmarks": rows(hand.landmarks),
        "world": rows(hand.world),
        "next_region": region_numbers(glue.region_of_landmarks(hand.landmarks)),
    }


def samples(image: np.ndarray) -> np.ndarray:
    """(SAMPLES, 5): column, row, r, g, b."""
    height, width = image.shape[:2]
    at = np.array(places(0, SAMPLES, height * width))
    return np.concatenate([np.stack([at % width, at // width], axis=1), image.reshape(-1, 3)[at]], axis=1).astype(np.float32)


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Both pictures on one, top edges in line, BACKGROUND below the shorter one."""
    height = max(left.shape[0], right.shape[0])
    return np.concatenate([np.pad(image, ((0, height - image.shape[0]), (0, 0), (0, 0)), constant_values=BACKGROUND)
                           for image in (left, right)], axis=1)


def pipeline_reference(palm: Network, landmark: Network, picture: np.ndarray) -> tuple[dict, np.ndarray]:
    """The pipeline step by step on a picture, and samples of its crops.

    "candidates": anchors over the threshold: "anchor", "raw" score and 18 values of the network, "palms" relative to the
    letterboxed input; "suppressed" the same after the suppression; "palms" in pixels of the picture. "photo": the hands of the
    picture alone; "video": the hands of the same picture once more, as the next of a video, which are looked for where
    "next_region" of the photo says, with MAX_HANDS.
    """
    square = glue.whole(picture)
    letterboxed = glue.crop(picture, square, glue.PALM_SIZE, "zero")
    raw_boxes, raw_scores = palm.run(letterboxed)
    anchors, candidates = glue.decode(raw_boxes, raw_scores)
    suppressed = glue.suppress(candidates)
    pipeline = glue.Pipeline(palm.run, landmark.run, MAX_HANDS)
    photo, video = pipeline.video(picture), pipeline.video(picture)
    height, width = picture.shape[:2]
    reference = {
        "picture": [width, height],
        "letterbox": region_numbers(square),
        "candidates": {
            "anchor": [int(anchor) for anchor in anchors],
            "raw": rows(np.concatenate([raw_scores, raw_boxes], axis=1)[anchors]),
            "palms": palm_numbers(candidates),
        },
        "suppressed": palm_numbers(suppressed),
        "palms": palm_numbers(glue.to_picture(suppressed, square)),
        "photo": [hand_numbers(hand) for hand in photo],
        "video": [hand_numbers(hand) for hand in video],
    }
    return reference, np.stack([samples(image) for image in (letterboxed, *(hand.crop for hand in photo + video))])


def operator_values(network: Network) -> np.ndarray:
    """(operators, 1 + VALUES) of the last run."""
    table = []
    for index, _, _, values in network.activations():
        flat = values.reshape(-1)
        norm = np.linalg.norm(flat.astype(np.float64))
        table.append(np.concatenate([[norm], flat[places(index, VALUES, flat.size)]]))
    return np.array(table, np.float32)


def transform_row(pipeline: glue.Pipeline, image: np.ndarray) -> np.ndarray:
    """(134) of the best palm's hand; see the docstring of this file."""
    palms, hands = glue.find_palms(image, pipeline.palm_network), pipeline.photo(image)
    hand = hands[0]
    region = hand.region
    numbers = [palms.scores[0], region.x, region.y, region.width, region.rotation, hand.presence, hand.right]
    return np.concatenate([numbers, hand.landmarks.ravel(), hand.world.ravel(), [len(hands)]]).astype(np.float32)


def json_lines(reference: dict, indent: str = "") -> str:
    """One key a line, so that a change shows as one line; objects are opened."""
    lines = []
    for key, value in reference.items():
        if isinstance(value, dict):
            text = json_lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[" + ", ".join(json_lines(entry, indent + "  ") for entry in value) + "]"
        else:
            text = json.dumps(value)
        lines.append(f"{indent}  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def main(models: Path, pictures: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    networks = {name: Network(models / f"{name}.tflite") for name in NETWORKS}
    images = {name: np.array(Image.open(pictures / f"hand_{name}_crop.png").convert("RGB")) for name in PICTURES}
    regions: dict[tuple[str, str], glue.Region] = {}
    for pair in PAIRS:
        palm, landmark = networks[f"palm_detection_{pair}"], networks[f"hand_landmark_{pair}"]
        for name, image in (images | {"both": side_by_side(*images.values())}).items():
            reference, crops = pipeline_reference(palm, landmark, image / 255)
            regions[pair, name] = glue.Region(*reference["photo"][0]["region"])
            (out / f"{pair}-{name}.json").write_text(json_lines(reference) + "\n")
            np.save(out / f"{pair}-{name}.npy", crops)

    lists = {}
    for name, pair in NETWORKS.items():
        network = networks[name]
        size = network.input_shape[1]
        tables = []
        for source in ("noise", *PICTURES):
            if source == "noise":
                image = noise(NOISE_SEED, network.input_shape[1:])
            elif name.startswith("palm"):
                image = glue.crop(images[source] / 255, glue.whole(images[source]), size, "zero")
            else:
                image = glue.crop(images[source] / 255, regions[pair, source], size, "replicate")
            network.run(image)
            tables.append(operator_values(network))
        np.save(out / f"{name}.npy", np.stack(tables))
        lists[name] = [[index, kind, list(values.shape)] for index, kind, _, values in network.activations()]
    (out / "networks.json").write_text(json_lines(lists) + "\n")

    transforms = [Transform.seeded(seed) for seed in range(TRANSFORMS)]
    results = [transform.apply(images[PICTURES[seed % 2]]) for seed, transform in enumerate(transforms)]
    (out / "transforms.json").write_text("[\n" + ",\n".join(
        json.dumps({"seed": seed, "picture": PICTURES[seed % 2], **vars(transform), "checksum": checksum(result)})
        for seed, (transform, result) in enumerate(zip(transforms, results))) + "\n]\n")
    for pair in PAIRS:
        pipeline = glue.Pipeline(networks[f"palm_detection_{pair}"].run, networks[f"hand_landmark_{pair}"].run)
        np.save(out / f"{pair}-transforms.npy", np.stack([transform_row(pipeline, result / 255) for result in results]))
    files = sorted(out.iterdir())
    print(f"{out}: {len(files)} files, {sum(file.stat().st_size for file in files)} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
