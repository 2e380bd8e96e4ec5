//! The whole picture as the palm network sees it.

use super::{Border, Bounds, Crop, Palm, Point2, Region};
use crate::Result;
use crate::error::bail;

/// Pixels a side of the palm network's input.
pub const PALM_SIDE: u32 = 192;

/// The square around a whole picture: its long side, its centre. What is outside of the picture is 0.
///
/// `tensor/image_to_tensor_utils.cc`: GetRoi and PadRoi, with `keep_aspect_ratio` and a square tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letterbox {
    width: f64,
    height: f64,
}

impl Letterbox {
    /// Of a picture of `width` x `height` pixels.
    ///
    /// # Errors
    /// `InvalidArgument` for a picture without pixels.
    pub fn new(width: u32, height: u32) -> Result<Self> {
        if width == 0 || height == 0 {
            bail!(InvalidArgument, "picture of {width} x {height} pixels, allowed is 1 x 1 and more");
        }
        Ok(Letterbox { width: f64::from(width), height: f64::from(height) })
    }

    /// Width and height of the picture in pixels.
    #[must_use]
    pub fn picture(&self) -> [f64; 2] {
        [self.width, self.height]
    }

    /// In pixels of the picture.
    #[must_use]
    pub fn square(&self) -> Region {
        let side = self.width.max(self.height);
        Region { x: self.width / 2.0, y: self.height / 2.0, width: side, height: side, rotation: 0.0 }
    }

    /// What the palm network sees.
    #[must_use]
    pub fn crop(&self) -> Crop {
        Crop { map: self.square().map(PALM_SIDE), border: Border::Zero, side: PALM_SIDE }
    }

    /// The part of the square that lies outside of the picture on either side: left and right, top and bottom, as
    /// MediaPipe's LETTERBOX_PADDING.
    #[must_use]
    pub fn padding(&self) -> [f64; 2] {
        let side = self.width.max(self.height);
        [self.width, self.height].map(|length| (1.0 - length / side) / 2.0)
    }

    /// From places in the letterboxed input, in [0, 1], to pixels of the picture.
    /// `util/detection_letterbox_removal_calculator.cc`, then times the picture's size.
    #[must_use]
    pub fn to_picture(&self, palm: &Palm) -> Palm {
        let square = self.square();
        let Bounds { xmin, ymin, xmax, ymax } = palm.bounds;
        let (low, high) = (square.point(xmin, ymin), square.point(xmax, ymax));
        Palm {
            score: palm.score,
            bounds: Bounds { xmin: low.x, ymin: low.y, xmax: high.x, ymax: high.y },
            points: palm.points.map(|Point2 { x, y }| square.point(x, y)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_is_padded_on_the_short_side() {
        let letterbox = Letterbox::new(640, 480).unwrap();
        assert_eq!(letterbox.padding(), [0.0, 0.125]);
        assert_eq!(Letterbox::new(480, 640).unwrap().padding(), [0.125, 0.0]);
        let crop = letterbox.crop();
        let corner = crop.map.apply(Point2 { x: 0.0, y: 24.0 });
        assert!(corner.distance(Point2 { x: 0.0, y: 0.0 }) < 1e-12, "{corner:?}");
        let corner = crop.map.apply(Point2 { x: 192.0, y: 168.0 });
        assert!(corner.distance(Point2 { x: 640.0, y: 480.0 }) < 1e-12, "{corner:?}");
    }

    #[test]
    fn a_picture_without_pixels_is_an_error() {
        for (width, height) in [(0, 5), (5, 0), (0, 0)] {
            let e = Letterbox::new(width, height).unwrap_err();
            assert_eq!(e.to_string(), format!("picture of {width} x {height} pixels, allowed is 1 x 1 and more"));
        }
        assert!(Letterbox::new(1, u32::MAX).is_ok());
    }
}
