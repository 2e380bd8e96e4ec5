//! In browsers: WebGPU itself (<https://www.w3.org/TR/webgpu/>), by the methods that are used here and no others. Descriptors are
//! plain objects, made once a kernel or a buffer; what a step calls takes numbers and handles.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use js_sys::{Array, ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{Constants, Features, Info, Limits, Reports, Slot, usage};
use crate::error::{Error, Result, bail};
use crate::gpu::wgsl::Access;

#[wasm_bindgen]
extern "C" {
    type JsGpu;
    #[wasm_bindgen(method, catch, js_name = requestAdapter)]
    async fn request_adapter(this: &JsGpu, options: &Object) -> Result<JsValue, JsValue>;

    type JsAdapter;
    #[wasm_bindgen(method, getter)]
    fn info(this: &JsAdapter) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn features(this: &JsAdapter) -> JsSet;
    #[wasm_bindgen(method, getter)]
    fn limits(this: &JsAdapter) -> JsValue;
    #[wasm_bindgen(method, catch, js_name = requestDevice)]
    async fn request_device(this: &JsAdapter, descriptor: &Object) -> Result<JsValue, JsValue>;

    type JsSet;
    #[wasm_bindgen(method)]
    fn has(this: &JsSet, value: &str) -> bool;

    #[derive(Clone)]
    type JsDevice;
    #[wasm_bindgen(method, getter)]
    fn limits(this: &JsDevice) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn lost(this: &JsDevice) -> Promise;
    #[wasm_bindgen(method, getter)]
    fn queue(this: &JsDevice) -> JsQueue;
    #[wasm_bindgen(method, setter, js_name = onuncapturederror)]
    fn set_onuncapturederror(this: &JsDevice, hear: Option<&Function>);
    #[wasm_bindgen(method, js_name = createBuffer)]
    fn create_buffer(this: &JsDevice, descriptor: &Object) -> JsBuffer;
    #[wasm_bindgen(method, js_name = createTexture)]
    fn create_texture(this: &JsDevice, descriptor: &Object) -> JsTexture;
    #[wasm_bindgen(method, js_name = createShaderModule)]
    fn create_shader_module(this: &JsDevice, descriptor: &Object) -> JsValue;
    #[wasm_bindgen(method, js_name = createBindGroupLayout)]
    fn create_bind_group_layout(this: &JsDevice, descriptor: &Object) -> JsValue;
    #[wasm_bindgen(method, js_name = createPipelineLayout)]
    fn create_pipeline_layout(this: &JsDevice, descriptor: &Object) -> JsValue;
    #[wasm_bindgen(method, js_name = createComputePipeline)]
    fn create_compute_pipeline(this: &JsDevice, descriptor: &Object) -> JsValue;
    #[wasm_bindgen(method, js_name = createComputePipelineAsync)]
    fn create_compute_pipeline_async(this: &JsDevice, descriptor: &Object) -> Promise;
    #[wasm_bindgen(method, js_name = createBindGroup)]
    fn create_bind_group(this: &JsDevice, descriptor: &JsGroup) -> JsValue;
    #[wasm_bindgen(method, js_name = createQuerySet)]
    fn create_query_set(this: &JsDevice, descriptor: &Object) -> JsValue;
    #[wasm_bindgen(method, js_name = createCommandEncoder)]
    fn create_command_encoder(this: &JsDevice) -> JsEncoder;
    #[wasm_bindgen(method, js_name = pushErrorScope)]
    fn push_error_scope(this: &JsDevice, filter: &str);
    #[wasm_bindgen(method, js_name = popErrorScope)]
    fn pop_error_scope(this: &JsDevice) -> Promise;
    #[wasm_bindgen(method)]
    fn destroy(this: &JsDevice);

    /// A bind group's descriptor and its entries. A load makes a thousand of them, so their fields' names are in the glue:
    /// a name that crosses costs more than the field.
    type JsGroup;
    #[wasm_bindgen(method, setter)]
    fn set_label(this: &JsGroup, label: &str);
    #[wasm_bindgen(method, setter)]
    fn set_layout(this: &JsGroup, layout: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_entries(this: &JsGroup, entries: &Array);
    #[wasm_bindgen(method, setter)]
    fn set_binding(this: &JsGroup, binding: u32);
    #[wasm_bindgen(method, setter)]
    fn set_resource(this: &JsGroup, resource: &JsGroup);
    #[wasm_bindgen(method, setter)]
    fn set_buffer(this: &JsGroup, buffer: &JsBuffer);

    type JsQueue;
    #[wasm_bindgen(method)]
    fn submit(this: &JsQueue, commands: &Array);
    #[wasm_bindgen(method, js_name = writeBuffer)]
    fn write_bytes(this: &JsQueue, buffer: &JsBuffer, at: f64, data: &[u8]);
    #[wasm_bindgen(method, js_name = writeBuffer)]
    fn write_array(this: &JsQueue, buffer: &JsBuffer, at: f64, data: &Uint8Array, from: f64, len: f64);
    #[wasm_bindgen(method, js_name = onSubmittedWorkDone)]
    fn on_submitted_work_done(this: &JsQueue) -> Promise;
    #[wasm_bindgen(method, catch, js_name = copyExternalImageToTexture)]
    fn copy_image(this: &JsQueue, source: &Object, destination: &Object, size: &Array) -> Result<(), JsValue>;

    type JsBuffer;
    #[wasm_bindgen(method, js_name = mapAsync)]
    fn map_async(this: &JsBuffer, mode: u32) -> Promise;
    #[wasm_bindgen(method, catch, js_name = getMappedRange)]
    fn get_mapped_range(this: &JsBuffer) -> Result<ArrayBuffer, JsValue>;
    #[wasm_bindgen(method)]
    fn unmap(this: &JsBuffer);
    #[wasm_bindgen(method)]
    fn destroy(this: &JsBuffer);

    type JsTexture;
    #[wasm_bindgen(method)]
    fn destroy(this: &JsTexture);

    type JsEncoder;
    #[wasm_bindgen(method, js_name = copyBufferToBuffer)]
    fn copy_buffer(this: &JsEncoder, src: &JsBuffer, src_at: f64, dst: &JsBuffer, dst_at: f64, bytes: f64);
    #[wasm_bindgen(method, js_name = copyTextureToBuffer)]
    fn copy_texture(this: &JsEncoder, src: &Object, dst: &Object, size: &Array);
    #[wasm_bindgen(method, js_name = clearBuffer)]
    fn clear_buffer(this: &JsEncoder, buffer: &JsBuffer);
    #[wasm_bindgen(method, js_name = beginComputePass)]
    fn begin_compute_pass(this: &JsEncoder, descriptor: &Object) -> Pass;
    #[wasm_bindgen(method, js_name = resolveQuerySet)]
    fn resolve_query_set(this: &JsEncoder, queries: &JsValue, first: u32, count: u32, to: &JsBuffer, at: u32);
    #[wasm_bindgen(method)]
    fn finish(this: &JsEncoder) -> JsValue;

    pub type Pass;
    #[wasm_bindgen(method, js_name = setPipeline)]
    fn set_js_pipeline(this: &Pass, pipeline: &JsValue);
    #[wasm_bindgen(method, js_name = setBindGroup)]
    fn set_js_bind_group(this: &Pass, index: u32, group: &JsValue);
    #[wasm_bindgen(method, js_name = dispatchWorkgroups)]
    fn dispatch_workgroups(this: &Pass, x: u32, y: u32, z: u32);
    #[wasm_bindgen(method, js_name = end)]
    fn end_js(this: &Pass);

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(call: &Function, ms: i32);

    type MessageChannel;
    #[wasm_bindgen(constructor)]
    fn new() -> MessageChannel;
    #[wasm_bindgen(method, getter)]
    fn port1(this: &MessageChannel) -> MessagePort;
    #[wasm_bindgen(method, getter)]
    fn port2(this: &MessageChannel) -> MessagePort;

    type MessagePort;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &MessagePort, hear: &Function);
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &MessagePort, message: &JsValue);
}

