"""MediaPipe's hand pipeline between the networks, in float64: the specification of ours.

picture -> letterbox -> PALM NETWORK -> boxes -> suppression -> region -> crop -> LANDMARK NETWORK -> landmarks
                                                                 ^                                       |
                                                                 +--- the next picture of a video -------+

Source: github.com/google-ai-edge/mediapipe at 85c0cdc7. Each function names the calculator (mediapipe/calculators/...) it
follows; the numbers are options of these graphs:
  modules/palm_detection/palm_detection_cpu.pbtxt, modules/hand_landmark/{hand_landmark_cpu, hand_landmark_tracking_cpu,
  palm_detection_detection_to_roi, hand_landmark_landmarks_to_roi}.pbtxt              ("solutions")
  tasks/cc/vision/{hand_detector, hand_landmarker}/*_graph.cc                          ("tasks")
Where the two differ, the text says so.

Coordinates are in pixels of the picture, x to the right, y down; pixel (i, j) covers [i, i+1) x [j, j+1), so its centre is at
i + 0.5. MediaPipe divides them by the picture's width and height; ratios of areas and all formulas here are the same in both.
Pictures are (height, width, 3) arrays, RGB, values in [0, 1].
"""
from dataclasses import dataclass, field
from typing import Callable

import numpy as np

PALM_SIZE, LANDMARK_SIZE = 192, 224  # pixels a side of the networks' inputs
PALM_STRIDES = (8, 16, 16, 16)
ANCHORS_A_LAYER = 2
SCORE_CLIP = 100.0
MIN_SCORE = 0.5  # a palm's score, at least
SUPPRESSION_IOU = 0.3  # two palms are one when they overlap more
MIN_PRESENCE = 0.5  # a hand's presence is more
SAME_HAND_IOU = 0.5  # two regions are of one hand when they overlap more
PALM_WRIST, PALM_MIDDLE = 0, 2  # key points of a palm: centre of the wrist, base of the middle finger
PALM_SCALE, PALM_SHIFT = 2.6, -0.5
LANDMARK_SCALE, LANDMARK_SHIFT = 2.0, -0.1
LANDMARK_Z = 0.4  # normalize_z of TensorsToLandmarksCalculator
# Landmarks of the wrist, the thumb up to its last joint, and the two joints nearest to the palm of each finger
STEADY_LANDMARKS = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
WRIST, INDEX_MCP, MIDDLE_MCP, RING_MCP, PINKY_MCP = 0, 5, 9, 13, 17  # MCP is the base of a finger


@dataclass(frozen=True)
class Region:
    """A rotated rectangle of the picture, in pixels; the rotation in radians turns x towards y (clockwise as seen)."""

    x: float  # centre
    y: float
    width: float
    height: float
    rotation: float = 0.0

    def point(self, u, v):
        """Picture coordinates of the relative place (u, v), which is (0, 0) top left and (1, 1) bottom right.

        GetRotatedSubRectToRectTransformMatrix of tensor/image_to_tensor_utils.cc.
        """
        across, down = self.width * (u - 0.5), self.height * (v - 0.5)
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        return self.x + across * cos - down * sin, self.y + across * sin + down * cos

    def box(self) -> np.ndarray:
        """(xmin, ymin, xmax, ymax) of the rectangle before its rotation."""
        return np.array([self.x - self.width / 2, self.y - self.height / 2, self.x + self.width / 2, self.y + self.height / 2])


@dataclass(frozen=True)
class Palms:
    """N detected palms."""

    boxes: np.ndarray  # (N, 4): xmin, ymin, xmax, ymax
    points: np.ndarray  # (N, 7, 2): x, y of the key points
    scores: np.ndarray  # (N)

    def take(self, indices) -> "Palms":
        return Palms(self.boxes[indices], self.points[indices], self.scores[indices])


