//! The one clock: milliseconds between two moments, natively and in a browser.

#[cfg(not(target_arch = "wasm32"))]
use std::time::Instant;

/// A moment that time is measured from.
#[derive(Debug, Clone, Copy)]
#[cfg(not(target_arch = "wasm32"))]
pub struct Clock(Instant);

#[cfg(not(target_arch = "wasm32"))]
impl Clock {
    /// This moment.
    #[must_use]
    pub fn start() -> Self {
        Clock(Instant::now())
    }

    /// Milliseconds since then.
    #[must_use]
    pub fn ms(self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e3
    }
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    /// Milliseconds since the page or the worker began.
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
}

/// A moment that time is measured from, in milliseconds.
#[derive(Debug, Clone, Copy)]
#[cfg(target_arch = "wasm32")]
pub struct Clock(f64);

#[cfg(target_arch = "wasm32")]
impl Clock {
    #[must_use]
    pub fn start() -> Self {
        Clock(now())
    }

    #[must_use]
    pub fn ms(self) -> f64 {
        now() - self.0
    }
}
