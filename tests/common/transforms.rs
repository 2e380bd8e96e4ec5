//! Seeded changes to a picture, bit for bit those of `scripts/hands/transforms.py`, and the seeded numbers of
//! `scripts/hands/portable.py`.

use super::pictures::{BACKGROUND, Rgb};

/// 32-bit generator: G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (2003), the triple 13, 17, 5.
pub struct Xorshift32(u32);

impl Xorshift32 {
    /// Knuth's multiplicative hash: near seeds give far apart states. 2^32 / golden ratio.
    const GOLDEN_RATIO: u32 = 2_654_435_761;

    /// `seed` is below `u32::MAX`.
    pub fn new(seed: u32) -> Self {
        Xorshift32((seed + 1).wrapping_mul(Self::GOLDEN_RATIO))
    }

    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// In [0, 1): the upper 24 bits.
    pub fn unit(&mut self) -> f64 {
        f64::from(self.next() >> 8) / f64::from(1 << 24)
    }

    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

/// `n` flat positions in an array of `size` elements, with repetitions.
pub fn places(seed: u32, n: usize, size: usize) -> Vec<usize> {
    let mut generator = Xorshift32::new(seed);
    (0..n).map(|_| generator.next() as usize % size).collect()
}

/// Drawn in the order of the fields; each by one call of the generator.
#[derive(Debug, Clone, Copy)]
pub struct Transform {
    /// t = tan(rotation / 2), uniform in [-0.5, 0.5): up to 53 degrees.
    pub half_tangent: f64,
    /// Picture's pixels to the result's, uniform in [0.7, 1.2).
    pub scale: f64,
    /// Of the centre, in pixels of the result, uniform in [-30, 30).
    pub shift_x: f64,
    /// Uniform in [-15, 15).
    pub shift_y: f64,
    /// Factor, uniform in [0.6, 1.2).
    pub brightness: f64,
    /// The upper bit of the generator's number: left and right change places.
    pub mirror: bool,
}

impl Transform {
    /// Pixels of the result.
    pub const WIDTH: usize = 320;
    pub const HEIGHT: usize = 240;

    pub fn seeded(seed: u32) -> Self {
        let mut generator = Xorshift32::new(seed);
        Transform {
            half_tangent: generator.uniform(-0.5, 0.5),
            scale: generator.uniform(0.7, 1.2),
            shift_x: generator.uniform(-30.0, 30.0),
            shift_y: generator.uniform(-15.0, 15.0),
            brightness: generator.uniform(0.6, 1.2),
            mirror: generator.next() >> 31 == 1,
        }
    }

    /// The centre of the picture is put on the centre of the result plus the shift. A pixel of the result whose centre
    /// lies outside of the picture is [`BACKGROUND`]; others are bilinear between pixel centres, clamped to the edge,
    /// times brightness, rounded half up and limited to 255.
    pub fn apply(&self, picture: &Rgb) -> Rgb {
        let t = self.half_tangent;
        let (cos, sin) = ((1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t));
        let (width, height) = (picture.width as f64, picture.height as f64);
        let pixel = |column: usize, row: usize| {
            let across = column as f64 + 0.5 - (Self::WIDTH as f64 / 2.0 + self.shift_x);
            let down = row as f64 + 0.5 - (Self::HEIGHT as f64 / 2.0 + self.shift_y);
            let (u, v) = ((across * cos + down * sin) / self.scale, (down * cos - across * sin) / self.scale);
            let (x, y) = (width / 2.0 + if self.mirror { -u } else { u }, height / 2.0 + v);
            let is_inside = x >= 0.0 && x < width && y >= 0.0 && y < height;
            if is_inside { self.bilinear(picture, x - 0.5, y - 0.5) } else { [BACKGROUND; 3] }
        };
        let pixels = (0..Self::HEIGHT)
            .flat_map(|row| (0..Self::WIDTH).map(move |column| (column, row)))
            .map(|(column, row)| pixel(column, row))
            .collect();
        Rgb { width: Self::WIDTH, height: Self::HEIGHT, pixels }
    }

    /// (0, 0) is the centre of the first pixel.
    fn bilinear(&self, picture: &Rgb, x: f64, y: f64) -> [u8; 3] {
        let (left, top) = (x.floor(), y.floor());
        let (right_part, lower_part) = (x - left, y - top);
        let pixel = |column: f64, row: f64| {
            let column = column.clamp(0.0, (picture.width - 1) as f64) as usize;
            let row = row.clamp(0.0, (picture.height - 1) as f64) as usize;
            picture.pixels[row * picture.width + column].map(f64::from)
        };
        let (a, b) = (pixel(left, top), pixel(left + 1.0, top));
        let (c, d) = (pixel(left, top + 1.0), pixel(left + 1.0, top + 1.0));
        std::array::from_fn(|i| {
            let upper = a[i] * (1.0 - right_part) + b[i] * right_part;
            let lower = c[i] * (1.0 - right_part) + d[i] * right_part;
            let value = (upper * (1.0 - lower_part) + lower * lower_part) * self.brightness;
            (value + 0.5).floor().min(255.0) as u8
        })
    }
}

/// Sum of byte i * (i mod 251 + 1), modulo 2^32.
pub fn checksum(picture: &Rgb) -> u32 {
    let bytes = picture.pixels.as_flattened().iter().zip(0u64..);
    bytes.map(|(&byte, i)| u64::from(byte) * (i % 251 + 1)).sum::<u64>() as u32
}