@dataclass(frozen=True)
class Hand:
    """One hand in one picture."""

    region: Region  # where the landmark network looked
    landmarks: np.ndarray  # (21, 3): x, y in pixels of the picture; z in the same unit, 0 near the wrist, negative is nearer
    world: np.ndarray  # (21, 3): metres, the origin in the middle of the hand, turned as in the picture
    presence: float  # that there is a hand, in [0, 1]
    right: float  # that it is a right hand in a picture that is not mirrored, in [0, 1]
    crop: np.ndarray = field(repr=False)  # (224, 224, 3): what the landmark network saw
    raw: tuple[np.ndarray, ...] = field(repr=False)  # the landmark network's outputs


Network = Callable[[np.ndarray], list[np.ndarray]]  # an image -> the outputs
Crop = Callable[[np.ndarray, Region, int, str], np.ndarray]  # as crop()


# Pictures

def whole(picture: np.ndarray) -> Region:
    """The square around the whole picture: its long side, its centre.

    GetRoi and PadRoi of tensor/image_to_tensor_utils.cc with keep_aspect_ratio and a square tensor. MediaPipe's
    LETTERBOX_PADDING is then (1 - short / long) / 2 of the square on either end of the short side.
    """
    height, width = picture.shape[:2]
    side = float(max(height, width))
    return Region(width / 2, height / 2, side, side)


def crop(picture: np.ndarray, region: Region, size: int, border: str) -> np.ndarray:
    """(size, size, 3): the region of the picture, bilinear. border: "zero" or "replicate" is what lies outside.

    tensor/image_to_tensor_converter_gl_buffer.cc (WebGL and Metal do the same): the centre of output pixel (i, j) is the
    place (i + 0.5, j + 0.5) / size of the region; the picture is a texture with linear filter, clamped to its edge; with the
    zero border (as on GPUs without CLAMP_TO_BORDER, so in browsers) a place outside the picture is 0, and a place inside is
    not blended with 0. Palms use BORDER_ZERO; landmarks set no border mode, which GetBorderMode makes BORDER_REPLICATE.

    image_to_tensor_converter_opencv.cc, the CPU's, differs: warpPerspective puts pixel centres at whole numbers (output pixel
    i is the place i / size of the region, and picture pixel i is at i), computes in steps of 1/32 pixel, rounds to 8 bits and
    blends with 0 across the zero border.
    """
    if border not in ("zero", "replicate"):
        raise ValueError(f"border {border!r}, allowed are 'zero' and 'replicate'")
    height, width = picture.shape[:2]
    place = (np.arange(size) + 0.5) / size
    x, y = region.point(place[None, :], place[:, None])
    values = bilinear(picture, x - 0.5, y - 0.5)
    if border == "zero":
        inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
        values = values * inside[..., None]
    return values


