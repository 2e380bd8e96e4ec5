//! The merges of a BPE tokenizer: which two neighbouring tokens become one, and which pair goes first.

use super::index::{n_slots, slot_of};

/// A merge. Its place in the list is its rank: the lower, the earlier it is applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Merge {
    pub left: u32,
    pub right: u32,
    pub merged: u32,
}

/// The merges by rank, and a hash index from pairs to ranks.
#[derive(Debug)]
pub(super) struct Merges {
    by_rank: Vec<Merge>,
    slots: Vec<u32>,
}

const EMPTY: u32 = u32::MAX;

impl Merges {
    /// Of two merges of one pair the first counts.
    pub fn new(by_rank: Vec<Merge>) -> Merges {
        let slots = vec![EMPTY; n_slots(by_rank.len())];
        let mut merges = Merges { by_rank, slots };
        for rank in 0..merges.by_rank.len() {
            let Merge { left, right, .. } = merges.by_rank[rank];
            if let Err(slot) = merges.search(left, right) {
                merges.slots[slot] = rank as u32;
            }
        }
        merges
    }

    pub fn rank(&self, left: u32, right: u32) -> Option<u32> {
        self.search(left, right).ok()
    }

    /// The tokens that merges make.
    pub fn merged(&self) -> impl Iterator<Item = u32> {
        self.by_rank.iter().map(|merge| merge.merged)
    }

    pub fn get(&self, rank: u32) -> Merge {
        self.by_rank[rank as usize]
    }

    /// The rank of the pair, or else the empty slot where it would be.
    fn search(&self, left: u32, right: u32) -> Result<u32, usize> {
        let n = self.slots.len();
        let mut slot = slot_of(u64::from(left) << 32 | u64::from(right), n);
        loop {
            let rank = self.slots[slot];
            if rank == EMPTY {
                return Err(slot);
            }
            let merge = &self.by_rank[rank as usize];
            if (merge.left, merge.right) == (left, right) {
                return Ok(rank);
            }
            slot = (slot + 1) & (n - 1);
        }
    }
}
