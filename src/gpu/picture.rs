//! Pictures on their way to kernels: 8-bit RGBA in a buffer, a word a pixel.

use std::rc::Rc;

use super::{Allocate, Buffer, Commands, Gpu, Usage};
use crate::error::{Result, bail};

/// Pixels of a row are a multiple of this, as in copies from textures: WebGPU wants rows of multiples of 256 bytes.
const PITCH: u64 = 64;

/// A picture of `width` x `height` pixels, and where they are.
#[derive(Clone, Copy)]
pub struct PictureSource<'a> {
    pub width: u32,
    pub height: u32,
    pub pixels: Pixels<'a>,
}

/// The pixels of a picture: rows from top to bottom, RGBA in sRGB, alpha not multiplied in.
#[derive(Clone, Copy)]
pub enum Pixels<'a> {
    Bytes(&'a [u8]),
    /// In JavaScript's memory.
    #[cfg(target_arch = "wasm32")]
    Js(&'a js_sys::Uint8Array),
    /// Something that a page can show: what `GPUQueue.copyExternalImageToTexture` takes.
    #[cfg(target_arch = "wasm32")]
    Page(&'a wasm_bindgen::JsValue),
}

/// Where kernels find a picture. It is made for a size, and takes smaller ones, too.
pub struct PictureBuffer {
    /// `(height, pitch)` pixels.
    pub buffer: Rc<Buffer>,
    width: u32,
    height: u32,
    /// What a page shows goes through it.
    #[cfg(target_arch = "wasm32")]
    texture: Option<Rc<super::texture::PictureTexture>>,
}

/// A picture as it lies in a [`PictureBuffer`].
pub struct Placed {
    /// Pixels from one row to the next.
    pub pitch: u32,
    /// What brings it there, for the submit that uses it.
    pub commands: Option<Commands>,
}

impl Pixels<'_> {
    /// Bytes, where they are counted.
    fn n_bytes(&self) -> Option<u64> {
        match self {
            Pixels::Bytes(bytes) => Some(bytes.len() as u64),
            #[cfg(target_arch = "wasm32")]
            Pixels::Js(bytes) => Some(bytes.length().into()),
            #[cfg(target_arch = "wasm32")]
            Pixels::Page(_) => None,
        }
    }
}

impl PictureSource<'_> {
    /// # Errors
    /// `InvalidArgument` for a picture without pixels, and for another number of bytes than 4 * `width` * `height`.
    pub fn check(&self) -> Result<()> {
        let PictureSource { width, height, pixels } = self;
        if *width == 0 || *height == 0 {
            bail!(InvalidArgument, "picture of {width} x {height} pixels, allowed is 1 x 1 and more");
        }
        let wanted = u128::from(*width) * u128::from(*height) * 4;
        if let Some(n) = pixels.n_bytes().filter(|&n| u128::from(n) != wanted) {
            bail!(InvalidArgument, "picture of {width} x {height} pixels: {n} bytes, needed are {wanted}");
        }
        Ok(())
    }

    /// Whether it goes through a texture.
    #[cfg(target_arch = "wasm32")]
    fn is_of_page(&self) -> bool {
        matches!(self.pixels, Pixels::Page(_))
    }
}

impl PictureBuffer {
    /// For pictures of up to this size.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, width: u32, height: u32) -> Result<Self> {
        let bytes = u128::from(u64::from(width).next_multiple_of(PITCH)) * u128::from(height) * 4;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX - u64::MAX % 16);
        let buffer = from.buffer("picture", bytes, Usage::Storage)?;
        Ok(PictureBuffer {
            buffer,
            width,
            height,
            #[cfg(target_arch = "wasm32")]
            texture: None,
        })
    }

    /// Whether this picture has room.
    #[must_use]
    pub fn fits(&self, picture: &PictureSource<'_>) -> bool {
        #[cfg(target_arch = "wasm32")]
        if picture.is_of_page() && !self.texture.as_ref().is_some_and(|t| t.fits(picture.width, picture.height)) {
            return false;
        }
        picture.width <= self.width && picture.height <= self.height
    }

    /// Another one, for what fits into this one and for this picture.
    ///
    /// # Errors
    /// As [`Gpu::buffer`]; `InvalidArgument` where a side is longer than textures are.
    pub fn grown(&self, gpu: &Gpu, picture: &PictureSource<'_>) -> Result<Self> {
        let (width, height) = (self.width.max(picture.width), self.height.max(picture.height));
        Ok(PictureBuffer {
            #[cfg(target_arch = "wasm32")]
            texture: match picture.is_of_page() {
                true => Some(super::texture::PictureTexture::grown(
                    self.texture.as_deref(),
                    gpu,
                    picture.width,
                    picture.height,
                )?),
                false => self.texture.clone(),
            },
            ..Self::new(gpu, width, height)?
        })
    }

    /// Put a picture there, which fits: in order with what is submitted, once its commands are.
    ///
    /// # Errors
    /// `InvalidArgument` where the page's picture cannot be read.
    pub fn put(&self, gpu: &Gpu, picture: &PictureSource<'_>) -> Result<Placed> {
        match picture.pixels {
            Pixels::Bytes(bytes) => gpu.write(&self.buffer, 0, bytes),
            #[cfg(target_arch = "wasm32")]
            Pixels::Js(bytes) => gpu.write_js(&self.buffer, 0, bytes, 0, bytes.length()),
            #[cfg(target_arch = "wasm32")]
            Pixels::Page(image) => {
                let Some(texture) = &self.texture else { bail!(Internal, "a page's picture came without a texture") };
                let pitch = picture.width.next_multiple_of(PITCH as u32);
                let commands = texture.copy(gpu, image, [picture.width, picture.height], &self.buffer, pitch)?;
                return Ok(Placed { pitch, commands: Some(commands) });
            }
        }
        Ok(Placed { pitch: picture.width, commands: None })
    }
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;

    #[test]
    fn bytes_and_size_must_agree() {
        let error = |width, height, bytes: usize| {
            let pixels = Pixels::Bytes(&[0; 12][..bytes]);
            PictureSource { width, height, pixels }.check().unwrap_err().to_string()
        };
        assert_eq!(error(0, 3, 0), "picture of 0 x 3 pixels, allowed is 1 x 1 and more");
        assert_eq!(error(1, 3, 11), "picture of 1 x 3 pixels: 11 bytes, needed are 12");
        assert!(error(u32::MAX, u32::MAX, 12).ends_with("needed are 73786976260478468100"));
    }

    #[test]
    fn a_larger_picture_gets_a_larger_buffer() {
        let gpu = block_on(Gpu::new()).unwrap();
        let of = |width, height| PictureSource { width, height, pixels: Pixels::Bytes(&[]) };
        let wide = PictureBuffer::new(&gpu, 100, 10).unwrap();
        assert!(wide.fits(&of(100, 10)) && wide.fits(&of(1, 1)) && !wide.fits(&of(1, 11)) && !wide.fits(&of(101, 1)));
        let both = wide.grown(&gpu, &of(1, 11)).unwrap();
        assert!(both.fits(&of(100, 11)));
        assert_eq!(both.buffer.bytes(), 128 * 11 * 4);
        let error = both.grown(&gpu, &of(u32::MAX, u32::MAX)).err().unwrap();
        assert_eq!(error.code(), "OUT_OF_GPU_MEMORY", "{error}");
    }
}
