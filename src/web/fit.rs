//! Whether a model would run here, for JavaScript.

use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::calls::{self, JsEvents, to_js};
use super::llm::LoadArguments;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::llm::{Budget, Excess, Fit, Needs, Opened};
use crate::load::LoadEvents;
use crate::source::{JsFile, JsSource, Split};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    fits: bool,
    context_length: Option<u32>,
    needs: Needs,
    limit: Option<u64>,
    reason: Option<String>,
}

/// Whether the model of these files fits, from their headers and the adapter's limits.
#[wasm_bindgen]
pub async fn can_run(files: Vec<JsFile>, options: JsValue, signal: Option<AbortSignal>) -> Result<JsValue, JsValue> {
    let arguments: LoadArguments = calls::options("canRun", options)?;
    let options = arguments.options()?;
    let events = JsEvents { on_progress: None, signal };
    events.check()?;
    let files = Split(files.into_iter().map(JsSource).collect());
    let opened = Opened::read(&files, &events).await?;
    let budget = Budget { total: options.memory_budget, buffer: Gpu::offered_binding_bytes(options.profile).await? };
    let fit = Fit::of(&opened.gguf, &opened.config, &options, &budget)?;
    Ok(to_js(&Answer {
        fits: fit.excess.is_none(),
        context_length: fit.n_ctx,
        needs: Needs::from(&fit.need),
        limit: fit.excess.map(Excess::limit).or(budget.total),
        reason: fit.reason().as_deref().map(super::in_javascript),
    })?)
}