def bilinear(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values at (x, y), where (0, 0) is the centre of the first pixel. What lies outside is the nearest pixel."""
    height, width = picture.shape[:2]
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right_part, lower_part = (x - left)[..., None], (y - top)[..., None]

    def pixel(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        return picture[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]

    upper = pixel(top, left) * (1 - right_part) + pixel(top, left + 1) * right_part
    lower = pixel(top + 1, left) * (1 - right_part) + pixel(top + 1, left + 1) * right_part
    return upper * (1 - lower_part) + lower * lower_part


# Palms

def anchors() -> np.ndarray:
    """(2016, 2): x, y of the anchors' centres, relative to the network's input; their size is 1 (fixed_anchor_size).

    tflite/ssd_anchors_calculator.cc: a layer has 2 anchors a cell (aspect_ratios 1, and interpolated_scale_aspect_ratio by its
    default of 1), and layers of the same stride are merged. So a cell of the 24 x 24 grid has 2 and a cell of the 12 x 12 grid
    has 6, all at its centre; row by row, the grid of stride 8 first.
    """
    centres = []
    for stride in dict.fromkeys(PALM_STRIDES):
        cells = PALM_SIZE // stride
        for row in range(cells):
            for column in range(cells):
                centres += [((column + 0.5) / cells, (row + 0.5) / cells)] * (ANCHORS_A_LAYER * PALM_STRIDES.count(stride))
    return np.array(centres)


def decode(raw_boxes: np.ndarray, raw_scores: np.ndarray) -> tuple[np.ndarray, Palms]:
    """Anchors' numbers and palms with a score of MIN_SCORE and more, relative to the network's input.

    raw_boxes (2016, 18): centre x, y, width, height, then x, y of 7 key points, all in pixels of the input, centre and points
    from the anchor's centre (reverse_output_order: x before y). raw_scores (2016, 1) before the sigmoid.
    tensor/tensors_to_detections_calculator.cc: DecodeBoxes, ProcessCPU, ConvertToDetections.
    """
    raw = raw_boxes.astype(np.float64) / PALM_SIZE
    centres = raw[:, 0:2] + anchors()
    sizes = raw[:, 2:4]
    points = raw[:, 4:].reshape(-1, 7, 2) + anchors()[:, None, :]
    scores = 1 / (1 + np.exp(-np.clip(raw_scores[:, 0].astype(np.float64), -SCORE_CLIP, SCORE_CLIP)))
    (kept,) = np.nonzero((scores >= MIN_SCORE) & (sizes >= 0).all(1))
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return kept, Palms(boxes, points, scores).take(kept)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes (xmin, ymin, xmax, ymax). util/rectangle_util.cc: CalculateIou."""
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if width < 0 or height < 0:
        return 0.0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    union = area(a) + area(b) - width * height
    return width * height / union if union > 0 else 0.0


def suppress(palms: Palms) -> Palms:
    """One palm for each cluster: the mean weighted by scores of those that overlap the best one, with the best one's score.

    util/non_max_suppression_calculator.cc: WeightedNonMaxSuppression. In the order of falling scores; of equal scores the
    anchor with the lower number is first here (there std::sort leaves it open). A box without an area does not even overlap
    itself: it is kept as it is and ends the loop.
    """
    rest = list(np.argsort(-palms.scores, kind="stable"))
    boxes, points, scores = [], [], []
    while rest:
        best = rest[0]
        cluster = [i for i in rest if iou(palms.boxes[i], palms.boxes[best]) > SUPPRESSION_IOU]
        members = cluster or [best]
        weights = palms.scores[members]
        boxes.append(np.average(palms.boxes[members], axis=0, weights=weights))
        points.append(np.average(palms.points[members], axis=0, weights=weights))
        scores.append(palms.scores[best])
        if not cluster:
            break
        rest = [i for i in rest if i not in cluster]
    return Palms(np.array(boxes).reshape(-1, 4), np.array(points).reshape(-1, 7, 2), np.array(scores))


def to_picture(palms: Palms, square: Region) -> Palms:
    """From places in the letterboxed input to pixels of the picture; `square` is whole(picture).

    util/detection_letterbox_removal_calculator.cc, then * the picture's size.
    """
    origin, side = np.array([square.x - square.width / 2, square.y - square.height / 2]), square.width
    return Palms(palms.boxes * side + np.tile(origin, 2), palms.points * side + origin, palms.scores)


def find_palms(picture: np.ndarray, palm_network: Network, cut: Crop = crop) -> Palms:
    """The palms of the picture, best first, in its pixels."""
    square = whole(picture)
    _, candidates = decode(*palm_network(cut(picture, square, PALM_SIZE, "zero")))
    return to_picture(suppress(candidates), square)


# Regions

def wrapped(angle: float) -> float:
    """The angle in [-pi, pi). NormalizeRadians of util/rect_transformation_calculator.cc."""
    return float(angle - 2 * np.pi * np.floor((angle + np.pi) / (2 * np.pi)))


def upright(start: np.ndarray, end: np.ndarray) -> float:
    """The rotation of a region in which `end` is straight above `start`: 90 degrees less the angle of start -> end."""
    x, y = end - start
    return wrapped(np.pi / 2 - np.arctan2(-y, x))


def enlarged(region: Region, scale: float, shift: float) -> Region:
    """A square of the long side * scale, its centre moved by shift * height along the region's own y axis.

    util/rect_transformation_calculator.cc: TransformNormalizedRect with square_long, shift_x = 0. The shift is by the height
    before squaring and scaling.
    """
    down = region.height * shift
    side = max(region.width, region.height) * scale
    x, y = region.x - down * np.sin(region.rotation), region.y + down * np.cos(region.rotation)
    return Region(float(x), float(y), float(side), float(side), region.rotation)


def region_of_palm(box: np.ndarray, points: np.ndarray) -> Region:
    """Where the hand of a palm is: box (4), points (7, 2), in pixels of the picture.

    util/detections_to_rects_calculator.cc, rotation_vector_target_angle_degrees 90 (solutions). tasks set
    rotation_vector_target_angle to 90, which is in radians: 116.6 degrees. We take 90 degrees.
    """
    centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    palm = Region(*centre, *size, upright(points[PALM_WRIST], points[PALM_MIDDLE]))
    return enlarged(palm, PALM_SCALE, PALM_SHIFT)


def region_of_landmarks(landmarks: np.ndarray) -> Region:
    """Where the hand is in the next picture. landmarks (21, 3), in pixels.

    modules/hand_landmark/calculators/hand_landmarks_to_rect_calculator.cc: the smallest box, at the hand's rotation, around
    the 12 steady landmarks. The rotation makes upright the line from the wrist to the mean of the middle finger's base and the
    middle between those of the index and ring fingers. (The source calls them PIP joints 4, 6 and 8, but these count among the
    12: landmarks 5, 9 and 13. There the maxima start at the smallest positive float, which matters only to a hand that is
    wholly left of or above the picture.)
    """
    points = landmarks[:, :2]
    knuckles = ((points[INDEX_MCP] + points[RING_MCP]) / 2 + points[MIDDLE_MCP]) / 2
    rotation = upright(points[WRIST], knuckles)
    steady = points[list(STEADY_LANDMARKS)]
    middle = (steady.max(0) + steady.min(0)) / 2
    cos, sin = np.cos(rotation), np.sin(rotation)
    turn = np.array([[cos, -sin], [sin, cos]])  # from the region's axes to the picture's
    turned = (steady - middle) @ turn
    low, high = turned.min(0), turned.max(0)
    centre = middle + turn @ ((low + high) / 2)
    return enlarged(Region(*centre, *(high - low), rotation), LANDMARK_SCALE, LANDMARK_SHIFT)


# Landmarks

def project(raw: np.ndarray, region: Region) -> np.ndarray:
    """(21, 3) in pixels of the picture. raw (63): x, y, z of each landmark in pixels of the crop.

    tensor/tensors_to_landmarks_calculator.cc: x and y / 224, z / 224 / 0.4; util/landmark_letterbox_removal_calculator.cc
    does nothing to a square; util/landmark_projection_calculator.cc: as Region.point; z * the region's width.
    """
    x, y, z = raw.astype(np.float64).reshape(21, 3).T / LANDMARK_SIZE
    return np.stack([*region.point(x, y), z / LANDMARK_Z * region.width], axis=1)


def rotate_world(raw: np.ndarray, region: Region) -> np.ndarray:
    """(21, 3) in metres. raw (63). util/world_landmark_projection_calculator.cc: turned by the region's rotation about z."""
    x, y, z = raw.astype(np.float64).reshape(21, 3).T
    cos, sin = np.cos(region.rotation), np.sin(region.rotation)
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=1)


