//! Buffers that count themselves and are destroyed when the last user lets go.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use super::Gpu;
use super::raw::{self, usage};
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

/// A buffer on the GPU, zero at first. It takes memory from its first use on, or from [`super::Ledger::allocate`].
pub struct Buffer {
    label: String,
    bytes: u64,
    usage: Usage,
    memory: OnceCell<Memory>,
}

/// The memory of a buffer.
struct Memory {
    raw: raw::Buffer,
    bytes: u64,
    /// Of all the device's buffers.
    allocated_bytes: Rc<Cell<u64>>,
}

/// Where buffers come from: a device, or a list of what a device will be asked for.
pub trait Allocate {
    /// A buffer of at least `bytes`, rounded up to 16.
    ///
    /// # Errors
    /// `OutOfGpuMemory` if it is beyond the device's limit.
    fn buffer(&self, label: &str, bytes: u64, usage: Usage) -> Result<Rc<Buffer>>;

    /// Bytes of the largest buffer that a kernel can bind.
    fn max_binding_bytes(&self) -> u64;
}

impl Buffer {
    /// A buffer without memory, of at least `bytes`, rounded up to 16.
    pub(super) fn new(label: &str, bytes: u64, usage: Usage) -> Self {
        let bytes = bytes.max(16).next_multiple_of(16);
        Buffer { label: label.to_owned(), bytes, usage, memory: OnceCell::new() }
    }

    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The WebGPU buffer, created now if it does not exist yet.
    pub(super) fn raw(&self, gpu: &Gpu) -> &raw::Buffer {
        let memory = self.memory.get_or_init(|| {
            let usage = match self.usage {
                Usage::Storage => usage::STORAGE | usage::COPY_DST | usage::COPY_SRC,
                Usage::Uniform => usage::UNIFORM | usage::COPY_DST,
                Usage::Queries => usage::QUERY_RESOLVE | usage::COPY_SRC,
            };
            let raw = gpu.device.buffer(&self.label, self.bytes, usage);
            gpu.allocated_bytes.set(gpu.allocated_bytes.get() + self.bytes);
            Memory { raw, bytes: self.bytes, allocated_bytes: gpu.allocated_bytes.clone() }
        });
        &memory.raw
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.allocated_bytes.set(self.allocated_bytes.get() - self.bytes);
        // Submitted work that uses it still runs: WebGPU frees the memory after it.
        self.raw.destroy();
    }
}

impl Allocate for Gpu {
    fn buffer(&self, label: &str, bytes: u64, usage: Usage) -> Result<Rc<Buffer>> {
        Gpu::buffer(self, label, bytes, usage)
    }

    fn max_binding_bytes(&self) -> u64 {
        self.caps.max_binding_bytes
    }
}

impl Gpu {
    /// A new buffer of at least `bytes`, rounded up to 16.
    ///
    /// # Errors
    /// `OutOfGpuMemory` if it is beyond the device's limit. [`Gpu::allocating`] shows whether there was enough memory.
    pub fn buffer(&self, label: &str, bytes: u64, usage: Usage) -> Result<Rc<Buffer>> {
        let buffer = Buffer::new(label, bytes, usage);
        if buffer.bytes > self.caps.max_binding_bytes {
            bail!(
                OutOfGpuMemory,
                "'{label}' needs a buffer of {} bytes, this device allows {}",
                buffer.bytes,
                self.caps.max_binding_bytes
            );
        }
        buffer.raw(self);
        Ok(Rc::new(buffer))
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
        self.device.write(buffer.raw(self), at_bytes, bytemuck::cast_slice(data));
    }

    /// Write `data[from..from + len]`, which is in JavaScript's memory and does not pass through wasm's, at a byte of the
    /// buffer; `at_bytes` and `len` are multiples of 4.
    #[cfg(target_arch = "wasm32")]
    pub fn write_js(&self, buffer: &Buffer, at_bytes: u64, data: &js_sys::Uint8Array, from: u32, len: u32) {
        self.device.write_js(buffer.raw(self), at_bytes, data, from, len);
    }

    /// Copy between buffers; offsets and size are multiples of 4.
    pub fn copy(&self, src: &Buffer, src_bytes: u64, dst: &Buffer, dst_bytes: u64, bytes: u64) {
        let mut encoder = self.device.encoder();
        encoder.copy(src.raw(self), src_bytes, dst.raw(self), dst_bytes, bytes);
        self.device.submit([encoder.finish()]);
    }

    /// Fill a buffer with zeros, in order with what is submitted.
    pub fn clear(&self, buffer: &Buffer) {
        let mut encoder = self.device.encoder();
        encoder.clear(buffer.raw(self));
        self.device.submit([encoder.finish()]);
    }
}
