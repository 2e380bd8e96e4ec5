//! Writes GGUF files, in memory. Nothing that it is given is checked: tests write malformed files with it.

use super::{GgmlType, ValueType};

/// A file in the making: metadata and tensors in the order in which they are added.
#[derive(Debug, Default, Clone)]
pub struct GgufWriter {
    pairs: Vec<u8>,
    n_pairs: u64,
    tensors: Vec<u8>,
    n_tensors: u64,
    data: Vec<u8>,
}

/// Where tensors start, in bytes.
const ALIGNMENT: usize = 32;

impl GgufWriter {
    fn bytes(&mut self, bytes: &[u8]) {
        self.pairs.extend((bytes.len() as u64).to_le_bytes());
        self.pairs.extend(bytes);
    }

    fn key(&mut self, key: &str, ty: ValueType) {
        self.n_pairs += 1;
        self.bytes(key.as_bytes());
        self.pairs.extend((ty as u32).to_le_bytes());
    }

    fn array(&mut self, key: &str, ty: ValueType, len: usize) {
        self.key(key, ValueType::Array);
        self.pairs.extend((ty as u32).to_le_bytes());
        self.pairs.extend((len as u64).to_le_bytes());
    }

    #[must_use]
    pub fn string(mut self, key: &str, value: &str) -> Self {
        self.key(key, ValueType::String);
        self.bytes(value.as_bytes());
        self
    }

    #[must_use]
    pub fn u32(mut self, key: &str, value: u32) -> Self {
        self.key(key, ValueType::U32);
        self.pairs.extend(value.to_le_bytes());
        self
    }

    #[must_use]
    pub fn bool(mut self, key: &str, value: bool) -> Self {
        self.key(key, ValueType::Bool);
        self.pairs.push(value.into());
        self
    }

    #[must_use]
    pub fn f32(mut self, key: &str, value: f32) -> Self {
        self.key(key, ValueType::F32);
        self.pairs.extend(value.to_le_bytes());
        self
    }

    #[must_use]
    pub fn bools(mut self, key: &str, values: &[bool]) -> Self {
        self.array(key, ValueType::Bool, values.len());
        self.pairs.extend(values.iter().map(|&value| u8::from(value)));
        self
    }

    #[must_use]
    pub fn u32s(mut self, key: &str, values: &[u32]) -> Self {
        self.array(key, ValueType::U32, values.len());
        values.iter().for_each(|value| self.pairs.extend(value.to_le_bytes()));
        self
    }

    #[must_use]
    pub fn strings(mut self, key: &str, values: &[impl AsRef<[u8]>]) -> Self {
        self.array(key, ValueType::String, values.len());
        values.iter().for_each(|value| self.bytes(value.as_ref()));
        self
    }

    #[must_use]
    pub fn i32s(mut self, key: &str, values: &[i32]) -> Self {
        self.array(key, ValueType::I32, values.len());
        values.iter().for_each(|value| self.pairs.extend(value.to_le_bytes()));
        self
    }

    #[must_use]
    pub fn f32s(mut self, key: &str, values: &[f32]) -> Self {
        self.array(key, ValueType::F32, values.len());
        values.iter().for_each(|value| self.pairs.extend(value.to_le_bytes()));
        self
    }

    /// An F32 tensor; its shape is outermost first.
    #[must_use]
    pub fn tensor(self, name: &str, shape: &[u32], values: &[f32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor_of(name, GgmlType::F32, shape, &bytes)
    }

    /// A tensor of any type, from its bytes; its shape is outermost first.
    #[must_use]
    pub fn tensor_of(mut self, name: &str, ty: GgmlType, shape: &[u32], bytes: &[u8]) -> Self {
        self.n_tensors += 1;
        self.tensors.extend((name.len() as u64).to_le_bytes());
        self.tensors.extend(name.as_bytes());
        self.tensors.extend((shape.len() as u32).to_le_bytes());
        shape.iter().rev().for_each(|&n| self.tensors.extend(u64::from(n).to_le_bytes()));
        self.tensors.extend(ty.id().to_le_bytes());
        self.tensors.extend((self.data.len() as u64).to_le_bytes());
        self.data.extend(bytes);
        self.data.resize(self.data.len().next_multiple_of(ALIGNMENT), 0);
        self
    }

    /// The file's bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend(self.n_tensors.to_le_bytes());
        file.extend(self.n_pairs.to_le_bytes());
        file.extend(self.pairs);
        if self.n_tensors > 0 {
            file.extend(self.tensors);
            file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
            file.extend(self.data);
        }
        file
    }
}
