//! A cursor over the bytes of a dictionary. What is missing is an error, never a panic.

use crate::error::{Result, bail};

#[derive(Debug)]
pub struct Bytes<'a> {
    /// What is being read, for messages.
    what: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Bytes { what, bytes, at: 0 }
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    pub fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let left = self.bytes.len() - self.at;
        if n > left {
            bail!(
                MalformedDictionary,
                "{} of the dictionary need {n} bytes at {}, {left} are left",
                self.what,
                self.at
            );
        }
        self.at += n;
        Ok(&self.bytes[self.at - n..self.at])
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    pub fn u16(&mut self) -> Result<u16> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    pub fn u32(&mut self) -> Result<u32> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub fn u64(&mut self) -> Result<u64> {
        let (low, high) = (self.u32()?, self.u32()?);
        Ok(u64::from(high) << 32 | u64::from(low))
    }
}
