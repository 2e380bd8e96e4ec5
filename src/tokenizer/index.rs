//! A hash index from bytes to ids that holds ids only: the bytes stay where they are.

/// Open addressing with linear probing, at most three quarters full: 4 to 11 bytes a token.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: Vec<u32>,
}

const EMPTY: u32 = u32::MAX;

/// Slots for `n` entries, a power of two.
pub(super) fn n_slots(n: usize) -> usize {
    (n + n / 3 + 1).next_power_of_two()
}

/// Fibonacci hashing: the high bits of the product depend on all bits of the key.
pub(super) fn slot_of(hash: u64, n_slots: usize) -> usize {
    let bits = n_slots.trailing_zeros();
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).checked_shr(64 - bits)).unwrap_or(0) as usize
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    let mut mix = |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let (words, tail) = bytes.as_chunks::<8>();
    words.iter().for_each(|&word| mix(u64::from_le_bytes(word)));
    let mut last = [0; 8];
    last[..tail.len()].copy_from_slice(tail);
    mix(u64::from_le_bytes(last));
    hash
}

impl Index {
    pub fn with_capacity(n: usize) -> Index {
        Index { slots: vec![EMPTY; n_slots(n)] }
    }

    /// The slots a key may lie in, in the order to look at.
    fn probe(&self, bytes: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let n = self.slots.len();
        let first = slot_of(hash(bytes), n);
        (0..n).map(move |i| (first + i) & (n - 1))
    }

    /// Adds an id, unless one with the same bytes is there. `bytes_of` gives the bytes of the ids.
    pub fn insert<'a>(&mut self, bytes: &[u8], id: u32, bytes_of: impl Fn(u32) -> &'a [u8]) {
        for slot in self.probe(bytes) {
            match self.slots[slot] {
                EMPTY => {
                    self.slots[slot] = id;
                    return;
                }
                other if bytes_of(other) == bytes => return,
                _ => {}
            }
        }
    }

    pub fn get<'a>(&self, bytes: &[u8], bytes_of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        for slot in self.probe(bytes) {
            match self.slots[slot] {
                EMPTY => return None,
                id if bytes_of(id) == bytes => return Some(id),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in() {
        for n in [0, 1, 2, 3, 1000] {
            let keys: Vec<Vec<u8>> = (0..n as u32).map(|i| i.to_string().repeat(3).into_bytes()).collect();
            let bytes_of = |id: u32| keys[id as usize].as_slice();
            let mut index = Index::with_capacity(n);
            for (id, key) in keys.iter().enumerate() {
                index.insert(key, id as u32, bytes_of);
                index.insert(key, 0, bytes_of);
            }
            for (id, key) in keys.iter().enumerate() {
                assert_eq!(index.get(key, bytes_of), Some(id as u32));
            }
            assert_eq!(index.get(b"none", bytes_of), None);
        }
        assert_eq!(Index::default().get(b"x", |_| &[]), None);
    }
}
