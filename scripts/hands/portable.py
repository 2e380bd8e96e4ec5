"""Seeded numbers that other languages can reproduce bit for bit: xorshift32 and what is drawn from it.

Source: G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (2003), the triple 13, 17, 5.
"""
import numpy as np

WORD = 0xFFFFFFFF
GOLDEN_RATIO = 2654435761  # 2^32 / golden ratio, Knuth's multiplicative hash: near seeds give far apart states


class Xorshift32:
    """32-bit generator; all arithmetic is modulo 2^32."""

    def __init__(self, seed: int):
        """The state is (seed + 1) * GOLDEN_RATIO, which is not 0 for a seed from 0 to 2^32 - 2."""
        if not 0 <= seed < WORD:
            raise ValueError(f"seed {seed}, allowed is 0 to {WORD - 1}")
        self.state = (seed + 1) * GOLDEN_RATIO & WORD

    def next(self) -> int:
        x = self.state
        x ^= x << 13 & WORD
        x ^= x >> 17
        x ^= x << 5 & WORD
        self.state = x
        return x

    def unit(self) -> float:
        """In [0, 1): the upper 24 bits, exact in float32."""
        return (self.next() >> 8) / 2**24

    def uniform(self, low: float, high: float) -> float:
        """low + (high - low) * unit(), in float64."""
        return low + (high - low) * self.unit()

    def below(self, n: int) -> int:
        """next() modulo n."""
        return self.next() % n


def noise(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """float32 values in [0, 1), the last axis fastest."""
    generator = Xorshift32(seed)
    return np.array([generator.unit() for _ in range(int(np.prod(shape)))], np.float32).reshape(shape)


def places(seed: int, n: int, size: int) -> list[int]:
    """n flat positions in an array of `size` elements, with repetitions."""
    generator = Xorshift32(seed)
    return [generator.below(size) for _ in range(n)]
