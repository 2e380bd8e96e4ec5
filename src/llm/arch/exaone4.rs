//! EXAONE 4 (arXiv:2507.11407): norms of the blocks' outputs only, and of each query and key head. The 32B, known by its
//! number of layers, has a sliding window in three of four layers, and a rotary embedding in those alone.

use crate::error::Result;
use crate::llm::config::{ModelConfig, QkNorm, RopeConfig};
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

/// Of this many layers the last is global.
const PERIOD: u32 = 4;

/// Layers of the 32B.
const N_LAYER_32B: usize = 64;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = h.decoder(RopeKind::HalfSplit)?;
    if base.layers.len() == N_LAYER_32B {
        let n_window = h.sliding_window()?.unwrap_or(4096);
        let global = &base.ropes[0];
        let local = RopeConfig { freq_base: h.freq_base("rope.freq_base_swa", global.freq_base)?, ..global.clone() };
        h.windows(&mut base, n_window, PERIOD, local)?;
        base.layers.iter_mut().filter(|l| l.window.is_none()).for_each(|l| l.rope = None);
    }
    Ok(ModelConfig { pre_norm: false, qk_norm: QkNorm::Head, ..base })
}