/// A property; undefined where there is none.
fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or_default()
}

fn text(of: &JsValue, name: &str) -> String {
    get(of, name).as_string().unwrap_or_default()
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

/// The same, as a value.
fn value(fields: &[(&str, JsValue)]) -> JsValue {
    object(fields).into()
}

fn array(items: impl IntoIterator<Item = JsValue>) -> Array {
    items.into_iter().collect()
}

fn gpu() -> JsValue {
    get(&get(&js_sys::global(), "navigator"), "gpu")
}

pub struct Adapter(JsAdapter);

impl Adapter {
    /// The fastest one there is.
    ///
    /// # Errors
    /// `NoWebgpu` where there is none.
    pub async fn request() -> Result<Self> {
        let gpu = gpu();
        if gpu.is_undefined() {
            bail!(NoWebgpu, "there is no WebGPU here");
        }
        let gpu: JsGpu = gpu.unchecked_into();
        match gpu.request_adapter(&object(&[("powerPreference", "high-performance".into())])).await {
            Ok(adapter) if !adapter.is_null() => Ok(Adapter(adapter.unchecked_into())),
            Ok(_) => bail!(NoWebgpu, "there is no WebGPU adapter here"),
            Err(e) => bail!(NoWebgpu, "there is no WebGPU adapter here: {}", text(&e, "message")),
        }
    }

    /// The name is the adapter's description, or its vendor and architecture.
    pub fn info(&self) -> Info {
        let info = self.0.info();
        let name = match text(&info, "description") {
            description if description.is_empty() => {
                format!("{} {}", text(&info, "vendor"), text(&info, "architecture")).trim().to_owned()
            }
            description => description,
        };
        Info {
            name,
            backend: "webgpu",
            software: get(&info, "isFallbackAdapter").is_truthy(),
            subgroup_min: get(&info, "subgroupMinSize").as_f64().unwrap_or(0.0) as u32,
        }
    }

    pub fn features(&self) -> Features {
        let features = self.0.features();
        Features {
            timestamps: features.has("timestamp-query"),
            subgroups: features.has("subgroups"),
            f16: features.has("shader-f16"),
        }
    }

    pub fn limits(&self) -> Limits {
        let limits = self.0.limits();
        let bytes = |name| get(&limits, name).as_f64().unwrap_or(0.0) as u64;
        Limits { buffer_bytes: bytes("maxBufferSize"), binding_bytes: bytes("maxStorageBufferBindingSize") }
    }

    /// A device with these features, which the adapter has, and limits. `f16` is asked for by nobody yet.
    ///
    /// # Errors
    /// `NoWebgpu` where the adapter gives none.
    pub async fn device(&self, features: Features, limits: Limits, reports: Reports) -> Result<Device> {
        let wanted = [(features.timestamps, "timestamp-query"), (features.subgroups, "subgroups")];
        let limits = value(&[
            ("maxBufferSize", (limits.buffer_bytes as f64).into()),
            ("maxStorageBufferBindingSize", (limits.binding_bytes as f64).into()),
        ]);
        let descriptor = object(&[
            ("label", "webgguf".into()),
            ("requiredFeatures", array(wanted.iter().filter(|f| f.0).map(|f| f.1.into())).into()),
            ("requiredLimits", limits),
        ]);
        let raw: JsDevice = match self.0.request_device(&descriptor).await {
            Ok(device) => device.unchecked_into(),
            Err(e) => bail!(NoWebgpu, "the adapter '{}' gives no device: {}", self.info().name, text(&e, "message")),
        };
        let Reports { lost, error } = reports;
        let promise = raw.lost();
        spawn_local(async move {
            let info = JsFuture::from(promise).await.unwrap_or_default();
            lost(&text(&info, "reason"), &text(&info, "message"));
        });
        let on_error = Closure::new(move |event: JsValue| {
            let e = get(&event, "error");
            let message = text(&e, "message");
            error(match text(&get(&e, "constructor"), "name").as_str() {
                "GPUOutOfMemoryError" => Error::OutOfGpuMemory(format!("the GPU is out of memory: {message}")),
                _ => Error::Internal(format!("the GPU refused a command: {message}")),
            });
        });
        raw.set_onuncapturederror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Device { queue: raw.queue(), raw, _on_error: on_error })
    }
}

