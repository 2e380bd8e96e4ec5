//! A sequence of tokens on a model: what the blocks keep of it, its batch, its sampler, and the plans that run it.

use std::cell::{Cell, OnceCell};
use std::iter::once;

use futures_util::future::try_join;

use super::blocks::{N_CHECKPOINTS, State};
use super::model::Model;
use super::network::Network;
use super::weights::Sizes;
use serde::{Deserialize, Serialize};

use crate::error::{Result, bail};
use crate::gpu::{CopyOut, Gpu, Ledger, Plan, Profile, REPEATS, Readback};
use crate::ops::{Allowed, BatchBuffers, N_RECENT, Phase, Recorder, Sampler, SamplerState, Tuning};

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: f32,
    /// Keep this many of the most likely tokens; 0 keeps all.
    pub top_k: u32,
    /// Keep the most likely tokens that make up this probability together (arXiv:1904.09751); 1 keeps all.
    pub top_p: f32,
    /// Keep tokens at least this probable, relative to the most likely (arXiv:2407.01082); 0 keeps all.
    pub min_p: f32,
    /// What the logits of recent tokens are divided by (arXiv:1909.05858); 1 is off.
    pub repeat_penalty: f32,
    #[serde(skip_serializing)]
    pub seed: u32,
}

impl Sampling {
    pub const GREEDY: Self =
        Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, min_p: 0.0, repeat_penalty: 1.0, seed: 0 };
}

impl Default for Sampling {
    /// llama.cpp's.
    fn default() -> Self {
        Sampling { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05, repeat_penalty: 1.0, seed: 0 }
    }
}

/// The buffers of a sequence.
pub(super) struct Memory {
    pub batch: BatchBuffers,
    sampler: Sampler,
    allowed: Allowed,
    pub states: Vec<State>,
    /// The list of what the blocks keep, and of the rest.
    pub state_list: Ledger,
    pub step_list: Ledger,
}

impl Memory {
    /// List what a sequence of `network` takes.
    ///
    /// # Errors
    /// `InvalidArgument` if the type of the KV cache does not suit the heads.
    pub fn new(network: &Network, sizes: Sizes) -> Result<Self> {
        let (state_list, step_list) = (Ledger::new(u64::MAX), Ledger::new(u64::MAX));
        Ok(Memory {
            batch: BatchBuffers::new(&step_list, sizes.n_batch)?,
            sampler: Sampler::new(&step_list)?,
            allowed: Allowed::new(&step_list, network.logits.width)?,
            states: network.states(&state_list)?,
            state_list,
            step_list,
        })
    }
}

/// The recorded plans. A step replays some of them in one submit.
struct Plans {
    /// Embedding and layers of a batch.
    prefill: Plan,
    /// Embedding and layers of one token, after few positions and after many.
    decode_near: Plan,
    decode_far: Plan,
    /// After prefill: the last token's row.
    last_row: Plan,
    /// Output norm and logits of one row.
    head: Plan,
    repeat_penalty: Plan,
    greedy: Plan,
    sample: Plan,
    /// Copies of recurrent states, there and back.
    save: [Plan; N_CHECKPOINTS],
    restore: [Plan; N_CHECKPOINTS],
}

/// Decode where nothing depends on the number of positions.
const NEAR: Phase = Phase::Decode { far: false };

/// The place of the checkpoint that a turn begins with; the others take turns during decode.
const TURN: usize = 0;

/// A sequence on the GPU. One step at a time runs on it, and steps run in the order of the calls.
pub struct Sequence {
    pub(super) memory: Memory,
    plans: Plans,
    /// Before the sampler: only the allowed tokens are left. Most sequences never need it.
    mask: OnceCell<Plan>,
    /// Positions that the steps so far have put into the state.
    pos: Cell<u32>,
    /// The most that `pos` was since the sequence began anew.
    n_written: Cell<u32>,
    /// The positions that the checkpoints are of.
    checkpoints: Cell<[Option<u32>; N_CHECKPOINTS]>,
    /// The place of the latest one.
    latest: Cell<usize>,
}

