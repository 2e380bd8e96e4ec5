//! What the networks see of a picture: the picture itself, and a crop for each run of a network.

use std::rc::Rc;

use super::super::glue::{Border, Crop};
use crate::error::Result;
use crate::gpu::{Allocate, Buffer, Gpu, PictureBuffer, Plan};
use crate::ops::{BatchBuffers, CropParams, Image, Phase, Recorder, crop_params};

/// The parameters of crops, one for palms and one for each hand.
pub struct Places {
    palms: Rc<Buffer>,
    hands: Vec<Rc<Buffer>>,
    batch: BatchBuffers,
}

/// A picture's buffer, and what cuts from it.
pub struct Crops {
    pub picture: PictureBuffer,
    pub palms: Plan,
    pub hands: Vec<Plan>,
}

impl CropParams {
    /// Of a picture of this size in rows of `pitch` pixels.
    #[must_use]
    pub fn of(crop: &Crop, [width, height]: [u32; 2], pitch: u32) -> Self {
        let [xx, xy, x0, yx, yy, y0] = crop.map.to_f32();
        let zero_outside = (crop.border == Border::Zero).into();
        CropParams { xx, xy, x0, yx, yy, y0, width, height, pitch, side: crop.side, zero_outside }
    }
}

impl Places {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, max_hands: u32) -> Result<Self> {
        let hands = (0..max_hands).map(|i| crop_params(from, &format!("crop.hand{i}")));
        Ok(Places {
            palms: crop_params(from, "crop.palms")?,
            hands: hands.collect::<Result<_>>()?,
            batch: BatchBuffers::new(from, 1)?,
        })
    }

    pub fn set_palms(&self, gpu: &Gpu, params: CropParams) {
        gpu.write(&self.palms, 0, &[params]);
    }

    pub fn set_hand(&self, gpu: &Gpu, hand: usize, params: CropParams) {
        gpu.write(&self.hands[hand], 0, &[params]);
    }

    /// Record the crops of a picture: for the palm network's input, and for the landmark network's, hand by hand.
    ///
    /// # Errors
    /// As [`Recorder::crop`].
    pub fn record(&self, gpu: &Gpu, picture: PictureBuffer, palm_input: &Image, hand_input: &Image) -> Result<Crops> {
        let crop = |name: &str, params: &Rc<Buffer>, input: &Image| {
            let mut r = Recorder::new(gpu, &self.batch, Phase::Decode { far: false });
            r.crop(name, &picture.buffer, params, input)?;
            Ok(r.plan)
        };
        let palms = crop("palm.crop", &self.palms, palm_input)?;
        let hands = self.hands.iter().map(|params| crop("landmark.crop", params, hand_input)).collect::<Result<_>>()?;
        Ok(Crops { picture, palms, hands })
    }
}
