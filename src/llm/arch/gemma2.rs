//! Gemma 2 (arXiv:2408.00118): Gemma with norms of the blocks' outputs too, soft caps, and a sliding window in
//! every other layer.

use super::gemma;
use crate::error::Result;
use crate::llm::config::{ModelConfig, RopeConfig};
use crate::llm::hyper::Hyper;

/// Of so many layers the last is global.
const PERIOD: u32 = 2;

/// Layers of the 27B.
const N_LAYER_27B: usize = 46;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = gemma::config(h)?;
    let n_window = h.dim_opt("attention.sliding_window")?.unwrap_or(4096);
    let global = &base.ropes[0];
    let local = RopeConfig { freq_base: h.freq_base("rope.freq_base_swa", global.freq_base)?, ..global.clone() };
    h.windows(&mut base, n_window, PERIOD, local)?;
    let attention_scale = gemma::attention_scale(&base, N_LAYER_27B);
    h.fixed("attention.scale", &[attention_scale])?;
    Ok(ModelConfig {
        attention_scale,
        attention_softcap: h.softcap("attn_logit_softcapping", Some(50.0))?,
        logit_softcap: h.softcap("final_logit_softcapping", Some(30.0))?,
        ..base
    })
}