def label(right: float) -> tuple[str, float]:
    """(name, score) of the handedness: the larger of `right` and 1 - `right`.

    tensor/tensors_to_classification_calculator.cc, binary_classification: the network's output is the score of index 0. tasks
    call index 0 "Right". solutions call it "Left" (modules/hand_landmark/handedness.txt), for they take the picture to be
    mirrored, as from a selfie camera. We do as tasks do.
    """
    return ("Right", right) if right >= 0.5 else ("Left", 1 - right)


# Tracking

def associate(tracked: list[Region], detected: list[Region], max_hands: int) -> list[Region]:
    """Regions to look at: the tracked ones, then detected ones that overlap none before them; max_hands at most.

    tasks/cc/vision/hand_landmarker/calculators/hand_association_calculator.cc, then a clip. Rotations are ignored. (solutions:
    util/association_calculator.h puts detected ones that are left first, and does not clip.)
    """
    regions = list(tracked)
    for region in detected:
        if all(iou(region.box(), other.box()) <= SAME_HAND_IOU for other in regions):
            regions.append(region)
    return regions[:max_hands]


def without_duplicates(hands: list[Hand]) -> list[Hand]:
    """Drops a hand that is like one before it: 10 of 21 landmarks near, and the boxes of the landmarks overlap.

    tasks/cc/vision/hand_landmarker/calculators/hand_landmarks_deduplication_calculator.cc; solutions have no such step.
    """
    def palm_size(points: np.ndarray) -> float:
        return max(np.linalg.norm(points[a] - points[b]) for a, b in ((WRIST, INDEX_MCP), (INDEX_MCP, PINKY_MCP), (PINKY_MCP, WRIST)))

    def alike(a: np.ndarray, b: np.ndarray) -> bool:
        near = np.linalg.norm(a - b, axis=1) < 0.2 * max(palm_size(a), palm_size(b))
        bounds = lambda points: np.concatenate([points.min(0), points.max(0)])
        return near.sum() >= 10 and iou(bounds(a), bounds(b)) > 0.2

    kept: list[Hand] = []
    for hand in hands:
        if not any(alike(hand.landmarks[:, :2], other.landmarks[:, :2]) for other in kept):
            kept.append(hand)
    return kept