impl Sequence {
    /// An empty sequence.
    ///
    /// # Errors
    /// `OutOfGpuMemory`; as the ops that are recorded.
    pub async fn new(model: &Model) -> Result<Self> {
        let memory = Memory::new(&model.network, model.need.sizes)?;
        let allocate = || {
            memory.state_list.allocate(&model.gpu);
            memory.step_list.allocate(&model.gpu);
            Ok(())
        };
        // Plans are recorded while the GPU looks for the memory.
        let recorded = async { Plans::record(&model.gpu, &model.network, &memory) };
        let ((), plans) = try_join(model.gpu.allocating("a sequence", allocate), recorded).await?;
        Ok(Sequence {
            memory,
            plans,
            mask: OnceCell::new(),
            pos: Cell::new(0),
            n_written: Cell::new(0),
            checkpoints: Cell::default(),
            latest: Cell::new(TURN),
        })
    }

    /// Dispatches of a greedy decode step after a long context.
    #[must_use]
    pub fn decode_dispatches(&self) -> usize {
        [&self.plans.decode_far, &self.plans.head, &self.plans.greedy].map(Plan::n_dispatches).iter().sum()
    }

    /// Positions that the steps so far have put into the state.
    #[must_use]
    pub fn n_positions(&self) -> usize {
        self.pos.get() as usize
    }

    /// Whether the state can go on from position `pos` without a copy.
    fn holds(&self, pos: u32) -> bool {
        let running_at = |state: &State| matches!(state, State::Running(_)) && self.pos.get() != pos;
        self.ring_holds(pos) && !self.memory.states.iter().any(running_at)
    }

    fn ring_holds(&self, pos: u32) -> bool {
        self.memory.states.iter().all(|state| state.ring_holds(pos, self.n_written.get()))
    }

    /// Cut the sequence back to its first `pos` positions, or to fewer if the blocks can't go back there; returns the
    /// positions that it holds now. Those in between are to be run again.
    pub fn rewind(&self, gpu: &Gpu, pos: u32) -> u32 {
        let mut checkpoints = self.checkpoints.get();
        if !self.holds(pos) {
            let usable = |place: &usize| checkpoints[*place].is_some_and(|at| at <= pos && self.ring_holds(at));
            match (0..N_CHECKPOINTS).filter(usable).max_by_key(|&place| checkpoints[place]) {
                Some(place) if self.has_running() => {
                    gpu.submit([&self.plans.restore[place]], 1, None);
                    self.pos.set(checkpoints[place].unwrap_or_default());
                }
                _ => self.clear(gpu),
            }
        } else {
            self.pos.set(pos);
        }
        let pos = self.pos.get();
        // What was saved later than here is of another text.
        checkpoints.iter_mut().for_each(|at| *at = at.filter(|&at| at <= pos && at > 0));
        self.checkpoints.set(checkpoints);
        if pos == 0 {
            self.n_written.set(0);
        }
        pos
    }

    /// Begin anew.
    fn clear(&self, gpu: &Gpu) {
        for state in &self.memory.states {
            if let State::Running(running) = state {
                gpu.clear(&running.buffer);
            }
        }
        self.pos.set(0);
    }

    fn has_running(&self) -> bool {
        self.memory.states.iter().any(|state| matches!(state, State::Running(_)))
    }

    fn save(&self, gpu: &Gpu, place: usize) {
        gpu.submit([&self.plans.save[place]], 1, None);
        let mut checkpoints = self.checkpoints.get();
        checkpoints[place] = Some(self.pos.get());
        self.checkpoints.set(checkpoints);
        self.latest.set(place);
    }

    /// Before steps that are submitted ahead: keep a way back to a position that is sure to stay. `n_kept` positions
    /// are.
    fn checkpoint(&self, gpu: &Gpu, n_kept: u32) {
        let checkpoints = self.checkpoints.get();
        let latest_stays = checkpoints[self.latest.get()].is_none_or(|at| at <= n_kept);
        if self.has_running() && latest_stays {
            // The other of the two.
            self.save(gpu, if self.latest.get() == 1 { 2 } else { 1 });
        }
    }

    /// Add `tokens` after the positions that the sequence holds, and sample the token after them.
    ///
    /// The sampled id is left on the GPU as the next step's token, and among the recent ids that `read` gets; returns its
    /// place there. `recent` are the ids that the repeat penalty looks back on, the last [`N_RECENT`] at most.
    ///
    /// # Errors
    /// `ContextOverflow` if they do not fit.
    pub fn prefill(
        &self,
        model: &Model,
        tokens: &[u32],
        recent: &[u32],
        sampling: &Sampling,
        read: &Readback,
    ) -> Result<u32> {
        self.run(model, tokens, recent, sampling, Some(read))
    }

