//! Crops against the reference, `Picture::sample`, at edge sizes, in rows with and without padding, inside of the picture, across
//! its edges and outside of it.

use super::{CropParams, crop_params};
use crate::gpu::Gpu;
use crate::hands::glue::{Affine, Border, Crop, Picture, Region};
use crate::ops::testing::{Rng, batch, gpus, name, output, phase, read, run};
use crate::ops::{Image, Shape};

/// Colours that differ by more than rounding, with what f32 makes of coordinates.
fn tolerance(width: u32, height: u32) -> f32 {
    2e-6 + width.max(height) as f32 / (1 << 21) as f32
}

/// A picture of noise, and its words on the GPU with a pitch.
struct Noise {
    width: u32,
    height: u32,
    pitch: u32,
    rgba: Vec<u8>,
}

impl Noise {
    fn new(rng: &mut Rng, width: u32, height: u32, pitch: u32) -> Self {
        Noise { width, height, pitch, rgba: rng.bytes((width * height * 4) as usize) }
    }

    /// What is between the rows would show: it is the complement of black.
    fn words(&self) -> Vec<u8> {
        let mut words = vec![255; (self.pitch * self.height * 4) as usize];
        let row = (self.width * 4) as usize;
        for (to, from) in words.chunks_exact_mut((self.pitch * 4) as usize).zip(self.rgba.chunks_exact(row)) {
            to[..row].copy_from_slice(from);
        }
        words
    }

    fn crop(&self, gpu: &Gpu, crop: &Crop) -> Vec<f32> {
        let shape = Shape::new(crop.side, crop.side, 3);
        let y = Image::of(output(gpu, shape.places() as usize, 3), shape);
        let picture = gpu.buffer_with("picture", &self.words()).unwrap();
        let params = crop_params(gpu, "params").unwrap();
        gpu.write(&params, 0, &[CropParams::of(crop, [self.width, self.height], self.pitch)]);
        run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| r.crop("test", &picture, &params, &y).unwrap());
        read(gpu, &y.rows, shape.places() as usize)
    }

    fn check(&self, gpu: &Gpu, crop: &Crop) -> f32 {
        let want = Picture::new(self.width, self.height, &self.rgba).unwrap().sample(crop);
        let got = self.crop(gpu, crop);
        let worst = got.iter().zip(&want).map(|(g, w)| (g - w).abs()).fold(0.0, f32::max);
        let (width, height) = (self.width, self.height);
        let allowed = tolerance(width, height);
        assert!(worst <= allowed, "{}: {width} x {height}, {crop:?}: {worst:.1e}, {allowed:.1e} is allowed", name(gpu));
        worst
    }
}

#[test]
fn crops_of_any_size() {
    let mut rng = Rng(51);
    for gpu in &gpus() {
        let mut worst = 0f32;
        for (width, height, pitch) in
            [(1, 1, 1), (1, 1, 64), (2, 1, 2), (1, 3, 64), (64, 5, 64), (65, 33, 128), (320, 240, 320)]
        {
            let noise = Noise::new(&mut rng, width, height, pitch);
            let (w, h) = (f64::from(width), f64::from(height));
            for side in [1, 7, 9, 16, 33] {
                for (u, v, scale, rotation) in
                    [(0.5, 0.5, 0.61, 0.0), (0.5, 0.5, 2.03, 0.3), (0.1, 0.9, 1.27, -2.9), (-3.1, 0.2, 0.77, 1.1)]
                {
                    let length = w.max(h) * scale;
                    let region = Region { x: u * w, y: v * h, width: length, height: length, rotation };
                    for border in [Border::Zero, Border::Replicate] {
                        worst = worst.max(noise.check(gpu, &Crop { map: region.map(side), border, side }));
                    }
                }
            }
        }
        println!("{}: worst difference {worst:.1e}", name(gpu));
    }
}

#[test]
fn large_pictures() {
    let gpu = &gpus()[0];
    let mut rng = Rng(52);
    for (width, height) in [(4096, 9), (7, 4097), (1920, 1080)] {
        let noise = Noise::new(&mut rng, width, height, width.next_multiple_of(64));
        let long = f64::from(width.max(height));
        let region = Region {
            x: f64::from(width) * 0.93,
            y: f64::from(height) * 0.97,
            width: long * 0.21,
            height: long * 0.21,
            rotation: 0.7,
        };
        let worst = noise.check(gpu, &Crop { map: region.map(224), border: Border::Replicate, side: 224 });
        println!("{width} x {height}: worst difference {worst:.1e}");
    }
}

/// A place at the edge itself is inside.
#[test]
fn the_edge_is_inside() {
    let gpu = &gpus()[0];
    let noise = Noise { width: 2, height: 2, pitch: 2, rgba: vec![255; 16] };
    let at = |x: f64, y: f64, border| {
        let crop = Crop { map: Affine { rows: [[0.0, 0.0, x], [0.0, 0.0, y]] }, border, side: 1 };
        noise.crop(gpu, &crop)
    };
    for (x, y, want) in [(0.0, 2.0, 1.0), (2.0, 0.0, 1.0), (-0.001, 1.0, 0.0), (1.0, 2.001, 0.0), (1e30, 1.0, 0.0)] {
        assert_eq!(at(x, y, Border::Zero), [want; 3], "{x} {y}");
        assert_eq!(at(x, y, Border::Replicate), [1.0; 3], "{x} {y}");
    }
}
