//! Phi 3 and 4 mini (arXiv:2404.14219): fused qkv, fused gate and up; rotary factors for short and long contexts.

use crate::error::Result;
use crate::llm::config::ModelConfig;
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = h.decoder(RopeKind::HalfSplit)?;
    if let Some(n) = h.sliding_window()?.filter(|&n| n < base.n_ctx_train) {
        h.warn(format!(
            "metadata 'phi3.attention.sliding_window' is {n} and ignored, as in llama.cpp: no layer has a window"
        ));
    }
    Ok(base)
}
