//! Sampling against the reference, which sorts everything.

use std::collections::BTreeMap;

use super::reference::{last_row, sample};
use super::{N_RECENT, NO_ID, Sampler, SamplerState};
use crate::gpu::Gpu;
use crate::ops::testing::{Rng, batch, fill_with_guards, gpus, read, read_guarded, run, tensor};
use crate::ops::{Batch, BatchBuffers, Phase};

struct Bench<'g> {
    gpu: &'g Gpu,
    batch: BatchBuffers,
    sampler: Sampler,
}

impl<'g> Bench<'g> {
    fn new(gpu: &'g Gpu) -> Self {
        let batch = BatchBuffers::new(gpu, 4).unwrap();
        fill_with_guards(gpu, &batch.tokens);
        Bench { gpu, batch, sampler: Sampler::new(gpu).unwrap() }
    }

    /// The id that the GPU takes, and the state it leaves.
    fn sample(&self, logits: &[f32], state: SamplerState, recent: &[u32]) -> (u32, SamplerState, Vec<f32>) {
        let t = tensor(self.gpu, 1, logits.len(), logits);
        self.batch.set_place(self.gpu, 5, 3);
        self.sampler.set(self.gpu, state, recent);
        run(self.gpu, &self.batch, Phase::Decode { far: false }, 1, |r| {
            if state.repeat_penalty != 1.0 {
                r.repeat_penalty(&self.sampler, &t).unwrap();
            }
            if state.temperature == 0.0 {
                r.sample_greedy(&self.sampler, &t).unwrap();
            } else {
                r.sample(&self.sampler, &t).unwrap();
            }
        });
        let id = read_guarded(self.gpu, &self.batch.tokens, "tokens", |i| i == 0)[0];
        let state = pollster::block_on(self.gpu.read(&self.sampler.state, 1)).unwrap()[0];
        (id, state, read(self.gpu, &t, 1))
    }
}

const STATE: SamplerState = SamplerState {
    n_sampled: 2,
    seed: 42,
    temperature: 1.0,
    top_k: 0,
    top_p: 1.0,
    min_p: 0.0,
    repeat_penalty: 1.0,
    n_recent: 0,
};

#[test]
fn greedy_takes_the_first_of_the_largest_and_ends_the_step() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    let state = SamplerState { temperature: 0.0, ..STATE };
    for n in [1, 2, 255, 256, 257, 16_384, 16_385, 151_936] {
        let mut rng = Rng(n as u64);
        let mut logits = rng.vec(n, 5.0);
        let (a, b) = (n / 3, n - 1);
        logits[a] = 9.0;
        logits[b] = 9.0;
        let (id, after, _) = bench.sample(&logits, state, &[]);
        assert_eq!(id as usize, a.min(b), "N_VOCAB={n}");
        assert_eq!(after, SamplerState { n_sampled: 3, n_recent: 1, ..state });
        let place: Vec<Batch> = pollster::block_on(gpu.read(&bench.batch.place, 1)).unwrap();
        assert_eq!(place, [Batch { pos: 8, n_rows: 1 }]);
    }
}

#[test]
fn draws_are_those_of_a_full_sort() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    let mut n_checked = 0;
    for (n, scale) in [(1, 1.0), (50, 4.0), (1000, 6.0), (5000, 12.0), (49_152, 9.0)] {
        let mut rng = Rng(n as u64 + 1);
        // Peaked like a language model's: most logits far below a few.
        let logits: Vec<f32> = rng.vec(n, 1.0).iter().map(|v| v * v * v * scale).collect();
        for (top_k, top_p, min_p) in [
            (1, 1.0, 0.0),
            (40, 0.95, 0.05),
            (40, 1.0, 0.0),
            (0, 0.5, 0.0),
            (0, 0.9, 0.0),
            (0, 1.0, 0.2),
            (7, 0.3, 0.1),
        ] {
            for (seed, temperature) in [(1, 0.3), (2, 1.7)] {
                let state = SamplerState { seed, temperature, top_k, top_p, min_p, ..STATE };
                let (kept, want) = sample(&logits, &state);
                let (id, _, _) = bench.sample(&logits, state, &[]);
                // Too many to sort: then only the set is the same, up to a bin's width.
                if kept.len() <= 900 {
                    let kept = &kept[..kept.len().min(20)];
                    assert_eq!(id, want, "N_VOCAB={n} {state:?}, kept {kept:?}");
                    n_checked += 1;
                }
            }
        }
    }
    println!("{n_checked} draws equal the reference's");
    assert!(n_checked > 40);
}

