//! Buffers that count themselves and are destroyed when the last user lets go.

use std::cell::Cell;
use std::rc::Rc;

use super::Gpu;
use crate::error::{Result, bail};

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Kernels read and write it; the host writes to it and copies from it.
    Storage,
    /// Kernels read it as parameters; the host writes to it.
    Uniform,
    /// Timestamps are resolved into it.
    Queries,
}

/// A buffer on the GPU, zero at first.
pub struct Buffer {
    pub(super) raw: wgpu::Buffer,
    bytes: u64,
    allocated_bytes: Rc<Cell<u64>>,
}

impl Gpu {
    /// A new buffer of at least `bytes`, rounded up to 16.
    ///
    /// # Errors
    /// `OutOfGpuMemory` where it is beyond the device's limit. That the memory is not there shows in
    /// [`Gpu::allocating`].
    pub fn buffer(&self, label: &str, bytes: u64, usage: Usage) -> Result<Rc<Buffer>> {
        let bytes = bytes.max(16).next_multiple_of(16);
        if bytes > self.caps.max_binding_bytes {
            bail!(
                OutOfGpuMemory,
                "'{label}' needs a buffer of {bytes} bytes, this device allows {}",
                self.caps.max_binding_bytes
            );
        }
        let usage = match usage {
            Usage::Storage => wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
            Usage::Uniform => wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            Usage::Queries => wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
        };
        let raw = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage,
            mapped_at_creation: false,
        });
        self.allocated_bytes.set(self.allocated_bytes.get() + bytes);
        Ok(Rc::new(Buffer { raw, bytes, allocated_bytes: self.allocated_bytes.clone() }))
    }

    /// A new storage buffer that holds `data`.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn buffer_with<T: bytemuck::NoUninit>(&self, label: &str, data: &[T]) -> Result<Rc<Buffer>> {
        let buffer = self.buffer(label, size_of_val(data) as u64, Usage::Storage)?;
        self.write(&buffer, 0, data);
        Ok(buffer)
    }

    /// Write `data` at a byte of the buffer, in order with what is submitted.
    pub fn write<T: bytemuck::NoUninit>(&self, buffer: &Buffer, at_bytes: u64, data: &[T]) {
        self.queue.write_buffer(&buffer.raw, at_bytes, bytemuck::cast_slice(data));
    }

    /// Copy between buffers; offsets and size are multiples of 4.
    pub fn copy(&self, src: &Buffer, src_bytes: u64, dst: &Buffer, dst_bytes: u64, bytes: u64) {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&src.raw, src_bytes, &dst.raw, dst_bytes, bytes);
        self.queue.submit([encoder.finish()]);
    }
}

impl Buffer {
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.allocated_bytes.set(self.allocated_bytes.get() - self.bytes);
        // Submitted work that uses it still runs: WebGPU frees the memory after it.
        self.raw.destroy();
    }
}
