//! Gemma 3 (arXiv:2503.19786): q and k norms instead of soft caps; five layers with a sliding window and a rotary
//! base of their own to each global one.

use super::gemma;
use crate::error::Result;
use crate::model::config::{Hyper, LayerConfig, ModelConfig, QkNorm, RopeConfig, RopeScaling};

/// Every so many layers one is global.
const PATTERN: usize = 6;

/// Layers of the 27B.
const N_LAYER_27B: usize = 62;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = gemma::config(h)?;
    let window = h.sliding_window()?;
    let global = base.ropes[0].clone();
    let local = RopeConfig { freq_base: 10_000.0, scaling: RopeScaling::None, ..global.clone() };
    let layer = |l: usize| match window {
        Some(n) if l % PATTERN < PATTERN - 1 => LayerConfig { window: Some(n), rope: Some(1) },
        _ => LayerConfig { window: None, rope: Some(0) },
    };
    Ok(ModelConfig {
        ropes: vec![global, local],
        layers: (0..base.layers.len()).map(layer).collect(),
        qk_norm: QkNorm::Head,
        attention_scale: gemma::attention_scale(&base, N_LAYER_27B),
        logit_softcap: h.softcap("final_logit_softcapping", None)?,
        ..base
    })
}
