#!/usr/bin/env python3
"""Compare glue.py with MediaPipe's own pipeline on pictures: single pictures, and the same picture as a video.

usage: against_mediapipe.py MODELS_DIR PICTURE ...      of two pictures, also both side by side

MediaPipe is the Hands solution of the PyPI package 0.10.21, which has its models inside and needs no network; the glue runs on
MODELS_DIR/{palm_detection,hand_landmark}_{lite,full}.tflite. The package crops pictures on the CPU by OpenCV, in whole-number
pixel centres and 8 bits, so the glue is compared twice: with that crop, which shows that everything else is the same, and with
its own, which shows what the crop is worth. Figures are the largest difference of a landmark, x and y in pixels of the picture,
z in the same unit, world in millimetres.
"""
import math
import sys
from pathlib import Path

import cv2
import numpy as np
from mediapipe.python.solutions.hands import Hands
from PIL import Image

import glue
from network import Network
from references import MAX_HANDS, side_by_side

FRAMES = 3


def opencv_crop(picture: np.ndarray, region: glue.Region, size: int, border: str) -> np.ndarray:
    """As image_to_tensor_converter_opencv.cc."""
    rectangle = (region.x, region.y), (region.width, region.height), math.degrees(region.rotation)
    corners = np.array([[0, size], [0, 0], [size, 0], [size, size]], np.float32)
    matrix = cv2.getPerspectiveTransform(cv2.boxPoints(rectangle), corners)
    mode = cv2.BORDER_CONSTANT if border == "zero" else cv2.BORDER_REPLICATE
    return cv2.warpPerspective(np.rint(picture * 255).astype(np.uint8), matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=mode) / 255


def mediapipe_hands(image: np.ndarray, grade: str, frames: int) -> list[list[tuple[np.ndarray, np.ndarray, tuple[str, float]]]]:
    """For each frame its hands: landmarks in pixels, world, handedness. One frame is a single picture."""
    height, width = image.shape[:2]
    with Hands(static_image_mode=frames == 1, max_num_hands=MAX_HANDS, model_complexity={"lite": 0, "full": 1}[grade]) as hands:
        results = [hands.process(image) for _ in range(frames)]
    numbers = lambda points: np.array([(point.x, point.y, point.z) for point in points.landmark])
    return [[(numbers(landmarks) * [width, height, width], numbers(world), (side.classification[0].label, side.classification[0].score))
             for landmarks, world, side in zip(result.multi_hand_landmarks, result.multi_hand_world_landmarks, result.multi_handedness)]
            for result in results]


def compare(hands: list[glue.Hand], theirs: list) -> str:
    """The largest differences; each hand is compared with theirs whose wrist is nearest."""
    if len(hands) != len(theirs):
        return f"{len(hands)} hands, MediaPipe has {len(theirs)}"
    errors, labels = [], []
    for hand in hands:
        landmarks, world, (side, score) = min(theirs, key=lambda other: np.linalg.norm(other[0][0, :2] - hand.landmarks[0, :2]))
        difference = np.abs(hand.landmarks - landmarks)
        errors.append((difference[:, :2].max(), difference[:, 2].max(), 1000 * np.abs(hand.world - world).max()))
        labels.append("{} {:.5f} (mirrored: {} {:.5f})".format(*glue.label(hand.right), side, score))
    return "xy {:.4f} z {:.4f} px, world {:.3f} mm, ".format(*np.max(errors, axis=0)) + ", ".join(labels)


def main(models: Path, pictures: list[Path]) -> None:
    images = {path.stem: np.array(Image.open(path).convert("RGB")) for path in pictures}
    if len(images) == 2:
        images["side by side"] = side_by_side(*images.values())
    for grade in ("lite", "full"):
        palm, landmark = (Network(models / f"{name}_{grade}.tflite") for name in ("palm_detection", "hand_landmark"))
        for name, image in images.items():
            for crop in (opencv_crop, glue.crop):
                for frames in (1, FRAMES):
                    pipeline = glue.Pipeline(palm.run, landmark.run, MAX_HANDS, crop)
                    for frame, theirs in enumerate(mediapipe_hands(image, grade, frames)):
                        when = "photo" if frames == 1 else f"frame {frame}"
                        print(f"{grade} {name:14s} {crop.__name__:11s} {when}: {compare(pipeline.video(image / 255), theirs)}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