#[test]
fn draws_follow_the_distribution() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    // Small enough to sort, and with equal companions too many to sort.
    for copies in [1usize, 600] {
        let weights = [0.5f64, 0.25, 0.15, 0.1];
        let logits: Vec<f32> = (0..4 * copies).map(|i| (weights[i % 4].ln() as f32) + 3.0).collect();
        let n = 800;
        let mut counts = [0usize; 4];
        for draw in 0..n {
            let (id, _, _) = bench.sample(&logits, SamplerState { n_sampled: draw, ..STATE }, &[]);
            counts[id as usize % 4] += 1;
        }
        // Pearson's chi-squared with 3 degrees of freedom: 21.1 is passed once in ten thousand.
        let chi2: f64 =
            counts.iter().zip(weights).map(|(&c, w)| (c as f64 - w * f64::from(n)).powi(2) / (w * f64::from(n))).sum();
        assert!(chi2 < 21.1, "{counts:?}, chi-squared {chi2:.1}");
    }
}

#[test]
fn unfiltered_vocabularies_too_large_to_sort_are_drawn_exactly() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    let logits = Rng(4).vec(100_000, 0.5);
    for seed in 0..8 {
        let state = SamplerState { seed, ..STATE };
        let (id, _, _) = bench.sample(&logits, state, &[]);
        assert_eq!(id, sample(&logits, &state).1, "seed {seed}");
    }
}

#[test]
fn repeat_penalty_once_an_id() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    let logits = vec![2.0, -2.0, 1.0, 0.5];
    let recent = [0, 0, 1, 3, 0];
    let state = SamplerState { repeat_penalty: 2.0, temperature: 0.0, n_recent: recent.len() as u32, ..STATE };
    let (id, after, penalised) = bench.sample(&logits, state, &recent);
    assert_eq!(penalised[..4], [1.0, -4.0, 1.0, 0.25]);
    assert_eq!((id, after.n_recent), (0, 6));
    // The ring: beyond its size the oldest id is overwritten.
    let recent: Vec<u32> = (0..N_RECENT).map(|i| i % 4).collect();
    let full = SamplerState { n_recent: N_RECENT, ..state };
    bench.sample(&logits, full, &recent);
    let ring: Vec<u32> = pollster::block_on(gpu.read(&bench.sampler.recent, N_RECENT as usize)).unwrap();
    let penalised: BTreeMap<u32, f32> = [(0, 1.0), (1, -4.0), (2, 0.5), (3, 0.25)].into();
    let best = penalised.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert_eq!(ring[0], *best, "the sampled id replaces the oldest");
    assert_eq!(ring[1..], recent[1..]);
}

/// Every id that `n` draws bring.
fn drawn(bench: &Bench<'_>, logits: &[f32], state: SamplerState, n: u32) -> Vec<u32> {
    let mut ids: Vec<u32> =
        (0..n).map(|i| bench.sample(logits, SamplerState { n_sampled: i, ..state }, &[]).0).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn next_to_no_temperature_takes_the_likeliest() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    for n in [3usize, 5000] {
        let mut logits = Rng(8).vec(n, 5.0);
        logits[1] = 88.0;
        logits[2] = 87.999;
        for temperature in [1e-5, 1e-8, 1e-30, 1e-38, 1e-40, 1e-45] {
            let state = SamplerState { temperature, ..STATE };
            assert_eq!(drawn(&bench, &logits, state, 8), [1], "N_VOCAB={n}, temperature {temperature:e}");
        }
        // Of equals, none is preferred.
        logits[2] = logits[1];
        let state = SamplerState { temperature: 1e-8, ..STATE };
        assert_eq!(drawn(&bench, &logits, state, 32), [1, 2], "N_VOCAB={n}");
    }
}

#[test]
fn the_highest_temperature_still_tells_logits_apart_and_reaches_all() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    let state = SamplerState { temperature: 100.0, ..STATE };
    // Far below the others, and yet half as likely at such a temperature.
    assert_eq!(drawn(&bench, &[75.0, 0.0, 70.0], state, 64), [0, 1, 2]);
    assert_eq!(drawn(&bench, &[1e6, 0.0, 1e6], state, 64), [0, 2]);
}

