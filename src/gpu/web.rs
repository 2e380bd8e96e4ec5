//! Where WebGPU meets JavaScript: bytes that go from `fetch` to the GPU without passing through wasm
//! memory, and what wgpu does not pass on: a feature, compiling pipelines beside the page.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Proxy, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{Buffer, Commands, Gpu};
use crate::error::{Error, Result, bail};

#[wasm_bindgen]
extern "C" {
    type JsQueue;
    #[wasm_bindgen(method, js_name = writeBuffer)]
    fn write_buffer(this: &JsQueue, buffer: &JsValue, at: f64, data: &Uint8Array, from: f64, len: f64);
    #[wasm_bindgen(method, catch, js_name = copyExternalImageToTexture)]
    fn copy_image(this: &JsQueue, source: &Object, destination: &Object, size: &Array) -> Result<(), JsValue>;
}

/// Write `data[from..from + len]` at a byte of the buffer; `at` and `len` are multiples of 4.
pub fn write_js(gpu: &Gpu, buffer: &Buffer, at: u64, data: &Uint8Array, from: u32, len: u32) {
    if let (Some(queue), Some(raw)) = (gpu.queue.as_webgpu(), buffer.raw(gpu).as_webgpu()) {
        let queue: &JsQueue = queue.unchecked_ref();
        queue.write_buffer(raw.as_ref(), at as f64, data, f64::from(from), f64::from(len));
    }
}

/// A texture that what a page shows is copied to: kernels read buffers, and only textures take images.
pub struct PictureTexture {
    raw: wgpu::Texture,
    bytes: u64,
    allocated_bytes: Rc<Cell<u64>>,
}

impl PictureTexture {
    /// One for images of this size, and of the size of another one.
    ///
    /// # Errors
    /// `InvalidArgument` where a side is longer than the device's textures are.
    pub fn grown(other: Option<&Self>, gpu: &Gpu, width: u32, height: u32) -> Result<Rc<Self>> {
        let longest = gpu.device.limits().max_texture_dimension_2d;
        if width.max(height) > longest {
            bail!(InvalidArgument, "picture of {width} x {height} pixels, this GPU allows {longest} a side");
        }
        let size = other.map_or(extent(0, 0), |other| other.raw.size());
        let (width, height) = (size.width.max(width), size.height.max(height));
        let raw = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("picture"),
            size: extent(width, height),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            // WebGPU asks for the last of a texture that takes images.
            usage: wgpu::TextureUsages::COPY_SRC
                | wgpu::TextureUsages::COPY_DST
                | wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        let bytes = u64::from(width) * u64::from(height) * 4;
        gpu.allocated_bytes.set(gpu.allocated_bytes.get() + bytes);
        Ok(Rc::new(PictureTexture { raw, bytes, allocated_bytes: gpu.allocated_bytes.clone() }))
    }

    /// Whether an image of this size has room.
    pub fn fits(&self, width: u32, height: u32) -> bool {
        width <= self.raw.width() && height <= self.raw.height()
    }

    /// Copy an image of this size here, as it is now, and record the commands that copy it to the start of a buffer in rows of
    /// `pitch` pixels. Colours are sRGB as they are, alpha is not multiplied in, the first row is the upper one.
    ///
    /// # Errors
    /// `InvalidArgument` where it is nothing that WebGPU copies, smaller than this, of another origin, or has no pixels yet.
    pub fn copy(
        &self,
        gpu: &Gpu,
        image: &JsValue,
        [width, height]: [u32; 2],
        buffer: &Buffer,
        pitch: u32,
    ) -> Result<Commands> {
        let (Some(queue), Some(texture)) = (gpu.queue.as_webgpu(), self.raw.as_webgpu()) else {
            bail!(Internal, "a page's picture came to a device that is not the browser's");
        };
        let (source, destination) = (Object::new(), Object::new());
        let _ = Reflect::set(&source, &"source".into(), image);
        let _ = Reflect::set(&destination, &"texture".into(), texture.as_ref());
        let queue: &JsQueue = queue.unchecked_ref();
        queue
            .copy_image(&source, &destination, &Array::of2(&width.into(), &height.into()))
            .map_err(|e| unreadable(&e, width, height))?;
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(pitch * 4), rows_per_image: None };
        let to = wgpu::TexelCopyBufferInfo { buffer: buffer.raw(gpu), layout };
        encoder.copy_texture_to_buffer(self.raw.as_image_copy(), to, extent(width, height));
        Ok(Commands(encoder.finish()))
    }
}

impl Drop for PictureTexture {
    fn drop(&mut self) {
        self.allocated_bytes.set(self.allocated_bytes.get() - self.bytes);
        self.raw.destroy();
    }
}

fn extent(width: u32, height: u32) -> wgpu::Extent3d {
    wgpu::Extent3d { width, height, depth_or_array_layers: 1 }
}

/// Why the browser does not copy an image.
fn unreadable(e: &JsValue, width: u32, height: u32) -> Error {
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

/// Whether the device has a feature, by its WebGPU name.
pub fn device_has(device: &wgpu::Device, feature: &str) -> bool {
    let Some(device) = device.as_webgpu() else { return false };
    Reflect::get(device.as_ref(), &"features".into()).is_ok_and(|set| set_has(&set, &feature.into()))
}

/// Whether the browser's WGSL has a language feature.
pub fn wgsl_has(feature: &str) -> bool {
    let get = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).unwrap_or_default();
    let gpu = get(&get(&js_sys::global(), "navigator"), "gpu");
    set_has(&get(&gpu, "wgslLanguageFeatures"), &feature.into())
}

