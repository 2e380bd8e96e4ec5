//! The two places where the GPU layer meets JavaScript: bytes that go from `fetch` to the GPU without
//! passing through wasm memory, and features that wgpu does not pass on.

use js_sys::{Array, Function, Object, Promise, Proxy, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{Buffer, Gpu};

#[wasm_bindgen]
extern "C" {
    type JsQueue;
    #[wasm_bindgen(method, js_name = writeBuffer)]
    fn write_buffer(this: &JsQueue, buffer: &JsValue, at: f64, data: &Uint8Array, from: f64, len: f64);
}

/// Write `data[from..from + len]` at a byte of the buffer; `at` and `len` are multiples of 4.
pub fn write_js(gpu: &Gpu, buffer: &Buffer, at: u64, data: &Uint8Array, from: u32, len: u32) {
    if let (Some(queue), Some(raw)) = (gpu.queue.as_webgpu(), buffer.raw.as_webgpu()) {
        let queue: &JsQueue = queue.unchecked_ref();
        queue.write_buffer(raw.as_ref(), at as f64, data, f64::from(from), f64::from(len));
    }
}

/// Whether the device has a feature, by its WebGPU name.
pub fn device_has(device: &wgpu::Device, feature: &str) -> bool {
    let Some(device) = device.as_webgpu() else { return false };
    Reflect::get(device.as_ref(), &"features".into()).is_ok_and(|set| set_has(&set, &feature.into()))
}

fn set_has(set: &JsValue, value: &JsValue) -> bool {
    let has = Reflect::get(set, &"has".into()).ok().and_then(|f| f.dyn_into::<Function>().ok());
    has.and_then(|f| f.call1(set, value).ok()).is_some_and(|v| v.is_truthy())
}

/// Call `request`, which calls `GPUAdapter.requestDevice` before it returns, with that method wrapped so that
/// the device also gets those of `features` that the adapter has. wgpu 30 does not know them
/// (<https://github.com/gfx-rs/wgpu/issues/10146>).
pub fn with_features<T>(features: &[&str], request: impl FnOnce() -> T) -> T {
    let Some((prototype, original)) = request_device_slot() else { return request() };
    let wanted: Vec<JsValue> = features.iter().map(|f| JsValue::from_str(f)).collect();
    let apply = Closure::wrap(Box::new(move |target: Function, adapter: JsValue, args: Array| -> JsValue {
        let descriptor = args.get(0);
        let required = Reflect::get(&descriptor, &"requiredFeatures".into()).unwrap_or_default();
        let list = if required.is_undefined() { Array::new() } else { Array::from(&required) };
        let offered = Reflect::get(&adapter, &"features".into()).unwrap_or_default();
        for feature in wanted.iter().filter(|f| set_has(&offered, f)) {
            list.push(feature);
        }
        let _ = Reflect::set(&descriptor, &"requiredFeatures".into(), &list);
        target.apply(&adapter, &args).unwrap_or_else(|e| Promise::reject(&e).into())
    }) as Box<dyn FnMut(Function, JsValue, Array) -> JsValue>);
    let handler = Object::new();
    let _ = Reflect::set(&handler, &"apply".into(), apply.as_ref());
    let _ = Reflect::set(&prototype, &"requestDevice".into(), &Proxy::new(&original, &handler));
    let result = request();
    let _ = Reflect::set(&prototype, &"requestDevice".into(), &original);
    result
}

fn request_device_slot() -> Option<(Object, Function)> {
    let class = Reflect::get(&js_sys::global(), &"GPUAdapter".into()).ok()?;
    let prototype = Reflect::get(&class, &"prototype".into()).ok()?.dyn_into::<Object>().ok()?;
    let original = Reflect::get(&prototype, &"requestDevice".into()).ok()?.dyn_into::<Function>().ok()?;
    Some((prototype, original))
}
