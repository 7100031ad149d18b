//! How far a long reading is, and how long it still takes.

use std::time::Duration;

use serde::Serialize;

/// How far an audit is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Pace {
    /// Transactions done in this run.
    pub done: u64,
    /// Transactions that this run has to do.
    pub total: u64,
    /// Transactions a second, since the run began.
    pub per_second: f64,
    /// What is left at that rate; `None` before anything is done.
    pub remaining: Option<Duration>,
}

impl Pace {
    pub(super) fn new(done: u64, total: u64, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        let per_second = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
        let left = total.saturating_sub(done) as f64;
        let remaining = match per_second > 0.0 {
            true => Duration::try_from_secs_f64(left / per_second).ok(),
            false => None,
        };
        Self { done, total, per_second, remaining }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_was_done() {
        let pace = Pace::new(250, 1_000, Duration::from_secs(5));
        assert_eq!((pace.per_second, pace.remaining), (50.0, Some(Duration::from_secs(15))));
        assert_eq!(Pace::new(0, 1_000, Duration::from_secs(5)).remaining, None);
        assert_eq!(Pace::new(9, 9, Duration::ZERO).remaining, None);
    }
}
