//! Natively: wgpu, on Vulkan, Metal or Direct3D.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;

use super::{Constants, Features, Info, Limits, Reports, Slot};
use crate::error::{Error, Result, bail};
use crate::gpu::wgsl::Access;

pub struct Adapter(wgpu::Adapter);

impl Adapter {
    /// The fastest one there is.
    ///
    /// # Errors
    /// `NoWebgpu` where there is none.
    pub async fn request() -> Result<Self> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::PRIMARY;
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        match wgpu::Instance::new(descriptor).request_adapter(&options).await {
            Ok(adapter) => Ok(Adapter(adapter)),
            Err(e) => bail!(NoWebgpu, "there is no WebGPU adapter here: {e}"),
        }
    }

    pub fn info(&self) -> Info {
        let info = self.0.get_info();
        Info {
            name: info.name,
            backend: info.backend.to_str(),
            software: info.device_type == wgpu::DeviceType::Cpu,
            subgroup_min: info.subgroup_min_size,
        }
    }

    pub fn features(&self) -> Features {
        let features = self.0.features();
        Features {
            timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            subgroups: features.contains(wgpu::Features::SUBGROUP),
            f16: features.contains(wgpu::Features::SHADER_F16),
        }
    }

    pub fn limits(&self) -> Limits {
        let limits = self.0.limits();
        Limits { buffer_bytes: limits.max_buffer_size, binding_bytes: limits.max_storage_buffer_binding_size }
    }

    /// A device with these features, which the adapter has, and limits. `f16` is asked for by nobody yet.
    ///
    /// # Errors
    /// `NoWebgpu` where the adapter gives none.
    pub async fn device(&self, features: Features, limits: Limits, reports: Reports) -> Result<Device> {
        let mut required_features = wgpu::Features::empty();
        required_features.set(wgpu::Features::TIMESTAMP_QUERY, features.timestamps);
        required_features.set(wgpu::Features::SUBGROUP, features.subgroups);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("webgguf"),
            required_features,
            required_limits: wgpu::Limits {
                max_buffer_size: limits.buffer_bytes,
                max_storage_buffer_binding_size: limits.binding_bytes,
                ..wgpu::Limits::default()
            },
            ..Default::default()
        };
        let (raw, queue) = match self.0.request_device(&descriptor).await {
            Ok(pair) => pair,
            Err(e) => bail!(NoWebgpu, "the adapter '{}' gives no device: {e}", self.info().name),
        };
        let Reports { lost, error } = reports;
        raw.set_device_lost_callback(move |reason, message| lost(&format!("{reason:?}"), &message));
        raw.on_uncaptured_error(Arc::new(move |e: wgpu::Error| {
            error(match e {
                wgpu::Error::OutOfMemory { .. } => Error::OutOfGpuMemory(format!("the GPU is out of memory: {e}")),
                _ => Error::Internal(format!("the GPU refused a command: {e}")),
            });
        }));
        Ok(Device { raw, queue })
    }
}

/// Whether WGSL has products of four 8-bit integers. naga writes them in other words where a driver has none.
pub fn has_int8_products() -> bool {
    true
}

/// A device and its queue.
pub struct Device {
    raw: wgpu::Device,
    queue: wgpu::Queue,
}

#[derive(Clone)]
pub struct Module(wgpu::ShaderModule);
pub struct Layout {
    group: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}
pub struct Pipeline(wgpu::ComputePipeline);
pub struct BindGroup(wgpu::BindGroup);
pub struct Buffer(wgpu::Buffer);
pub struct Queries(wgpu::QuerySet);
pub struct Commands(wgpu::CommandBuffer);
pub struct Encoder(wgpu::CommandEncoder);
pub struct Pass(wgpu::ComputePass<'static>);
/// An error scope that is open.
pub struct Scope(wgpu::ErrorScopeGuard);

/// What the GPU answers in its own time.
pub struct Answer(oneshot::Receiver<Result<(), String>>);

impl Future for Answer {
    type Output = Result<(), String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or_else(|_| Err("the device is gone".into())))
    }
}