fn set_has(set: &JsValue, value: &JsValue) -> bool {
    let has = Reflect::get(set, &"has".into()).ok().and_then(|f| f.dyn_into::<Function>().ok());
    has.and_then(|f| f.call1(set, value).ok()).is_some_and(|v| v.is_truthy())
}

/// Call `request`, which calls `GPUAdapter.requestDevice` before it returns, with that method wrapped so that
/// the device also gets those of `features` that the adapter has. wgpu 30 does not know them
/// (<https://github.com/gfx-rs/wgpu/issues/10146>), nor how the adapter describes itself, which comes back, too.
pub fn with_features<T>(features: &[&str], request: impl FnOnce() -> T) -> (T, String) {
    let name = Rc::new(RefCell::new(String::new()));
    let slot = name.clone();
    let wanted: Vec<JsValue> = features.iter().map(|f| JsValue::from_str(f)).collect();
    let requested = with_method("GPUAdapter", "requestDevice", request, move |request_device, adapter, args| {
        slot.replace(adapter_name(adapter));
        let descriptor = args.get(0);
        let required = Reflect::get(&descriptor, &"requiredFeatures".into()).unwrap_or_default();
        let list = if required.is_undefined() { Array::new() } else { Array::from(&required) };
        let offered = Reflect::get(adapter, &"features".into()).unwrap_or_default();
        for feature in wanted.iter().filter(|f| set_has(&offered, f)) {
            list.push(feature);
        }
        let _ = Reflect::set(&descriptor, &"requiredFeatures".into(), &list);
        request_device.apply(adapter, args).unwrap_or_else(|e| Promise::reject(&e).into())
    });
    (requested, name.take())
}

/// The description of a `GPUAdapter`, or its vendor and architecture; empty where the browser says nothing.
fn adapter_name(adapter: &JsValue) -> String {
    let info = Reflect::get(adapter, &"info".into()).unwrap_or_default();
    let get = |name: &str| Reflect::get(&info, &name.into()).ok().and_then(|v| v.as_string()).unwrap_or_default();
    match get("description") {
        description if description.is_empty() => format!("{} {}", get("vendor"), get("architecture")).trim().to_owned(),
        description => description,
    }
}

/// Call `create`, which calls `GPUDevice.createComputePipeline` before it returns, and have the browser compile
/// the pipeline beside the page instead: `create` gets a stand-in, and the promise of the pipeline comes back.
/// wgpu 30 has no such call. `None` where the browser's method can't be wrapped.
pub fn start_compiling(create: impl FnOnce()) -> Option<Promise> {
    let promise = Rc::new(RefCell::new(None));
    let slot = promise.clone();
    with_method("GPUDevice", "createComputePipeline", create, move |_, device, args| {
        let compile = Reflect::get(device, &"createComputePipelineAsync".into()).unwrap_or_default();
        let started = compile.dyn_ref::<Function>().and_then(|f| f.apply(device, args).ok());
        slot.replace(started.and_then(|p| p.dyn_into::<Promise>().ok()));
        Object::new().into()
    });
    promise.take()
}

/// Wait for the pipeline, and call `create` again, which is given it now.
///
/// # Errors
/// The browser's message.
pub async fn compiled<T>(promise: Promise, create: impl FnOnce() -> T) -> Result<T, String> {
    match JsFuture::from(promise).await {
        Ok(pipeline) => Ok(with_method("GPUDevice", "createComputePipeline", create, move |_, _, _| pipeline.clone())),
        Err(e) => Err(Reflect::get(&e, &"message".into()).ok().and_then(|m| m.as_string()).unwrap_or_default()),
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(call: &Function, ms: i32);
}

/// Let the page run for so many milliseconds.
pub async fn pause(ms: i32) {
    let promise = Promise::new(&mut |resolve, _| set_timeout(&resolve, ms));
    let _ = JsFuture::from(promise).await;
}

/// Call `call` while a method of a WebGPU class is `method(original, this, arguments)`.
fn with_method<T>(
    class: &str,
    name: &str,
    call: impl FnOnce() -> T,
    method: impl Fn(&Function, &JsValue, &Array) -> JsValue + 'static,
) -> T {
    let slot = || {
        let class = Reflect::get(&js_sys::global(), &class.into()).ok()?;
        let prototype = Reflect::get(&class, &"prototype".into()).ok()?.dyn_into::<Object>().ok()?;
        let original = Reflect::get(&prototype, &name.into()).ok()?.dyn_into::<Function>().ok()?;
        Some((prototype, original))
    };
    let Some((prototype, original)) = slot() else { return call() };
    let apply =
        Closure::wrap(Box::new(move |target: Function, this: JsValue, args: Array| method(&target, &this, &args))
            as Box<dyn Fn(Function, JsValue, Array) -> JsValue>);
    let handler = Object::new();
    let _ = Reflect::set(&handler, &"apply".into(), apply.as_ref());
    let _ = Reflect::set(&prototype, &name.into(), &Proxy::new(&original, &handler));
    let result = call();
    let _ = Reflect::set(&prototype, &name.into(), &original);
    result
}
