//! Writes the headers of GGUF files for tests, well-formed ones and others.

/// Metadata in the making. The value types are numbered as in the GGUF specification.
#[derive(Debug, Default, Clone)]
pub struct GgufWriter {
    pairs: Vec<u8>,
    n_pairs: u64,
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

    pub fn finish(self) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend(0_u64.to_le_bytes());
        file.extend(self.n_pairs.to_le_bytes());
        file.extend(self.pairs);
        file
    }
}