impl Device {
    pub fn buffer(&self, label: &str, bytes: u64, usage: u32) -> Buffer {
        Buffer(self.raw.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage: wgpu::BufferUsages::from_bits_truncate(usage),
            mapped_at_creation: false,
        }))
    }

    pub fn module(&self, label: &str, wgsl: &str) -> Module {
        let source = wgpu::ShaderSource::Wgsl(wgsl.into());
        Module(self.raw.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(label), source }))
    }

    pub fn layout(&self, label: &str, slots: &[Slot]) -> Layout {
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let entry = |&(binding, access): &Slot| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match access {
                    Access::Read => storage(true),
                    Access::ReadWrite => storage(false),
                    Access::Uniform => wgpu::BufferBindingType::Uniform,
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let entries: Vec<_> = slots.iter().map(entry).collect();
        let group = self
            .raw
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries });
        let pipeline = self.raw.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(label),
            bind_group_layouts: &[Some(&group)],
            ..Default::default()
        });
        Layout { group, pipeline }
    }

    /// A kernel, compiled before this returns.
    pub fn pipeline(&self, label: &str, layout: &Layout, module: &Module, constants: &Constants) -> Pipeline {
        Pipeline(self.raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(label),
            layout: Some(&layout.pipeline),
            module: &module.0,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                // No kernel reads workgroup memory that it has not written.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        }))
    }

    /// The same, begun before this returns. Here it is also done then.
    ///
    /// # Errors
    /// The driver's message.
    pub fn start_pipeline(
        &self,
        label: &str,
        layout: &Layout,
        module: &Module,
        constants: &Constants,
    ) -> impl Future<Output = Result<Pipeline, String>> + use<> {
        std::future::ready(Ok(self.pipeline(label, layout, module, constants)))
    }

    pub fn bind_group(&self, label: &str, layout: &Layout, buffers: &[(u32, &Buffer)]) -> BindGroup {
        let entries: Vec<_> = buffers
            .iter()
            .map(|&(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.0.as_entire_binding() })
            .collect();
        let layout = &layout.group;
        BindGroup(self.raw.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(label),
            layout,
            entries: &entries,
        }))
    }

    /// Room for `count` timestamps.
    pub fn queries(&self, count: u32) -> Queries {
        let ty = wgpu::QueryType::Timestamp;
        Queries(self.raw.create_query_set(&wgpu::QuerySetDescriptor { label: Some("timestamps"), ty, count }))
    }

    pub fn encoder(&self) -> Encoder {
        Encoder(self.raw.create_command_encoder(&wgpu::CommandEncoderDescriptor::default()))
    }

    pub fn submit(&self, commands: impl IntoIterator<Item = Commands>) {
        self.queue.submit(commands.into_iter().map(|c| c.0));
    }

    /// Write at a byte of a buffer, in order with what is submitted.
    pub fn write(&self, buffer: &Buffer, at: u64, data: &[u8]) {
        self.queue.write_buffer(&buffer.0, at, data);
    }

    /// Hears when all that is submitted so far has run.
    pub fn done(&self) -> Answer {
        let (done, wait) = oneshot::channel();
        self.queue.on_submitted_work_done(move || {
            let _ = done.send(Ok(()));
        });
        Answer(wait)
    }

    /// Nanoseconds of a timestamp's unit.
    pub fn timestamp_ns(&self) -> f64 {
        self.queue.get_timestamp_period().into()
    }

    /// From here on a lack of memory is the scope's to tell.
    pub fn memory_scope(&self) -> Scope {
        Scope(self.raw.push_error_scope(wgpu::ErrorFilter::OutOfMemory))
    }

    /// Block until the GPU is done, so that answers come. Browsers give them by themselves.
    pub fn poll(&self) {
        let _ = self.raw.poll(wgpu::PollType::wait_indefinitely());
    }

    pub fn destroy(&self) {
        self.raw.destroy();
    }
}

impl Scope {
    /// End the scope. Returns the driver's message if there was too little memory.
    pub async fn end(self) -> Option<String> {
        self.0.pop().await.map(|e| e.to_string())
    }
}

impl Buffer {
    /// Ask for its bytes as they will be after what is submitted so far.
    pub fn map(&self) -> Answer {
        let (done, wait) = oneshot::channel();
        self.0.slice(..).map_async(wgpu::MapMode::Read, move |result| {
            let _ = done.send(result.map_err(|e| e.to_string()));
        });
        Answer(wait)
    }

    /// Hand the bytes of a mapped buffer to `read`, and end the mapping.
    ///
    /// # Errors
    /// The driver's message.
    pub fn read_mapped<T>(&self, read: impl FnOnce(&[u8]) -> T) -> Result<T, String> {
        let value = read(&self.0.slice(..).get_mapped_range().map_err(|e| e.to_string())?);
        self.0.unmap();
        Ok(value)
    }

    pub fn destroy(&self) {
        self.0.destroy();
    }
}

impl Encoder {
    pub fn copy(&mut self, src: &Buffer, src_at: u64, dst: &Buffer, dst_at: u64, bytes: u64) {
        self.0.copy_buffer_to_buffer(&src.0, src_at, &dst.0, dst_at, bytes);
    }

    pub fn clear(&mut self, buffer: &Buffer) {
        self.0.clear_buffer(&buffer.0, 0, None);
    }

    /// Begin a pass; with `times`, its begin and its end become the first two timestamps.
    pub fn pass(&mut self, times: Option<&Queries>) -> Pass {
        let timestamp_writes = times.map(|queries| wgpu::ComputePassTimestampWrites {
            query_set: &queries.0,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        });
        Pass(
            self.0.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes }).forget_lifetime(),
        )
    }

    /// The first `count` timestamps, to the start of a buffer.
    pub fn resolve(&mut self, queries: &Queries, count: u32, to: &Buffer) {
        self.0.resolve_query_set(&queries.0, 0..count, &to.0, 0);
    }

    pub fn finish(self) -> Commands {
        Commands(self.0.finish())
    }
}

impl Pass {
    pub fn set_pipeline(&mut self, pipeline: &Pipeline) {
        self.0.set_pipeline(&pipeline.0);
    }

    pub fn set_bind_group(&mut self, group: &BindGroup) {
        self.0.set_bind_group(0, &group.0, &[]);
    }

    pub fn dispatch(&mut self, x: u32, y: u32, z: u32) {
        self.0.dispatch_workgroups(x, y, z);
    }

    pub fn end(self) {}
}
