//! Bytes from the GPU to the host.

use super::raw::{self, Answer, usage};
use super::{Buffer, CopyOut, Gpu};
use crate::error::{Result, bail};

/// A small buffer that the host can map. Made once, used again and again.
pub struct Readback {
    pub(super) raw: raw::Buffer,
}

impl Drop for Readback {
    fn drop(&mut self) {
        self.raw.destroy();
    }
}

/// A map under way, and how often plans had been submitted when it began.
pub struct Pending(Answer, u64);

impl Gpu {
    #[must_use]
    pub fn readback(&self, bytes: u64) -> Readback {
        Readback { raw: self.device.buffer("readback", bytes, usage::MAP_READ | usage::COPY_DST) }
    }

    /// Ask for the bytes as they will be after what is submitted so far.
    #[must_use]
    pub fn map(&self, readback: &Readback) -> Pending {
        Pending(readback.raw.map(), self.n_submits.get())
    }

    /// Wait for a map and hand its bytes to `read`; the readback can be used again then.
    ///
    /// # Errors
    /// As [`Gpu::check`]; `DeviceLost` where the map fails.
    pub async fn read_with<T>(
        &self,
        readback: &Readback,
        pending: Pending,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        self.poll();
        let Pending(answer, n_submits) = pending;
        let hurry = self.n_submits.get() == n_submits;
        let result = self.answered(answer, hurry).await;
        self.check().await?;
        if let Err(e) = result {
            bail!(DeviceLost, "a buffer could not be read back: {e}");
        }
        match readback.raw.read_mapped(read) {
            Ok(value) => Ok(value),
            Err(e) => bail!(Internal, "a buffer could not be read back: {e}"),
        }
    }

    /// The first `n_elems` elements of a buffer, after what is submitted so far.
    ///
    /// # Errors
    /// As [`Gpu::read_with`].
    pub async fn read<T: bytemuck::AnyBitPattern + bytemuck::NoUninit>(
        &self,
        buffer: &Buffer,
        n_elems: usize,
    ) -> Result<Vec<T>> {
        let bytes = (n_elems * size_of::<T>()) as u64;
        let words = 0..bytes.next_multiple_of(4);
        let readback = self.readback(words.end);
        self.submit([], 1, Some(CopyOut { from: buffer, bytes: words, to: &readback }));
        let pending = self.map(&readback);
        let values = self
            .read_with(&readback, pending, |raw| {
                let mut values = vec![T::zeroed(); n_elems];
                bytemuck::cast_slice_mut::<T, u8>(&mut values).copy_from_slice(&raw[..bytes as usize]);
                values
            })
            .await?;
        Ok(values)
    }
}
