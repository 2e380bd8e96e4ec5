//! Where the GPU layer meets JavaScript: bytes that go from `fetch` to the GPU without passing through wasm
//! memory, and what wgpu does not pass on: a feature, compiling pipelines beside the page.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Proxy, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

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
/// (<https://github.com/gfx-rs/wgpu/issues/10146>).
pub fn with_features<T>(features: &[&str], request: impl FnOnce() -> T) -> T {
    let wanted: Vec<JsValue> = features.iter().map(|f| JsValue::from_str(f)).collect();
    with_method("GPUAdapter", "requestDevice", request, move |request_device, adapter, args| {
        let descriptor = args.get(0);
        let required = Reflect::get(&descriptor, &"requiredFeatures".into()).unwrap_or_default();
        let list = if required.is_undefined() { Array::new() } else { Array::from(&required) };
        let offered = Reflect::get(adapter, &"features".into()).unwrap_or_default();
        for feature in wanted.iter().filter(|f| set_has(&offered, f)) {
            list.push(feature);
        }
        let _ = Reflect::set(&descriptor, &"requiredFeatures".into(), &list);
        request_device.apply(adapter, args).unwrap_or_else(|e| Promise::reject(&e).into())
    })
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
