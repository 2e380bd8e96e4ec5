//! The one clock: milliseconds between two moments, natively and in a browser.

use web_time::Instant;

/// A moment that time is measured from.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

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
