//! A text goes on from wherever it was left, whatever was submitted ahead: its text is that of a run without
//! pipelining. With a block whose state can't be cut back, and without. Natively and, by playwright/wasm.test.mjs, in a
//! browser.

use std::cell::RefCell;
use std::rc::Rc;

use webgguf::gpu::Gpu;
use webgguf::llm::{FinishReason, GenerateOptions, LoadOptions, Sampling, Sequence, Session, TextId};
use webgguf::ops::N_RECENT;
use webgguf::source::MemorySource;

/// A model with sliding windows, whose rings are arithmetic, one with those of short convolutions, one without, and one with
/// recurrent states.
const MODELS: [(&str, &[u8]); 4] = [
    ("gemma3-tiny", include_bytes!("fixtures/models/gemma3-tiny.gguf")),
    ("lfm2", include_bytes!("fixtures/models/lfm2.gguf")),
    ("qwen3-tiny", include_bytes!("fixtures/models/qwen3-tiny.gguf")),
    (RECURRENT, include_bytes!("fixtures/models/qwen35.gguf")),
];
const RECURRENT: &str = "qwen35";

async fn load(model: &[u8], running_sum: bool, memory_budget: Option<u64>) -> Rc<Session> {
    let options =
        LoadOptions { context_length: Some(160), n_batch: 16, memory_budget, running_sum, ..LoadOptions::default() };
    let gpu = Gpu::new().await.unwrap();
    Session::load_on(gpu, &MemorySource(model.to_vec()), &options, &()).await.unwrap()
}

/// Each model, with the block and without, which one with states of its own does not need; in a browser, where kernels take their
/// time to compile, the hardest.
fn cases() -> impl Iterator<Item = (String, &'static [u8], bool)> {
    let both = |(name, model)| [true, false].map(|sum| (format!("{name} running_sum={sum}"), model, sum));
    let wanted = |(what, _, sum): &(String, _, bool)| !(what.starts_with(RECURRENT) && *sum);
    MODELS.into_iter().flat_map(both).filter(wanted).step_by(if cfg!(target_arch = "wasm32") { 3 } else { 1 })
}

thread_local! {
    static SESSIONS: RefCell<Vec<(String, Rc<Session>)>> = RefCell::default();
}

/// Of the models, on which no text goes on. In a browser, where all tests have one thread, they are loaded once.
async fn sessions() -> Vec<(String, Rc<Session>)> {
    let mut sessions = SESSIONS.take();
    if sessions.is_empty() {
        for (what, model, running_sum) in cases() {
            sessions.push((what, load(model, running_sum, None).await));
        }
    }
    if cfg!(target_arch = "wasm32") {
        SESSIONS.set(sessions.clone());
    }
    sessions.iter().for_each(|(_, session)| session.forget(0));
    sessions
}

/// After how many tokens a generation ends early.
const ENDS: &[u32] = if cfg!(target_arch = "wasm32") { &[7] } else { &[1, 33] };

fn greedy(max_tokens: u32) -> GenerateOptions {
    GenerateOptions { max_tokens, sampling: Sampling::GREEDY, ignore_end: true, ..GenerateOptions::default() }
}

/// What the model writes after `prompt` on a sequence of its own, each step waited for.
async fn alone(session: &Session, prompt: &[u32], n: usize) -> Vec<u32> {
    let model = &session.model;
    let sequence = Sequence::new(model).await.unwrap();
    let read = model.gpu.readback(u64::from(N_RECENT) * 4);
    let mut place = sequence.prefill(model, prompt, prompt, &Sampling::GREEDY, &read).unwrap();
    let mut ids = Vec::new();
    loop {
        let pending = model.gpu.map(&read);
        let id = |bytes: &[u8]| u32::from_le_bytes(bytes[(place % N_RECENT) as usize * 4..][..4].try_into().unwrap());
        ids.push(model.gpu.read_with(&read, pending, id).await.unwrap());
        if ids.len() == n {
            return ids;
        }
        place += 1;
        sequence.decode(model, 1, 0, &Sampling::GREEDY, &read);
    }
}

/// Generate up to `n_pieces` pieces, then give up; the ids and the text.
async fn generate(
    session: &Rc<Session>,
    text: TextId,
    prompt: &[u32],
    options: GenerateOptions,
    n_pieces: usize,
) -> (Vec<u32>, String) {
    let mut generation = session.generate(text, prompt, options).await.unwrap();
    let mut written = String::new();
    for _ in 0..n_pieces {
        let Some(piece) = generation.next().await.unwrap() else { break };
        written.push_str(&piece);
    }
    (generation.generated().to_vec(), written)
}

fn prompt() -> Vec<u32> {
    (0..20).map(|i| 270 + i * 7 % 50).collect()
}

