//! Gemma 3 (arXiv:2503.19786): q and k norms instead of soft caps; five layers with a sliding window and a rotary
//! base of their own to each global one.

use super::gemma;
use crate::error::Result;
use crate::llm::config::{ModelConfig, QkNorm, RopeConfig, RopeScaling};
use crate::llm::hyper::Hyper;

/// Of so many layers the last is global.
const PERIOD: u32 = 6;

/// Layers of the 27B.
const N_LAYER_27B: usize = 62;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = gemma::config(h)?;
    if let Some(n_window) = h.sliding_window()? {
        let freq_base = h.freq_base("rope.freq_base_swa", 10_000.0)?;
        let local = RopeConfig { freq_base, scaling: RopeScaling::None, ..base.ropes[0].clone() };
        h.windows(&mut base, n_window, PERIOD, local)?;
    }
    let attention_scale = gemma::attention_scale(&base, N_LAYER_27B);
    h.fixed("attention.scale", &[attention_scale])?;
    Ok(ModelConfig {
        qk_norm: QkNorm::Head,
        attention_scale,
        logit_softcap: h.softcap("final_logit_softcapping", None)?,
        ..base
    })
}
