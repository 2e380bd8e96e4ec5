"""Seeded changes to a picture: rotation, scale, shift, brightness, mirror. Every step is + - * / and floor in float64, so that
another language gets the same bytes."""
from dataclasses import dataclass

import numpy as np

from portable import Xorshift32

WIDTH, HEIGHT = 320, 240  # pixels of the result
BACKGROUND = 96


@dataclass(frozen=True)
class Transform:
    """Drawn in the order of the fields; each by one call of the generator."""

    half_tangent: float  # t = tan(rotation / 2), uniform in [-0.5, 0.5): up to 53 degrees
    scale: float  # picture's pixels to the result's, uniform in [0.7, 1.2)
    shift_x: float  # of the centre, in pixels of the result, uniform in [-30, 30)
    shift_y: float  # uniform in [-15, 15)
    brightness: float  # factor, uniform in [0.6, 1.2)
    mirror: bool  # the upper bit of next(): left and right change places

    @staticmethod
    def seeded(seed: int) -> "Transform":
        generator = Xorshift32(seed)
        return Transform(
            generator.uniform(-0.5, 0.5), generator.uniform(0.7, 1.2), generator.uniform(-30, 30),
            generator.uniform(-15, 15), generator.uniform(0.6, 1.2), generator.next() >> 31 == 1)

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """(240, 320, 3) uint8 from (height, width, 3) uint8.

        The centre of the picture is put on the centre of the result plus the shift. A pixel of the result whose centre lies
        outside of the picture is BACKGROUND; others are bilinear between pixel centres, clamped to the edge, * brightness,
        rounded half up and limited to 255.
        """
        height, width = picture.shape[:2]
        t = self.half_tangent
        cos, sin = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        across = (np.arange(WIDTH) + 0.5 - (WIDTH / 2 + self.shift_x))[None, :]
        down = (np.arange(HEIGHT) + 0.5 - (HEIGHT / 2 + self.shift_y))[:, None]
        u, v = (across * cos + down * sin) / self.scale, (down * cos - across * sin) / self.scale
        x, y = width / 2 + (-u if self.mirror else u), height / 2 + v
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        left, top = np.floor(x - 0.5), np.floor(y - 0.5)
        right_part, lower_part = (x - 0.5 - left)[..., None], (y - 0.5 - top)[..., None]

        def pixel(row: np.ndarray, column: np.ndarray) -> np.ndarray:
            rows, columns = np.clip(row, 0, height - 1).astype(int), np.clip(column, 0, width - 1).astype(int)
            return picture[rows, columns].astype(np.float64)

        upper = pixel(top, left) * (1 - right_part) + pixel(top, left + 1) * right_part
        lower = pixel(top + 1, left) * (1 - right_part) + pixel(top + 1, left + 1) * right_part
        values = (upper * (1 - lower_part) + lower * lower_part) * self.brightness
        rounded = np.minimum(np.floor(values + 0.5), 255).astype(np.uint8)
        return np.where(inside[..., None], rounded, np.uint8(BACKGROUND))


def checksum(image: np.ndarray) -> int:
    """Sum of byte i * (i mod 251 + 1), modulo 2^32."""
    data = image.reshape(-1).astype(np.uint64)
    return int((data * (np.arange(data.size, dtype=np.uint64) % 251 + 1)).sum()) & 0xFFFFFFFF
