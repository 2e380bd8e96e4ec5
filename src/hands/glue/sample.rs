//! Crops of a picture on the CPU, in f64: the reference of the GPU's.

use super::{Border, Crop, Point2};
use crate::Result;
use crate::error::bail;

/// A picture of 8-bit RGBA, row by row. Alpha is not looked at.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    width: u32,
    height: u32,
    pixels: &'a [[u8; 4]],
}

impl<'a> Picture<'a> {
    /// # Errors
    /// `InvalidArgument` for a picture without pixels, and for another number of bytes than 4 * `width` * `height`.
    pub fn new(width: u32, height: u32, rgba: &'a [u8]) -> Result<Self> {
        if width == 0 || height == 0 {
            bail!(InvalidArgument, "picture of {width} x {height} pixels, allowed is 1 x 1 and more");
        }
        let (pixels, rest) = rgba.as_chunks::<4>();
        let n_pixels = u64::from(width) * u64::from(height);
        if pixels.len() as u64 != n_pixels || !rest.is_empty() {
            bail!(
                InvalidArgument,
                "picture of {width} x {height} pixels: {} bytes, needed are {}",
                rgba.len(),
                u128::from(n_pixels) * 4
            );
        }
        Ok(Picture { width, height, pixels })
    }

    /// `(crop.side * crop.side, 3)`: the crop's pixels row by row; r, g, b in [0, 1].
    ///
    /// `tensor/image_to_tensor_converter_gl_buffer.cc`; WebGL and Metal do the same. The picture is a texture with linear
    /// filter, clamped to its edge. With the zero border (as on GPUs without CLAMP_TO_BORDER, so in browsers) a place
    /// outside of the picture is 0, and a place inside is not blended with 0. The CPU's
    /// `image_to_tensor_converter_opencv.cc` puts the centres of pixels at whole numbers and rounds to 8 bits.
    #[must_use]
    pub fn sample(&self, crop: &Crop) -> Vec<f32> {
        let centre = |i: u32| f64::from(i) + 0.5;
        let places = (0..crop.side).flat_map(|row| (0..crop.side).map(move |column| (column, row)));
        places
            .flat_map(|(column, row)| {
                let at = crop.map.apply(Point2 { x: centre(column), y: centre(row) });
                if crop.border == Border::Zero && !self.has(at) { [0.0; 3] } else { self.bilinear(at) }
            })
            .collect()
    }

    fn has(&self, Point2 { x, y }: Point2) -> bool {
        (0.0..=f64::from(self.width)).contains(&x) && (0.0..=f64::from(self.height)).contains(&y)
    }

    /// The value at a place, linear between the centres of pixels. What lies outside is the nearest pixel.
    fn bilinear(&self, Point2 { x, y }: Point2) -> [f32; 3] {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (right_part, lower_part) = (x - left, y - top);
        let corners = [
            self.pixel(left, top),
            self.pixel(left + 1.0, top),
            self.pixel(left, top + 1.0),
            self.pixel(left + 1.0, top + 1.0),
        ];
        std::array::from_fn(|channel| {
            let [a, b, c, d] = corners.map(|pixel| f64::from(pixel[channel]) / 255.0);
            let upper = a * (1.0 - right_part) + b * right_part;
            let lower = c * (1.0 - right_part) + d * right_part;
            (upper * (1.0 - lower_part) + lower * lower_part) as f32
        })
    }

    /// The pixel of a column and a row, or the nearest one.
    fn pixel(&self, column: f64, row: f64) -> [u8; 4] {
        // A cast cuts off at 0; what is not a number becomes 0.
        let (column, row) = (column.min(f64::from(self.width - 1)), row.min(f64::from(self.height - 1)));
        self.pixels[row as usize * self.width as usize + column as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hands::glue::{Affine, Letterbox, Region};

    /// 2 x 1: black, then (255, 51, 0).
    const RGBA: [u8; 8] = [0, 0, 0, 9, 255, 51, 0, 9];

    fn sample(map: [[f64; 3]; 2], border: Border) -> [f32; 3] {
        let crop = Crop { map: Affine { rows: map }, border, side: 1 };
        Picture::new(2, 1, &RGBA).unwrap().sample(&crop).try_into().unwrap()
    }

    fn at(x: f64, y: f64, border: Border) -> [f32; 3] {
        sample([[0.0, 0.0, x], [0.0, 0.0, y]], border)
    }

    #[test]
    fn values_are_linear_between_centres_and_clamped() {
        for (x, part) in [(0.0, 0.0), (0.5, 0.0), (0.75, 0.25), (1.0, 0.5), (1.5, 1.0), (2.0, 1.0)] {
            assert_eq!(at(x, 0.1, Border::Zero), [part, 0.2 * part, 0.0], "{x}");
        }
    }

    #[test]
    fn outside_is_the_border() {
        for (x, y) in [(-0.01, 0.5), (2.01, 0.5), (1.5, -0.01), (1.5, 1.01), (1e300, 1e300), (f64::INFINITY, 0.5)] {
            assert_eq!(at(x, y, Border::Zero), [0.0; 3]);
        }
        assert_eq!(at(-9.0, -9.0, Border::Replicate), [0.0; 3]);
        assert_eq!(at(9.0, 9.0, Border::Replicate), [1.0, 0.2, 0.0]);
        assert_eq!(at(1e300, -1e300, Border::Replicate), [1.0, 0.2, 0.0]);
        assert_eq!(at(f64::NAN, 0.5, Border::Zero), [0.0; 3]);
    }

    #[test]
    fn a_region_outside_is_the_edge() {
        let region = Region { x: 500.0, y: -300.0, width: 20.0, height: 20.0, rotation: 1.0 };
        let crop = Picture::new(2, 1, &RGBA).unwrap().sample(&region.crop());
        assert_eq!(crop.len(), 224 * 224 * 3);
        assert!(crop.chunks(3).all(|pixel| pixel == [1.0, 0.2, 0.0]));
    }

    #[test]
    fn a_letterbox_has_the_picture_in_its_middle() {
        let picture = Picture::new(2, 1, &RGBA).unwrap();
        let seen = picture.sample(&Letterbox::new(2, 1).unwrap().crop());
        let red = |column: usize, row: usize| seen[(row * 192 + column) * 3];
        assert_eq!([red(191, 47), red(191, 48), red(191, 143), red(191, 144), red(0, 100)], [0.0, 1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn bytes_and_size_must_agree() {
        let error = |width, height, bytes| Picture::new(width, height, &[0; 12][..bytes]).unwrap_err().to_string();
        assert_eq!(error(0, 3, 0), "picture of 0 x 3 pixels, allowed is 1 x 1 and more");
        assert_eq!(error(1, 3, 11), "picture of 1 x 3 pixels: 11 bytes, needed are 12");
        assert_eq!(error(1, 2, 12), "picture of 1 x 2 pixels: 12 bytes, needed are 8");
        assert!(error(u32::MAX, u32::MAX, 12).ends_with("needed are 73786976260478468100"));
    }
}