/// Whether the browser's WGSL has products of four 8-bit integers.
pub fn has_int8_products() -> bool {
    let features = get(&gpu(), "wgslLanguageFeatures");
    !features.is_undefined() && features.unchecked_ref::<JsSet>().has("packed_4x8_integer_dot_product")
}

/// A device and its queue.
pub struct Device {
    raw: JsDevice,
    queue: JsQueue,
    _on_error: Closure<dyn Fn(JsValue)>,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.raw.set_onuncapturederror(None);
    }
}

#[derive(Clone)]
pub struct Module(JsValue);
pub struct Layout {
    group: JsValue,
    pipeline: JsValue,
}
pub struct Pipeline(JsValue);
pub struct BindGroup(JsValue);
pub struct Buffer(JsBuffer);
pub struct Texture(JsTexture);
pub struct Queries(JsValue);
pub struct Commands(JsValue);
pub struct Encoder(JsEncoder);
/// An error scope that is open, of this device.
pub struct Scope(JsDevice);

/// What the GPU answers in its own time.
pub struct Answer(JsFuture);

impl Future for Answer {
    type Output = Result<(), String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|result| match result {
            Ok(_) => Ok(()),
            Err(e) => Err(text(&e, "message")),
        })
    }
}

impl Device {
    pub fn buffer(&self, label: &str, bytes: u64, usage: u32) -> Buffer {
        let fields = [("label", label.into()), ("size", (bytes as f64).into()), ("usage", usage.into())];
        Buffer(self.raw.create_buffer(&object(&fields)))
    }

