//! Whether a model would run here, for JavaScript.

use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::{JsEvents, LoadArguments, parse, to_json};
use crate::error::Result;
use crate::gpu::Gpu;
use crate::model::{Budget, Excess, Fit, LoadEvents};
use crate::session::Opened;
use crate::source::{JsFile, JsSource, Split};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FitJson {
    fits: bool,
    context_length: Option<u32>,
    needs: NeedsJson,
    limit: Option<u64>,
    reason: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NeedsJson {
    context_length: u32,
    weights: u64,
    kv_cache: u64,
    activations: u64,
    total: u64,
}

/// JSON of whether the model of these files fits, from their headers and the adapter's limits.
#[wasm_bindgen]
pub async fn can_run(files: Vec<JsFile>, options: String, signal: Option<AbortSignal>) -> Result<String, JsValue> {
    let arguments: LoadArguments = parse("the options of canRun", &options)?;
    let options = arguments.options()?;
    let events = JsEvents { on_progress: None, signal };
    events.check()?;
    let files = Split(files.into_iter().map(JsSource).collect());
    let opened = Opened::read(&files, &events).await?;
    let budget = Budget { total: options.memory_budget, buffer: Gpu::offered_binding_bytes(options.profile).await? };
    let fit = Fit::of(&opened.gguf, &opened.config, &options, &budget)?;
    let bytes = fit.need.bytes;
    Ok(to_json(&FitJson {
        fits: fit.excess.is_none(),
        context_length: fit.n_ctx,
        needs: NeedsJson {
            context_length: fit.need.n_ctx,
            weights: bytes.weights,
            kv_cache: bytes.kv_cache,
            activations: bytes.activations,
            total: bytes.total(),
        },
        limit: fit.excess.map(Excess::limit).or(budget.total),
        reason: fit.reason(),
    })?)
}
