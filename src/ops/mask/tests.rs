//! Masks against the reference.

use super::Allowed;
use super::reference::mask;
use crate::ops::Phase;
use crate::ops::testing::{Rng, batch, gpus, read, run, tensor};

#[test]
fn what_is_not_allowed_is_never_drawn() {
    let gpu = &gpus()[0];
    let batch = batch(gpu, 5, 1);
    for n in [1usize, 31, 32, 33, 63, 64, 65, 257, 49_152, 262_144 + 7] {
        let mut rng = Rng(n as u64);
        let mut logits = rng.vec(n, 1e30);
        logits[n / 2] = f32::INFINITY;
        let words: Vec<u32> =
            rng.vec(n.div_ceil(32), 1.0).iter().map(|v| v.to_bits().wrapping_mul(0x9e37_79b9)).collect();
        let (t, allowed) = (tensor(gpu, 1, n, &logits), Allowed::new(gpu, n as u32).unwrap());
        // What a vocabulary has beyond the model's is cut off.
        allowed.set(gpu, &[words.as_slice(), &[u32::MAX]].concat());
        run(gpu, &batch, Phase::Decode { far: false }, 1, |r| r.mask(&allowed, &t).unwrap());
        assert!(read(gpu, &t, 1) == mask(&logits, &words), "N_VOCAB={n}");
    }
}