    pub fn module(&self, label: &str, wgsl: &str) -> Module {
        Module(self.raw.create_shader_module(&object(&[("label", label.into()), ("code", wgsl.into())])))
    }

    pub fn layout(&self, label: &str, slots: &[Slot]) -> Layout {
        const COMPUTE: u32 = 4;
        let entry = |&(binding, access): &Slot| {
            let kind = match access {
                Access::Read => "read-only-storage",
                Access::ReadWrite => "storage",
                Access::Uniform => "uniform",
            };
            let buffer = value(&[("type", kind.into())]);
            value(&[("binding", binding.into()), ("visibility", COMPUTE.into()), ("buffer", buffer)])
        };
        let entries = array(slots.iter().map(entry)).into();
        let group = self.raw.create_bind_group_layout(&object(&[("label", label.into()), ("entries", entries)]));
        let groups = Array::of1(&group).into();
        let pipeline =
            self.raw.create_pipeline_layout(&object(&[("label", label.into()), ("bindGroupLayouts", groups)]));
        Layout { group, pipeline }
    }

    /// A kernel, compiled before this returns.
    pub fn pipeline(&self, label: &str, layout: &Layout, module: &Module, constants: &Constants) -> Pipeline {
        Pipeline(self.raw.create_compute_pipeline(&pipeline_descriptor(label, layout, module, constants)))
    }

    /// The same, compiled beside the page from now on.
    ///
    /// # Errors
    /// The browser's message.
    pub fn start_pipeline(
        &self,
        label: &str,
        layout: &Layout,
        module: &Module,
        constants: &Constants,
    ) -> impl Future<Output = Result<Pipeline, String>> + use<> {
        let descriptor = pipeline_descriptor(label, layout, module, constants);
        let promise = self.raw.create_compute_pipeline_async(&descriptor);
        async { JsFuture::from(promise).await.map(Pipeline).map_err(|e| text(&e, "message")) }
    }

    pub fn bind_group(&self, label: &str, layout: &Layout, buffers: &[(u32, &Buffer)]) -> BindGroup {
        let new = || Object::new().unchecked_into::<JsGroup>();
        let entry = |&(binding, buffer): &(u32, &Buffer)| {
            let (resource, entry) = (new(), new());
            resource.set_buffer(&buffer.0);
            entry.set_binding(binding);
            entry.set_resource(&resource);
            entry.into()
        };
        let group = new();
        group.set_label(label);
        group.set_layout(&layout.group);
        group.set_entries(&array(buffers.iter().map(entry)));
        BindGroup(self.raw.create_bind_group(&group))
    }

    /// Room for `count` timestamps.
    pub fn queries(&self, count: u32) -> Queries {
        Queries(self.raw.create_query_set(&object(&[("type", "timestamp".into()), ("count", count.into())])))
    }

    pub fn encoder(&self) -> Encoder {
        Encoder(self.raw.create_command_encoder())
    }

    pub fn submit(&self, commands: impl IntoIterator<Item = Commands>) {
        self.queue.submit(&array(commands.into_iter().map(|c| c.0)));
    }