    /// The same, but what comes next is sampled by [`Sequence::choose`].
    ///
    /// # Errors
    /// As [`Sequence::prefill`].
    pub fn prefill_only(&self, model: &Model, tokens: &[u32], recent: &[u32], sampling: &Sampling) -> Result<u32> {
        self.run(model, tokens, recent, sampling, None)
    }

    fn run(
        &self,
        model: &Model,
        tokens: &[u32],
        recent: &[u32],
        sampling: &Sampling,
        read: Option<&Readback>,
    ) -> Result<u32> {
        if tokens.is_empty() {
            bail!(InvalidArgument, "there is no token to start from");
        }
        let Memory { batch, sampler, .. } = &self.memory;
        let gpu = &model.gpu;
        model.check_room(self.pos.get(), tokens.len())?;
        if self.has_running() && self.pos.get() > 0 {
            self.save(gpu, TURN);
        }
        let recent = &recent[recent.len().saturating_sub(N_RECENT as usize)..];
        let state = SamplerState {
            seed: sampling.seed,
            temperature: sampling.temperature,
            top_k: sampling.top_k,
            top_p: sampling.top_p,
            min_p: sampling.min_p,
            repeat_penalty: sampling.repeat_penalty,
            n_recent: recent.len() as u32,
            n_sampled: 0,
        };
        sampler.set(gpu, state, recent);
        let mut left = tokens;
        while !left.is_empty() {
            let pos = self.pos.get();
            let (tokens, rest) = left.split_at(left.len().min(model.need.sizes.n_batch as usize));
            let n_tokens = tokens.len() as u32;
            batch.set(gpu, pos, tokens);
            let body = if n_tokens == 1 { self.decode_plan(gpu, pos) } else { &self.plans.prefill };
            if rest.is_empty() {
                let plans = [body, &self.plans.last_row, &self.plans.head].into_iter();
                match read {
                    Some(read) => gpu.submit(plans.chain(self.sample(sampling)), n_tokens, Some(self.ids(read))),
                    None => gpu.submit(plans, n_tokens, None),
                }
            } else {
                gpu.submit([body], n_tokens, None);
            }
            self.advance(n_tokens);
            left = rest;
        }
        Ok(state.n_recent % N_RECENT)
    }

    /// Run the token that the last step left on the GPU, sample the next, and so on for `n_steps` positions. Their ids
    /// come into `read` after those of the steps before, in a ring of [`N_RECENT`]. The first `n_kept` positions of the
    /// sequence are sure to stay.
    pub fn decode(&self, model: &Model, n_steps: u32, n_kept: u32, sampling: &Sampling, read: &Readback) {
        let gpu = &model.gpu;
        self.checkpoint(gpu, n_kept);
        let pos = self.pos.get();
        let plans = (pos..pos + n_steps)
            .flat_map(|pos| [self.decode_plan(gpu, pos), &self.plans.head].into_iter().chain(self.sample(sampling)));
        gpu.submit(plans, 1, Some(self.ids(read)));
        self.advance(n_steps);
    }

    /// Run the token that the last step left on the GPU, up to the logits: what comes next is sampled by
    /// [`Sequence::choose`], once it is known what may. The first `n_kept` positions are sure to stay.
    pub fn forward(&self, model: &Model, n_kept: u32) {
        let gpu = &model.gpu;
        self.checkpoint(gpu, n_kept);
        gpu.submit([self.decode_plan(gpu, self.pos.get()), &self.plans.head], 1, None);
        self.advance(1);
    }

    /// Sample the next token from the logits of [`Sequence::forward`], of those that are allowed: a bit each, 32 to a word.
    ///
    /// # Errors
    /// As the ops that are recorded.
    pub fn choose(&self, model: &Model, allowed: &[u32], sampling: &Sampling, read: &Readback) -> Result<()> {
        let gpu = &model.gpu;
        self.memory.allowed.set(gpu, allowed);
        let mut plans: Vec<&Plan> = self.sample(sampling).collect();
        plans.insert(plans.len() - 1, self.mask(model)?);
        gpu.submit(plans, 1, Some(self.ids(read)));
        Ok(())
    }

