//! Phi 3 and 4 mini (arXiv:2404.14219): fused qkv, fused gate and up; rotary factors for short and long contexts.

use crate::error::Result;
use crate::model::config::{Hyper, ModelConfig};
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    h.decoder(RopeKind::HalfSplit)
}