/// Two turns: the second goes on after `ids`, which end the first, and a few more.
async fn goes_on(what: &str, session: &Rc<Session>, ids: &[u32]) {
    let next = [ids, &[301, 302, 303]].concat();
    let (got, _) = generate(session, 0, &next, greedy(12), usize::MAX).await;
    assert_eq!(got, alone(session, &next, 12).await, "{what}");
    // The same again: what this turn began with is still there.
    let (again, _) = generate(session, 0, &next, greedy(12), usize::MAX).await;
    assert_eq!(again, got, "{what}, again");
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn after_an_early_end_an_abort_and_a_stop_string() {
    for (what, session) in sessions().await {
        let prompt = prompt();
        let want = alone(&session, &prompt, 60).await;
        let (whole, text) = generate(&session, 0, &prompt, greedy(60), usize::MAX).await;
        assert_eq!(whole, want, "{what}");
        goes_on(&format!("{what}: the whole"), &session, &[&prompt[..], &whole].concat()).await;

        for &n in ENDS {
            let (ids, _) = generate(&session, 0, &prompt, greedy(n), usize::MAX).await;
            assert_eq!(ids, want[..n as usize], "{what}");
            goes_on(&format!("{what}: {n} tokens"), &session, &[&prompt[..], &ids].concat()).await;

            let (ids, _) = generate(&session, 0, &prompt, greedy(60), n as usize).await;
            assert_eq!(ids, want[..ids.len()], "{what}");
            assert!(ids.len() < 60, "{what}: given up after {n} pieces");
            goes_on(&format!("{what}: given up"), &session, &[&prompt[..], &ids].concat()).await;
        }

        let at = text.char_indices().map(|(at, _)| at).filter(|&at| at >= text.len() / 2).nth(1).unwrap();
        let stop = text[at..].chars().take(4).collect::<String>();
        let (ids, cut) =
            generate(&session, 0, &prompt, GenerateOptions { stop: vec![stop], ..greedy(60) }, usize::MAX).await;
        assert_eq!(session.stats().finish_reason, Some(FinishReason::Stop), "{what}");
        assert!(text.starts_with(&cut), "{what}");
        // Without the ids that the stop string is of.
        goes_on(&format!("{what}: stopped"), &session, &[&prompt[..], &ids[..ids.len() - 3]].concat()).await;
    }
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn after_a_capture() {
    for (what, session) in sessions().await {
        let prompt = prompt();
        let want = alone(&session, &prompt, 10).await;
        session.capture(&prompt[..1], 2).await.unwrap();
        let (got, _) = generate(&session, 0, &prompt, greedy(10), usize::MAX).await;
        assert_eq!(got, want, "{what}");
    }
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn after_an_edit() {
    for (what, session) in sessions().await {
        let prompt = prompt();
        let (first, _) = generate(&session, 0, &prompt, greedy(20), usize::MAX).await;
        let second = [&prompt[..], &first, &[310, 311]].concat();
        let (reply, _) = generate(&session, 0, &second, greedy(20), usize::MAX).await;
        // The last turn, the first one, its middle, and the very beginning.
        for kept in [second.len() - 1, prompt.len(), prompt.len() / 2, 1] {
            let edited = [&second[..kept], &[305, 306, 307]].concat();
            let (got, _) = generate(&session, 0, &edited, greedy(10), usize::MAX).await;
            assert_eq!(got, alone(&session, &edited, 10).await, "{what}: {kept} kept");
        }
        let (again, _) = generate(&session, 0, &second, greedy(20), usize::MAX).await;
        assert_eq!(again, reply, "{what}");
    }
}

/// Two texts in turn, each growing by what the model writes and two tokens more. What each turn reuses.
async fn by_turns(what: &str, session: &Rc<Session>) -> Vec<u32> {
    let mut texts = [prompt(), prompt().into_iter().rev().collect()];
    let mut reused = Vec::new();
    for _ in 0..3 {
        for (text, id) in texts.iter_mut().zip(1..) {
            let (ids, _) = generate(session, id, text, greedy(9), usize::MAX).await;
            assert_eq!(ids, alone(session, text, 9).await, "{what}: text {id}");
            reused.push(session.stats().reused_tokens);
            text.extend(ids.into_iter().chain([308, 309]));
        }
    }
    reused
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn two_texts_by_turns() {
    for (what, session) in sessions().await {
        let reused = by_turns(&what, &session).await;
        println!("{what}: reused {reused:?}");
        assert_eq!(reused[..2], [0, 0]);
        if what.ends_with("false") && !what.starts_with(RECURRENT) {
            // All but the last token of what was written, which is not run.
            assert_eq!(reused[2..], [28, 28, 39, 39], "{what}");
        } else {
            // A checkpoint is at the prompt's end or later.
            assert!(reused[2..].iter().zip([20, 20, 31, 31]).all(|(n, least)| *n >= least), "{what}: {reused:?}");
        }
        assert_eq!(session.n_sequences(), 2, "{what}");
    }
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn two_texts_by_turns_in_the_memory_of_one() {
    for (what, model, running_sum) in cases() {
        let need = load(model, running_sum, None).await.model.need.bytes.total();
        let session = load(model, running_sum, Some(need)).await;
        assert_eq!(by_turns(&what, &session).await, [0; 6], "{what}: each computes its text again");
        assert_eq!(session.n_sequences(), 1, "{what}");
    }
}