    fn mask(&self, model: &Model) -> Result<&Plan> {
        if let Some(mask) = self.mask.get() {
            return Ok(mask);
        }
        let mut r = Recorder::new(&model.gpu, &self.memory.batch, NEAR);
        r.mask(&self.memory.allowed, &model.network.logits)?;
        Ok(self.mask.get_or_init(|| r.plan))
    }

    /// The recent ids, for the host to read.
    fn ids<'a>(&'a self, to: &'a Readback) -> CopyOut<'a> {
        CopyOut { from: &self.memory.sampler.recent, bytes: 0..u64::from(N_RECENT) * 4, to }
    }

    fn advance(&self, n: u32) {
        self.hold(self.pos.get() + n);
    }

    /// Steps have put `pos` positions into the state.
    pub(super) fn hold(&self, pos: u32) {
        self.pos.set(pos);
        self.n_written.set(self.n_written.get().max(self.pos.get()));
    }

    fn decode_plan(&self, gpu: &Gpu, pos: u32) -> &Plan {
        if decode_phase(gpu, pos) == NEAR { &self.plans.decode_near } else { &self.plans.decode_far }
    }

    /// From the logits to the next id.
    fn sample(&self, sampling: &Sampling) -> impl Iterator<Item = &Plan> {
        let p = &self.plans;
        let penalty = (sampling.repeat_penalty != 1.0).then_some(&p.repeat_penalty);
        let sample = if sampling.temperature == 0.0 { &p.greedy } else { &p.sample };
        penalty.into_iter().chain(once(sample))
    }

    /// GPU time of greedy decode steps from position `pos` on, or of a prefill of `n_tokens` from 0 on. What the
    /// sequence held is overwritten.
    ///
    /// # Errors
    /// As [`Gpu::profile`].
    pub async fn profile(&self, model: &Model, pos: u32, n_tokens: u32) -> Result<Profile> {
        let (gpu, p) = (&model.gpu, &self.plans);
        let (plans, n_positions) = if n_tokens == 1 {
            (vec![self.decode_plan(gpu, pos), &p.head, &p.greedy], REPEATS) // the sampler advances the position
        } else {
            (vec![&p.prefill], n_tokens as usize)
        };
        model.check_room(pos, n_positions)?;
        self.hold(pos + n_positions as u32);
        gpu.profile(&plans, n_tokens, || self.memory.batch.set_place(gpu, pos, n_tokens)).await
    }
}

/// The phase of a step at position `pos`.
pub(super) fn decode_phase(gpu: &Gpu, pos: u32) -> Phase {
    Phase::Decode { far: pos >= Tuning::of(&gpu.caps).near }
}

impl Plans {
    fn record(gpu: &Gpu, network: &Network, m: &Memory) -> Result<Self> {
        let record = |phase, walk: &dyn Fn(&mut Recorder<'_>) -> Result<()>| {
            let mut r = Recorder::new(gpu, &m.batch, phase);
            walk(&mut r)?;
            Ok(r.plan)
        };
        let body = |r: &mut Recorder<'_>| network.body(r, &m.states);
        let logits = &network.logits;
        let copies = |there: bool, place: usize| {
            let mut plan = Plan::default();
            for state in &m.states {
                let State::Running(running) = state else { continue };
                let (state, copy) = (running.buffer.clone(), running.checkpoints[place].clone());
                let bytes = state.bytes();
                if there { plan.copy(state, copy, bytes) } else { plan.copy(copy, state, bytes) }
            }
            plan
        };
        Ok(Plans {
            prefill: record(Phase::Prefill, &body)?,
            decode_near: record(NEAR, &body)?,
            decode_far: record(Phase::Decode { far: true }, &body)?,
            last_row: record(NEAR, &|r| r.last_row(&network.x))?,
            head: record(NEAR, &|r| network.head(r))?,
            repeat_penalty: record(NEAR, &|r| r.repeat_penalty(&m.sampler, logits))?,
            greedy: record(NEAR, &|r| r.sample_greedy(&m.sampler, logits))?,
            sample: record(NEAR, &|r| r.sample(&m.sampler, logits))?,
            save: std::array::from_fn(|place| copies(true, place)),
            restore: std::array::from_fn(|place| copies(false, place)),
        })
    }
}
