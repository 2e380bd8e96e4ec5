//! Writes the headers of GGUF files for tests, well-formed ones and others.

/// A file in the making. The value types are numbered as in the GGUF specification.
#[derive(Debug, Default, Clone)]
pub struct GgufWriter {
    pairs: Vec<u8>,
    n_pairs: u64,
    tensors: Vec<u8>,
    n_tensors: u64,
    data: Vec<u8>,
}

const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

impl GgufWriter {
    fn bytes(&mut self, bytes: &[u8]) {
        self.pairs.extend((bytes.len() as u64).to_le_bytes());
        self.pairs.extend(bytes);
    }

    fn key(&mut self, key: &str, ty: u32) {
        self.n_pairs += 1;
        self.bytes(key.as_bytes());
        self.pairs.extend(ty.to_le_bytes());
    }

    fn array(&mut self, key: &str, ty: u32, len: usize) {
        self.key(key, ARRAY);
        self.pairs.extend(ty.to_le_bytes());
        self.pairs.extend((len as u64).to_le_bytes());
    }

    pub fn string(mut self, key: &str, value: &str) -> Self {
        self.key(key, STRING);
        self.bytes(value.as_bytes());
        self
    }

    pub fn u32(mut self, key: &str, value: u32) -> Self {
        self.key(key, U32);
        self.pairs.extend(value.to_le_bytes());
        self
    }

    pub fn bool(mut self, key: &str, value: bool) -> Self {
        self.key(key, BOOL);
        self.pairs.push(value.into());
        self
    }

    pub fn f32(mut self, key: &str, value: f32) -> Self {
        self.key(key, F32);
        self.pairs.extend(value.to_le_bytes());
        self
    }

    pub fn bools(mut self, key: &str, values: &[bool]) -> Self {
        self.array(key, BOOL, values.len());
        self.pairs.extend(values.iter().map(|&value| u8::from(value)));
        self
    }

    pub fn u32s(mut self, key: &str, values: &[u32]) -> Self {
        self.array(key, U32, values.len());
        values.iter().for_each(|value| self.pairs.extend(value.to_le_bytes()));
        self
    }

    pub fn strings(mut self, key: &str, values: &[impl AsRef<[u8]>]) -> Self {
        self.array(key, STRING, values.len());
        values.iter().for_each(|value| self.bytes(value.as_ref()));
        self
    }

    pub fn i32s(mut self, key: &str, values: &[i32]) -> Self {
        self.array(key, I32, values.len());
        values.iter().for_each(|value| self.pairs.extend(value.to_le_bytes()));
        self
    }

    pub fn f32s(mut self, key: &str, values: &[f32]) -> Self {
        self.array(key, F32, values.len());
        values.iter().for_each(|value| self.pairs.extend(value.to_le_bytes()));
        self
    }

    /// An F32 tensor; its shape is outermost first.
    pub fn tensor(mut self, name: &str, shape: &[u32], values: &[f32]) -> Self {
        self.n_tensors += 1;
        self.tensors.extend((name.len() as u64).to_le_bytes());
        self.tensors.extend(name.as_bytes());
        self.tensors.extend((shape.len() as u32).to_le_bytes());
        shape.iter().rev().for_each(|&n| self.tensors.extend(u64::from(n).to_le_bytes()));
        self.tensors.extend(0_u32.to_le_bytes());
        self.tensors.extend((self.data.len() as u64).to_le_bytes());
        self.data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        self.data.resize(self.data.len().next_multiple_of(32), 0);
        self
    }

    pub fn finish(self) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend(self.n_tensors.to_le_bytes());
        file.extend(self.n_pairs.to_le_bytes());
        file.extend(self.pairs);
        if self.n_tensors > 0 {
            file.extend(self.tensors);
            file.resize(file.len().next_multiple_of(32), 0);
            file.extend(self.data);
        }
        file
    }
}
