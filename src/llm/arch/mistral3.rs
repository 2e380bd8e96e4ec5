//! Mistral 3 (Ministral): Llama with YaRN, whose scores grow with the position beyond the original context (as in Llama 4).

use crate::error::{Result, bail};
use crate::llm::config::ModelConfig;
use crate::llm::hyper::{Hyper, YARN, Yarn};
use crate::ops::{RopeKind, Temperature};

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    h.no_experts()?;
    let yarn = Yarn {
        beta_fast: h.scale_opt("rope.scaling.yarn_beta_fast")?.unwrap_or(YARN.beta_fast),
        beta_slow: h.scale_opt("rope.scaling.yarn_beta_slow")?.unwrap_or(YARN.beta_slow),
        log_mul: h.f32_opt("rope.scaling.yarn_log_multiplier")?.unwrap_or(0.0),
    };
    if !(0.0..=1e3).contains(&yarn.log_mul) {
        let key = format!("{}.rope.scaling.yarn_log_multiplier", h.arch);
        bail!(MalformedGguf, "metadata '{key}' is {}, 0 to 1e3 is allowed", yarn.log_mul);
    }
    let base = h.decoder_with(RopeKind::Interleaved, yarn)?;
    let temperature = h.scale_opt("attention.temperature_scale")?;
    Ok(ModelConfig {
        attention_scale: h.scale_opt("attention.scale")?.unwrap_or(base.attention_scale),
        temperature: temperature.map(|scale| Temperature { scale, n_ctx_orig: base.n_ctx_orig }),
        ..base
    })
}
