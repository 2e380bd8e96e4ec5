//! Bytes of any length, in order, into a buffer that takes multiples of 4.

use std::ops::Range;

use super::{Buffer, Gpu};
use crate::source::Chunk;

/// Writes chunks one after the other into a buffer from its start.
pub struct Upload<'a> {
    gpu: &'a Gpu,
    buffer: &'a Buffer,
    at_bytes: u64,
    /// Up to 3 bytes that do not make a word yet.
    carried: [u8; 4],
    n_carry: usize,
}

impl<'a> Upload<'a> {
    /// `skip`, 3 at most, are bytes of the first word that are not among the chunks'; they become zero.
    #[must_use]
    pub fn new(gpu: &'a Gpu, buffer: &'a Buffer, skip: u64) -> Self {
        Upload { gpu, buffer, at_bytes: 0, carried: [0; 4], n_carry: skip as usize }
    }

    /// Write these bytes of a chunk.
    pub fn push(&mut self, chunk: &Chunk<'_>, bytes: Range<usize>) {
        let mut at = bytes.start;
        while self.n_carry > 0 && at < bytes.end {
            self.carry(chunk.byte(at));
            at += 1;
        }
        let whole = (bytes.end - at) & !3;
        if whole > 0 {
            match chunk {
                Chunk::Bytes(b) => self.gpu.write(self.buffer, self.at_bytes, &b[at..at + whole]),
                #[cfg(target_arch = "wasm32")]
                Chunk::Js(b) => self.gpu.write_js(self.buffer, self.at_bytes, b, at as u32, whole as u32),
            }
            self.at_bytes += whole as u64;
        }
        for i in at + whole..bytes.end {
            self.carry(chunk.byte(i));
        }
    }

    /// Carry a byte, and write the word that it completes.
    fn carry(&mut self, byte: u8) {
        self.carried[self.n_carry] = byte;
        self.n_carry += 1;
        if self.n_carry == 4 {
            self.gpu.write(self.buffer, self.at_bytes, &self.carried);
            self.at_bytes += 4;
            self.n_carry = 0;
        }
    }

    /// Write what is carried, filled up with zeros.
    pub fn finish(&mut self) {
        while self.n_carry > 0 {
            self.carry(0);
        }
    }
}
