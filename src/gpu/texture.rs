//! A texture that what a page shows is copied to: kernels read buffers, and only textures take images.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use super::{Buffer, Commands, Gpu, raw};
use crate::error::{Error, Result, bail};

pub struct PictureTexture {
    raw: raw::Texture,
    width: u32,
    height: u32,
    allocated_bytes: Rc<Cell<u64>>,
}

impl PictureTexture {
    /// One for images of this size, and of the size of another one.
    ///
    /// # Errors
    /// `InvalidArgument` where a side is longer than the device's textures are.
    pub fn grown(other: Option<&Self>, gpu: &Gpu, width: u32, height: u32) -> Result<Rc<Self>> {
        let longest = gpu.device.longest_side();
        if width.max(height) > longest {
            bail!(InvalidArgument, "picture of {width} x {height} pixels, this GPU allows {longest} a side");
        }
        let (other_width, other_height) = other.map_or((0, 0), |other| (other.width, other.height));
        let (width, height) = (width.max(other_width), height.max(other_height));
        let raw = gpu.device.texture("picture", [width, height]);
        let texture = PictureTexture { raw, width, height, allocated_bytes: gpu.allocated_bytes.clone() };
        gpu.allocated_bytes.set(gpu.allocated_bytes.get() + texture.bytes());
        Ok(Rc::new(texture))
    }

    fn bytes(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * 4
    }

    /// Whether an image of this size has room.
    pub fn fits(&self, width: u32, height: u32) -> bool {
        width <= self.width && height <= self.height
    }

    /// Copy an image of this size here, as it is now, and record the commands that copy it to the start of a buffer in rows of
    /// `pitch` pixels. Colours are sRGB as they are, alpha is not multiplied in, the first row is the upper one.
    ///
    /// # Errors
    /// `InvalidArgument` where it is nothing that WebGPU copies, smaller than this, of another origin, or has no pixels yet.
    pub fn copy(&self, gpu: &Gpu, image: &JsValue, size: [u32; 2], buffer: &Buffer, pitch: u32) -> Result<Commands> {
        gpu.device.copy_image(image, &self.raw, size).map_err(|e| unreadable(&e, size))?;
        let mut encoder = gpu.device.encoder();
        encoder.copy_texture(&self.raw, buffer.raw(gpu), pitch, size);
        Ok(encoder.finish())
    }
}

impl Drop for PictureTexture {
    fn drop(&mut self) {
        self.allocated_bytes.set(self.allocated_bytes.get() - self.bytes());
        self.raw.destroy();
    }
}

/// Why the browser does not copy an image.
fn unreadable(e: &JsValue, [width, height]: [u32; 2]) -> Error {
    let get = |name: &str| Reflect::get(e, &name.into()).ok().and_then(|v| v.as_string()).unwrap_or_default();
    let why = match get("name").as_str() {
        "SecurityError" => {
            "it is of another origin, which must allow it: by CORS, and by crossOrigin on the element".into()
        }
        "TypeError" => format!(
            "allowed are ImageBitmap, ImageData, VideoFrame, OffscreenCanvas and the elements img, video and canvas: {}",
            get("message")
        ),
        name => format!("{name}: {}", get("message")),
    };
    Error::InvalidArgument(format!("picture of {width} x {height} pixels can't be read: {why}"))
}
