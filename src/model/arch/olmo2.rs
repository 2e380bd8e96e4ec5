//! OLMo 2 (arXiv:2501.00656): norms of the blocks' outputs only, and of whole rows of queries and keys.

use crate::error::Result;
use crate::model::config::{Hyper, ModelConfig, QkNorm};
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    Ok(ModelConfig { pre_norm: false, qk_norm: QkNorm::Row, ..h.decoder(RopeKind::HalfSplit)? })
}
