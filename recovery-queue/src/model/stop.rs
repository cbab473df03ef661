//! The flag that asks a run to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How often a wait looks at the flag.
const LOOK: Duration = Duration::from_millis(100);

/// A flag that asks a seed or a run to stop; all its clones are the same flag.
///
/// A run sees it between two batches and ends as [`Stopped::Asked`](crate::Stopped::Asked); a wait for a database that is
/// away, or for a remote resolver, sees it within 0.1 s. Once asked, it stays asked.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use recovery_queue::{RecoverOptions, Stop};
///
/// let stop = Stop::new();
/// let options = RecoverOptions::default().with_stop(stop.clone());
/// stop.ask(); // from a signal's handler, another thread, a graceful shutdown
/// assert!(options.stop.is_asked());
///
/// // A flag that somebody else owns, such as one that `signal_hook::flag::register` sets, is one too.
/// let flag = Arc::new(AtomicBool::new(false));
/// let stop = Stop::from(Arc::clone(&flag));
/// flag.store(true, Ordering::Relaxed);
/// assert!(stop.is_asked());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    /// A flag that counts as asked here, too.
    above: Option<Arc<Stop>>,
}

impl Stop {
    /// Makes a flag that nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop.
    pub fn ask(&self) {
        self.asked.store(true, Relaxed);
    }

    /// Says whether somebody asked to stop.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Relaxed) || self.above.as_ref().is_some_and(|above| above.is_asked())
    }

    /// Makes a flag that is asked by itself or with this one.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { asked: Arc::default(), above: Some(Arc::new(self.clone())) }
    }

    /// Sleeps for a time, or until somebody asks to stop; says whether somebody did.
    #[must_use]
    pub fn sleep(&self, time: Duration) -> bool {
        let begun = Instant::now();
        while !self.is_asked() {
            let left = time.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(LOOK));
        }
        true
    }
}

impl From<Arc<AtomicBool>> for Stop {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self { asked: flag, above: None }
    }
}

/// Equal are the clones of one flag.
impl PartialEq for Stop {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.asked, &other.asked)
    }
}

impl Eq for Stop {}