#[test]
fn filters_at_their_ends() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    let mut logits = vec![-3.0f32; 3000];
    logits[7] = 2.0;
    logits[9] = 2.0;
    logits[11] = 1.9;
    let hot = SamplerState { temperature: 5.0, ..STATE };
    for (state, want) in [
        (SamplerState { min_p: 1.0, ..hot }, vec![7, 9]),
        (SamplerState { top_p: 1e-30, ..hot }, vec![7]),
        (SamplerState { top_p: 1e-45, ..hot }, vec![7]),
        (SamplerState { top_k: 1, ..hot }, vec![7]),
        (SamplerState { top_k: 3, ..hot }, vec![7, 9, 11]),
        (SamplerState { min_p: 1e-45, top_k: 2, ..hot }, vec![7, 9]),
    ] {
        assert_eq!(drawn(&bench, &logits, state, 40), want, "{state:?}");
    }
    // More than there are: all of them.
    let few = [1.0, 0.0, 0.5, 0.9];
    for top_k in [4, 5, u32::MAX] {
        assert_eq!(drawn(&bench, &few, SamplerState { top_k, ..hot }, 64), [0, 1, 2, 3]);
    }
}

#[test]
fn top_k_holds_where_the_rest_is_far_below() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    let mut logits = vec![-40.0f32; 50_000];
    (logits[5], logits[6], logits[8]) = (10.0, -10.0, -9.0);
    let state = SamplerState { temperature: 100.0, top_k: 3, ..STATE };
    assert_eq!(drawn(&bench, &logits, state, 64), [5, 6, 8]);
}

#[test]
fn top_p_is_of_all_that_top_k_leaves() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    // 0.90 and 0.04 are less than 0.95, so the third is in; what follows is in other bins.
    let mut probabilities = vec![0.9f64, 0.04, 0.03];
    probabilities.extend([0.001; 30]);
    probabilities.extend([1e-6; 100]);
    let logits: Vec<f32> = probabilities.iter().map(|p| p.ln() as f32).collect();
    for (top_k, min_p) in [(30, 0.0), (30, 0.01), (60, 0.0), (0, 0.0)] {
        let state = SamplerState { top_k, top_p: 0.95, min_p, temperature: 20.0, ..STATE };
        assert_eq!(drawn(&bench, &logits, state, 64), [0, 1, 2], "{state:?}");
    }
}

#[test]
fn penalties_of_any_size_leave_numbers() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    let logits = [20.0, -20.0, 0.0, 1.0];
    let recent = [0, 1, 2];
    for temperature in [0.0, 1.0] {
        for (repeat_penalty, want) in [(f32::MAX, 3), (f32::MIN_POSITIVE, 0), (1e-45, 0), (1e30, 3)] {
            let state = SamplerState { repeat_penalty, temperature, n_recent: 3, min_p: 0.9, ..STATE };
            let (id, _, penalised) = bench.sample(&logits, state, &recent);
            assert_eq!(id, want, "penalty {repeat_penalty:e}, temperature {temperature}: {penalised:?}");
            assert!(penalised.iter().all(|v| v.is_finite()), "{penalised:?}");
        }
    }
}

#[test]
fn what_is_no_number_is_no_id() {
    let gpu = &gpus()[0];
    let bench = Bench::new(gpu);
    for n in [1usize, 300, 49_152] {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for (at, all) in [(n / 2, false), (n - 1, false), (0, true)] {
                let mut logits = Rng(n as u64).vec(n, 5.0);
                logits[at] = wrong;
                if all {
                    logits.fill(wrong);
                }
                for (temperature, top_k, repeat_penalty) in
                    [(0.0, 0, 1.0), (0.8, 40, 1.0), (1.0, 0, 1.0), (0.8, 40, 1.1)]
                {
                    let state = SamplerState { temperature, top_k, repeat_penalty, n_recent: 2, ..STATE };
                    let (id, ..) = bench.sample(&logits, state, &[at as u32, 0]);
                    assert_eq!(id, NO_ID, "N_VOCAB={n}, {wrong} at {at}, {state:?}");
                }
            }
        }
        // The next step is as good as any.
        let logits = Rng(n as u64).vec(n, 5.0);
        for temperature in [0.0, 0.3] {
            let state = SamplerState { temperature, top_k: 40, ..STATE };
            assert_ne!(bench.sample(&logits, state, &[]).0, NO_ID);
        }
    }
}

#[test]
fn the_last_row_becomes_the_first() {
    let gpu = &gpus()[0];
    for (t, width) in [(1, 1), (2, 17), (7, 255), (65, 256), (3, 2048)] {
        let x0 = Rng(18).vec(t * width, 1.0);
        let x = tensor(gpu, t, width, &x0);
        run(gpu, &batch(gpu, 5, t), Phase::Prefill, t, |r| r.last_row(&x).unwrap());
        assert!(read(gpu, &x, t) == last_row(&x0, width), "T={t} C={width}");
    }
}