@dataclass
class Pipeline:
    """Both networks and what lies between them."""

    palm_network: Network  # (192, 192, 3) -> (2016, 18), (2016, 1)
    landmark_network: Network  # (224, 224, 3) -> (63), (1) presence, (1) right, (63) world
    max_hands: int = 2
    crop: Crop = crop
    tracked: list[Region] = field(default_factory=list)  # from the last picture of a video

    def detect(self, picture: np.ndarray) -> list[Region]:
        """Regions of max_hands palms at most. util/clip_vector_size_calculator.h"""
        palms = find_palms(picture, self.palm_network, self.crop)
        return [region_of_palm(box, points) for box, points in zip(palms.boxes, palms.points)][: self.max_hands]

    def look(self, picture: np.ndarray, region: Region) -> Hand:
        """What the landmark network sees in a region, whether it is a hand or not."""
        image = self.crop(picture, region, LANDMARK_SIZE, "replicate")
        raw = self.landmark_network(image)
        landmarks, presence, right, world = raw
        return Hand(region, project(landmarks, region), rotate_world(world, region), float(presence[0]), float(right[0]), image, tuple(raw))

    def hands(self, picture: np.ndarray, regions: list[Region]) -> list[Hand]:
        """The hands in the regions. Presence is over the threshold, not at it: util/thresholding_calculator.cc"""
        looks = [self.look(picture, region) for region in regions]
        return without_duplicates([hand for hand in looks if hand.presence > MIN_PRESENCE])

    def photo(self, picture: np.ndarray) -> list[Hand]:
        """The hands of a picture by itself."""
        return self.hands(picture, self.detect(picture))

    def video(self, picture: np.ndarray) -> list[Hand]:
        """The hands of the next picture of a video.

        The palm network runs whenever fewer than max_hands hands are tracked: with max_hands = 2 and one hand in sight, it
        runs for every picture. tasks/cc/vision/hand_landmarker/hand_landmarker_graph.cc
        """
        detected = self.detect(picture) if len(self.tracked) < self.max_hands else []
        hands = self.hands(picture, associate(self.tracked, detected, self.max_hands))
        self.tracked = [region_of_landmarks(hand.landmarks) for hand in hands]
        return hands
