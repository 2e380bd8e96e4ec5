//! Sets of bytes.

/// A set of bytes, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    #[must_use]
    pub fn range(first: u8, last: u8) -> ByteSet {
        let mut set = ByteSet::default();
        (first..=last).for_each(|b| set.insert(b));
        set
    }

    #[must_use]
    pub fn of(bytes: &[u8]) -> ByteSet {
        let mut set = ByteSet::default();
        bytes.iter().for_each(|&b| set.insert(b));
        set
    }

    pub fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    #[must_use]
    pub fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    #[must_use]
    pub fn or(self, other: ByteSet) -> ByteSet {
        ByteSet(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }
}
