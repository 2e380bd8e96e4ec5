//! Gemma 3 (arXiv:2503.19786): q and k norms instead of soft caps; five layers with a sliding window and a rotary
//! base of their own to each global one.

use super::gemma;
use crate::error::Result;
use crate::model::config::{Hyper, LayerConfig, ModelConfig, QkNorm, RopeConfig, RopeScaling};

/// Every so many layers one is global.
const PATTERN: usize = 6;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = gemma::config(h)?;
    let window = h.sliding_window()?;
    let global = base.ropes[0].clone();
    let local = RopeConfig { freq_base: 10_000.0, scaling: RopeScaling::None, ..global.clone() };
    let layer = |l: usize| match window {
        Some(n) if l % PATTERN < PATTERN - 1 => LayerConfig { window: Some(n), rope: Some(1) },
        _ => LayerConfig { window: None, rope: Some(0) },
    };
    // The 27B scales by its embedding's share of a head instead of the head's size.
    let scaled_by = if base.layers.len() == 62 { base.n_embd / base.n_head } else { base.head_dim };
    Ok(ModelConfig {
        ropes: vec![global, local],
        layers: (0..base.layers.len()).map(layer).collect(),
        qk_norm: QkNorm::Head,
        attention_scale: f64::from(scaled_by).powf(-0.5) as f32,
        logit_softcap: h.softcap("final_logit_softcapping", None)?,
        ..base
    })
}
