//! How far a load is, and who hears of it.

use std::cell::Cell;

use crate::error::Result;

/// How often a page hears of progress during a load, at most: there are many more chunks.
const N_EVENTS: u64 = 256;

/// Parts of the whole load's time, about: the header, then weights and kernels side by side, then the rest.
const HEADER: f64 = 0.02;
const WEIGHTS: f64 = 0.80;
const KERNELS: f64 = 0.16;

/// What a load is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadPhase {
    Header,
    /// Kernels compile meanwhile.
    Weights,
    /// The weights are here, kernels still compile.
    Compile,
    Ready,
}

impl LoadPhase {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LoadPhase::Header => "header",
            LoadPhase::Weights => "weights",
            LoadPhase::Compile => "compile",
            LoadPhase::Ready => "ready",
        }
    }
}

/// How far a load is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadProgress {
    pub phase: LoadPhase,
    /// Of the whole load, 0 to 1. It never falls, and is 1 with `Ready` alone.
    pub fraction: f64,
    /// Of this phase: bytes, or kernels while they compile.
    pub loaded: u64,
    /// Of this phase; 0 where it is not known.
    pub total: u64,
    /// The layer whose weights came in last.
    pub layer: Option<u32>,
}

impl LoadProgress {
    /// Bytes of a header, of a file of `total` bytes.
    pub fn header(loaded: u64, total: u64) -> LoadProgress {
        LoadProgress { phase: LoadPhase::Header, fraction: 0.0, loaded, total, layer: None }
    }

    /// The end.
    pub fn ready(bytes: u64) -> LoadProgress {
        LoadProgress { phase: LoadPhase::Ready, fraction: 1.0, loaded: bytes, total: bytes, layer: None }
    }
}

/// Hears of a load's progress, and can end it.
pub trait LoadEvents {
    fn progress(&self, _progress: LoadProgress) {}

    /// # Errors
    /// `Aborted` where the caller wants no more.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

impl LoadEvents for () {}

/// Weights and kernels, which come side by side.
pub struct Tally<'a> {
    pub events: &'a dyn LoadEvents,
    /// Bytes of weights: here, and in all.
    weights: Cell<u64>,
    n_weights: u64,
    kernels: Cell<u64>,
    n_kernels: Cell<u64>,
    /// Bytes when an event was last sent.
    sent: Cell<u64>,
}

/// A share that is whole where there is nothing to do.
fn share(done: u64, all: u64) -> f64 {
    if all == 0 { 1.0 } else { done as f64 / all as f64 }
}

impl<'a> Tally<'a> {
    /// Of a load of `n_weights` bytes.
    pub fn new(events: &'a dyn LoadEvents, n_weights: u64) -> Tally<'a> {
        let zero = || Cell::new(0);
        Tally { events, weights: zero(), n_weights, kernels: zero(), n_kernels: zero(), sent: zero() }
    }

    fn send(&self, layer: Option<u32>) {
        let (weights, kernels) = (self.weights.get(), self.kernels.get());
        let (phase, loaded, total) = match weights < self.n_weights {
            true => (LoadPhase::Weights, weights, self.n_weights),
            false => (LoadPhase::Compile, kernels, self.n_kernels.get()),
        };
        let compiled = if self.n_kernels.get() == 0 { 0.0 } else { share(kernels, self.n_kernels.get()) };
        let fraction = HEADER + WEIGHTS * share(weights, self.n_weights) + KERNELS * compiled;
        self.events.progress(LoadProgress { phase, fraction, loaded, total, layer });
    }

    /// Nothing is here yet.
    pub fn begin(&self) {
        self.send(None);
    }

    /// Bytes of weights came in, the last ones of `layer`.
    ///
    /// # Errors
    /// `Aborted`
    pub fn add_weights(&self, bytes: u64, layer: impl FnOnce() -> Option<u32>) -> Result<()> {
        self.events.check()?;
        let loaded = self.weights.get() + bytes;
        self.weights.set(loaded);
        if loaded - self.sent.get() >= self.n_weights / N_EVENTS || loaded == self.n_weights {
            self.sent.set(loaded);
            self.send(layer());
        }
        Ok(())
    }

    /// `done` of `all` kernels are compiled.
    pub fn set_kernels(&self, done: u64, all: u64) {
        self.kernels.set(done);
        self.n_kernels.set(all);
        self.send(None);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Heard(RefCell<Vec<LoadProgress>>);

    impl LoadEvents for Heard {
        fn progress(&self, progress: LoadProgress) {
            self.0.borrow_mut().push(progress);
        }
    }

    #[test]
    fn the_fraction_rises_and_stays_below_one() {
        // What is slow: the weights, or the kernels.
        for kernels_first in [true, false] {
            let heard = Heard(RefCell::default());
            let tally = Tally::new(&heard, 1000);
            tally.begin();
            let kernels = || (0..=7).for_each(|n| tally.set_kernels(n, 7));
            if kernels_first {
                kernels();
            }
            (0..100).for_each(|_| tally.add_weights(10, || Some(3)).unwrap());
            if !kernels_first {
                kernels();
            }
            let heard = heard.0.into_inner();
            assert!(heard.windows(2).all(|w| w[0].fraction <= w[1].fraction), "{heard:?}");
            let last = heard.last().unwrap();
            assert_eq!((last.phase, last.loaded, last.total), (LoadPhase::Compile, 7, 7));
            assert!((0.95..1.0).contains(&last.fraction), "{last:?}");
        }
    }
}