    /// Write at a byte of a buffer, in order with what is submitted.
    pub fn write(&self, buffer: &Buffer, at: u64, data: &[u8]) {
        self.queue.write_bytes(&buffer.0, at as f64, data);
    }

    /// Write `data[from..from + len]`, which is in JavaScript's memory; `at` and `len` are multiples of 4.
    pub fn write_js(&self, buffer: &Buffer, at: u64, data: &Uint8Array, from: u32, len: u32) {
        self.queue.write_array(&buffer.0, at as f64, data, from.into(), len.into());
    }

    /// Hears when all that is submitted so far has run.
    pub fn done(&self) -> Answer {
        Answer(self.queue.on_submitted_work_done().into())
    }

    /// Nanoseconds of a timestamp's unit.
    pub fn timestamp_ns(&self) -> f64 {
        1.0
    }

    /// From here on a lack of memory is the scope's to tell.
    pub fn memory_scope(&self) -> Scope {
        self.raw.push_error_scope("out-of-memory");
        Scope(self.raw.clone())
    }

    /// Have the browser look for what the GPU has done: a question whose answer nobody waits for.
    pub fn look(&self) {
        // It fails with the device, of which others tell.
        IGNORE.with(|ignore| drop(self.queue.on_submitted_work_done().catch(ignore)));
    }

    pub fn destroy(&self) {
        self.raw.destroy();
    }

    /// Pixels of a texture's longest side.
    pub fn longest_side(&self) -> u32 {
        get(&self.raw.limits(), "maxTextureDimension2D").as_f64().unwrap_or(0.0) as u32
    }

    /// A texture of 8-bit RGBA that takes images and gives them to buffers.
    pub fn texture(&self, label: &str, [width, height]: [u32; 2]) -> Texture {
        const COPY_SRC: u32 = 1;
        const COPY_DST: u32 = 1 << 1;
        /// WebGPU asks for it of a texture that takes images.
        const RENDER_ATTACHMENT: u32 = 1 << 4;
        Texture(self.raw.create_texture(&object(&[
            ("label", label.into()),
            ("size", Array::of2(&width.into(), &height.into()).into()),
            ("format", "rgba8unorm".into()),
            ("usage", (COPY_SRC | COPY_DST | RENDER_ATTACHMENT).into()),
        ])))
    }

    /// Copy what a page shows to a texture, as it is now. Colours are sRGB, alpha is not multiplied in.
    ///
    /// # Errors
    /// The browser's.
    pub fn copy_image(&self, image: &JsValue, to: &Texture, [width, height]: [u32; 2]) -> Result<(), JsValue> {
        let source = object(&[("source", image.clone())]);
        let destination = object(&[("texture", to.0.clone())]);
        self.queue.copy_image(&source, &destination, &Array::of2(&width.into(), &height.into()))
    }
}

fn pipeline_descriptor(label: &str, layout: &Layout, module: &Module, constants: &Constants) -> Object {
    let constants = Object::from_entries(&array(
        constants.iter().map(|&(name, value)| Array::of2(&name.into(), &value.into()).into()),
    ))
    .unwrap_or_default();
    let compute =
        value(&[("module", module.0.clone()), ("entryPoint", "main".into()), ("constants", constants.into())]);
    object(&[("label", label.into()), ("layout", layout.pipeline.clone()), ("compute", compute)])
}

impl Scope {
    /// End the scope. Returns the browser's message if there was too little memory.
    pub async fn end(self) -> Option<String> {
        let e = JsFuture::from(self.0.pop_error_scope()).await.unwrap_or_default();
        e.is_truthy().then(|| text(&e, "message"))
    }
}

impl Buffer {
    /// Ask for its bytes as they will be after what is submitted so far.
    pub fn map(&self) -> Answer {
        Answer(self.0.map_async(usage::MAP_READ).into())
    }

    /// Hand the bytes of a mapped buffer to `read`, and end the mapping.
    ///
    /// # Errors
    /// The browser's message.
    pub fn read_mapped<T>(&self, read: impl FnOnce(&[u8]) -> T) -> Result<T, String> {
        let range = self.0.get_mapped_range().map_err(|e| text(&e, "message"))?;
        let value = read(&Uint8Array::new(&range).to_vec());
        self.0.unmap();
        Ok(value)
    }

