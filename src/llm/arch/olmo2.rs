//! OLMo 2 (arXiv:2501.00656): norms of the blocks' outputs only, and of whole rows of queries and keys. OLMo 3, which goes
//! by the same name: a sliding window in three of four layers, whose rotary embedding is not stretched.

use crate::error::Result;
use crate::llm::config::{ModelConfig, QkNorm, RopeConfig, RopeScaling};
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

/// Of so many layers the last is global.
const PERIOD: u32 = 4;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = h.decoder(RopeKind::HalfSplit)?;
    if let Some(n_window) = h.sliding_window()? {
        let global = &base.ropes[0];
        h.fixed("rope.freq_base_swa", &[global.freq_base])?;
        let local = RopeConfig { scaling: RopeScaling::None, magnitude: 1.0, ..global.clone() };
        h.windows(&mut base, n_window, PERIOD, local)?;
    }
    Ok(ModelConfig { pre_norm: false, qk_norm: QkNorm::Row, ..base })
}
