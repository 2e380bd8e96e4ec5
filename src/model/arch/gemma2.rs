//! Gemma 2 (arXiv:2408.00118): Gemma with norms of the blocks' outputs too, soft caps, and a sliding window in
//! every other layer.

use super::gemma;
use crate::error::Result;
use crate::model::config::{Hyper, LayerConfig, ModelConfig};

/// Layers of the 27B.
const N_LAYER_27B: usize = 46;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = gemma::config(h)?;
    let window = h.sliding_window()?.unwrap_or(4096);
    Ok(ModelConfig {
        layers: (0..base.layers.len())
            .map(|l| LayerConfig { window: (l % 2 == 0).then_some(window), rope: Some(0) })
            .collect(),
        attention_scale: gemma::attention_scale(&base, N_LAYER_27B),
        attention_softcap: h.softcap("attn_logit_softcapping", Some(50.0))?,
        logit_softcap: h.softcap("final_logit_softcapping", Some(30.0))?,
        ..base
    })
}