    pub fn destroy(&self) {
        self.0.destroy();
    }
}

impl Texture {
    pub fn destroy(&self) {
        self.0.destroy();
    }
}

impl Encoder {
    pub fn copy(&mut self, src: &Buffer, src_at: u64, dst: &Buffer, dst_at: u64, bytes: u64) {
        self.0.copy_buffer(&src.0, src_at as f64, &dst.0, dst_at as f64, bytes as f64);
    }

    /// Copy a texture's upper left corner to the start of a buffer, in rows of `pitch` pixels.
    pub fn copy_texture(&mut self, src: &Texture, dst: &Buffer, pitch: u32, [width, height]: [u32; 2]) {
        let src = object(&[("texture", src.0.clone())]);
        let dst = object(&[("buffer", dst.0.clone()), ("bytesPerRow", (pitch * 4).into())]);
        self.0.copy_texture(&src, &dst, &Array::of2(&width.into(), &height.into()));
    }

    pub fn clear(&mut self, buffer: &Buffer) {
        self.0.clear_buffer(&buffer.0);
    }

    /// Begin a pass; with `times`, its begin and its end become the first two timestamps.
    pub fn pass(&mut self, times: Option<&Queries>) -> Pass {
        let writes = times.map(|queries| {
            let fields = [
                ("querySet", queries.0.clone()),
                ("beginningOfPassWriteIndex", 0.into()),
                ("endOfPassWriteIndex", 1.into()),
            ];
            ("timestampWrites", value(&fields))
        });
        self.0.begin_compute_pass(&object(writes.as_slice()))
    }

    /// The first `count` timestamps, to the start of a buffer.
    pub fn resolve(&mut self, queries: &Queries, count: u32, to: &Buffer) {
        self.0.resolve_query_set(&queries.0, 0, count, &to.0, 0);
    }

    pub fn finish(self) -> Commands {
        Commands(self.0.finish())
    }
}

impl Pass {
    pub fn set_pipeline(&mut self, pipeline: &Pipeline) {
        self.set_js_pipeline(&pipeline.0);
    }

    pub fn set_bind_group(&mut self, group: &BindGroup) {
        self.set_js_bind_group(0, &group.0);
    }

    pub fn dispatch(&mut self, x: u32, y: u32, z: u32) {
        self.dispatch_workgroups(x, y, z);
    }

    pub fn end(self) {
        self.end_js();
    }
}

thread_local! {
    static IGNORE: Closure<dyn FnMut(JsValue)> = Closure::new(|_| {});
    static TURNS: Turns = Turns::new();
}

/// Messages to this thread itself, each of which is somebody's turn.
struct Turns {
    send: MessagePort,
    waiting: Rc<RefCell<VecDeque<Function>>>,
    _on_message: Closure<dyn FnMut()>,
}

impl Turns {
    fn new() -> Self {
        let waiting = Rc::new(RefCell::new(VecDeque::<Function>::new()));
        let next = waiting.clone();
        let on_message = Closure::new(move || {
            let resolve = next.borrow_mut().pop_front();
            let _ = resolve.map(|resolve| resolve.call0(&JsValue::NULL));
        });
        let channel = MessageChannel::new();
        channel.port1().set_onmessage(on_message.as_ref().unchecked_ref());
        Turns { send: channel.port2(), waiting, _on_message: on_message }
    }
}

/// Let the page do what is next, be it for a few microseconds: timers take a millisecond or more.
pub async fn turn() {
    let promise = Promise::new(&mut |resolve, _| {
        TURNS.with(|turns| {
            turns.waiting.borrow_mut().push_back(resolve);
            turns.send.post_message(&JsValue::NULL);
        });
    });
    let _ = JsFuture::from(promise).await;
}

/// Let the page run for this many milliseconds.
pub async fn pause(ms: i32) {
    let promise = Promise::new(&mut |resolve, _| set_timeout(&resolve, ms));
    let _ = JsFuture::from(promise).await;
}

/// The same, for less than the 4 ms that a timer in a timer's wake takes at least.
pub async fn rest(ms: i32) {
    turn().await;
    pause(ms).await;
}
