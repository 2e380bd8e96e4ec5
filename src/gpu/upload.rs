//! Bytes of any length, in order, into a buffer that takes multiples of 4.

use super::{Buffer, Gpu};
use crate::source::Chunk;

/// Writes chunks one after the other into a buffer from its start.
pub struct Upload<'a> {
    gpu: &'a Gpu,
    buffer: &'a Buffer,
    at_bytes: u64,
    /// Up to 3 bytes that do not make a word yet.
    carry: [u8; 4],
    n_carry: usize,
}

impl<'a> Upload<'a> {
    /// `skip`, 3 at most, are bytes of the first word that are not among the chunks'; they become zero.
    #[must_use]
    pub fn new(gpu: &'a Gpu, buffer: &'a Buffer, skip: u64) -> Self {
        Upload { gpu, buffer, at_bytes: 0, carry: [0; 4], n_carry: skip as usize }
    }

    /// The chunk's first bytes, as many as complete the carried word.
    fn fill_carry(&mut self, len: usize, byte: impl Fn(usize) -> u8) -> usize {
        let n = if self.n_carry == 0 { 0 } else { (4 - self.n_carry).min(len) };
        for i in 0..n {
            self.carry[self.n_carry] = byte(i);
            self.n_carry += 1;
        }
        if self.n_carry == 4 {
            self.gpu.write(self.buffer, self.at_bytes, &self.carry);
            self.at_bytes += 4;
            self.n_carry = 0;
        }
        n
    }

    pub fn push(&mut self, chunk: &Chunk<'_>) {
        let len = chunk.len();
        let from = match chunk {
            Chunk::Bytes(b) => self.fill_carry(len, |i| b[i]),
            #[cfg(target_arch = "wasm32")]
            Chunk::Js(b) => self.fill_carry(len, |i| b.get_index(i as u32)),
        };
        let whole = (len - from) & !3;
        if whole > 0 {
            match chunk {
                Chunk::Bytes(b) => self.gpu.write(self.buffer, self.at_bytes, &b[from..from + whole]),
                #[cfg(target_arch = "wasm32")]
                Chunk::Js(b) => {
                    super::web::write_js(self.gpu, self.buffer, self.at_bytes, b, from as u32, whole as u32);
                }
            }
            self.at_bytes += whole as u64;
        }
        for i in from + whole..len {
            self.carry[self.n_carry] = match chunk {
                Chunk::Bytes(b) => b[i],
                #[cfg(target_arch = "wasm32")]
                Chunk::Js(b) => b.get_index(i as u32),
            };
            self.n_carry += 1;
        }
    }

    /// Write what is carried, filled up with zeros.
    pub fn finish(mut self) {
        if self.n_carry > 0 {
            self.carry[self.n_carry..].fill(0);
            self.gpu.write(self.buffer, self.at_bytes, &self.carry);
        }
    }
}
