//! Hands for JavaScript.

use std::rc::Rc;

use js_sys::{Function, Promise, Reflect, Uint8Array, Uint8ClampedArray};
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::AbortSignal;

use super::calls::{self, JsEvents, to_js};
use crate::error::{Result, bail};
use crate::gpu::{DeviceProfile, Gpu, PictureSource, Pixels};
use crate::hands::Detector;
use crate::hands::glue::{Options, Smoothing};
use crate::load::LoadEvents;
use crate::source::{JsFile, JsSource, Split};

/// What the shell has beside the library's own options.
#[derive(Deserialize)]
struct HandsArguments {
    profile: Option<String>,
}

/// Smoothing is true, false, or an object of `minCutoff`, `beta` and `derivativeCutoff`.
fn smoothing(options: &JsValue) -> Result<Option<Smoothing>> {
    let smoothing = Reflect::get(options, &"smoothing".into()).unwrap_or_default();
    match smoothing.as_bool() {
        Some(on) => Ok(on.then(Smoothing::default)),
        None if smoothing.is_undefined() => Ok(None),
        None if smoothing.is_object() => calls::options("loadHands: smoothing", smoothing).map(Some),
        None => {
            bail!(InvalidArgument, "smoothing is no object of minCutoff, beta and derivativeCutoff, nor true or false")
        }
    }
}

/// The networks for hands, loaded.
#[wasm_bindgen]
pub struct HandsEngine {
    detector: Rc<Detector>,
}

#[wasm_bindgen]
impl HandsEngine {
    /// Load the networks from the GGUF file of `source.js`, or from its parts.
    pub async fn load(
        files: Vec<JsFile>,
        options: JsValue,
        on_progress: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<HandsEngine, JsValue> {
        let HandsArguments { profile } = calls::options("loadHands", options.clone())?;
        let smoothing = smoothing(&options)?;
        let options = Options { smoothing, ..calls::options("loadHands", options)? };
        options.check()?;
        let profile = profile.as_deref().map_or(Ok(DeviceProfile::Full), DeviceProfile::from_name)?;
        let events = JsEvents { on_progress, signal };
        events.check()?;
        let files = Split(files.into_iter().map(JsSource).collect());
        let detector = Detector::load(Gpu::with_profile(profile).await?, &files, options, &events).await?;
        Ok(HandsEngine { detector: Rc::new(detector) })
    }

    /// `Info` of the networks.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        Ok(to_js(&self.detector.info)?)
    }

    /// The hands of an image: what WebGPU copies to textures, or an `ImageData`. The promise is of an array.
    ///
    /// It does not keep the engine: `destroy` can be called meanwhile.
    pub fn detect(&self, image: JsValue, width: u32, height: u32, seconds: f64) -> Promise {
        let detector = self.detector.clone();
        future_to_promise(async move {
            let bytes = image_data(&image);
            let pixels = bytes.as_ref().map_or(Pixels::Page(&image), Pixels::Js);
            let hands = detector.detect(&PictureSource { width, height, pixels }, seconds).await?;
            Ok(to_js(&hands)?)
        })
    }

    /// Forget all hands: what comes next is another video.
    pub fn reset(&self) -> Result<(), JsValue> {
        Ok(self.detector.reset()?)
    }

    /// The last image's figures.
    pub fn stats(&self) -> Result<JsValue, JsValue> {
        Ok(to_js(&self.detector.stats())?)
    }

    /// Resolves to the reason when the GPU device is lost, or destroyed.
    pub fn lost(&self) -> Promise {
        let lost = self.detector.gpu.lost();
        future_to_promise(async { Ok(lost.await.unwrap_or_default().into()) })
    }

    /// Give the GPU's memory back. A call under way ends with `DEVICE_LOST`.
    pub fn destroy(self) {
        self.detector.gpu.destroy();
    }
}

/// The bytes of an `ImageData`, which are where JavaScript has them.
fn image_data(image: &JsValue) -> Option<Uint8Array> {
    let data: Uint8ClampedArray = Reflect::get(image, &"data".into()).ok()?.dyn_into().ok()?;
    Some(Uint8Array::new_with_byte_offset_and_length(&data.buffer(), data.byte_offset(), data.length()))
}
