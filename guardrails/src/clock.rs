//! How long checks take, by a clock that comes in from outside.

use std::time::{Duration, Instant};

/// A clock: the time that has passed since some fixed moment.
///
/// Only differences are used, for the durations of a report. Every `Fn() -> Duration` is one.
pub trait Clock {
    /// Returns the time since the clock's own beginning; it never goes back.
    fn elapsed(&self) -> Duration;
}

impl<F: Fn() -> Duration> Clock for F {
    fn elapsed(&self) -> Duration {
        self()
    }
}

/// A clock that stands still: every duration is zero, so that reports of equal facts are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoppedClock;

impl Clock for StoppedClock {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// The monotonic clock of the machine. It is the one place of this crate that reads a clock.
#[derive(Debug, Clone, Copy)]
pub struct Monotonic(Instant);

impl Monotonic {
    /// Starts the clock.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Monotonic {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
