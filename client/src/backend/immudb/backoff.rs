//! Waiting before something that the server refused is sent again.

use std::time::{Duration, Instant};

/// Doubling pauses up to a limit, each shortened by chance so that clients
/// that were refused together do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    until: Instant,
    attempt: u32,
}

const FIRST: Duration = Duration::from_millis(4);
const LONGEST: Duration = Duration::from_millis(500);

impl Backoff {
    /// Gives up when `time` has passed.
    pub(super) fn new(time: Duration) -> Self {
        Self { until: Instant::now() + time, attempt: 0 }
    }

    /// Pauses; `false` if the time is up.
    pub(super) async fn pause(&mut self) -> bool {
        // Without randomness the pauses are merely less well spread.
        let chance = getrandom::u32().unwrap_or(u32::MAX / 2);
        let pause = pause(self.attempt, chance);
        if Instant::now() + pause >= self.until {
            return false;
        }
        self.attempt += 1;
        tokio::time::sleep(pause).await;
        true
    }
}

/// Between half and the whole of the doubled pause.
fn pause(attempt: u32, chance: u32) -> Duration {
    let whole = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    whole / 2 + (whole / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        assert_eq!(pause(0, 0), FIRST / 2);
        assert_eq!(pause(0, u32::MAX), FIRST);
        assert_eq!(pause(3, u32::MAX), FIRST * 8);
        assert_eq!(pause(u32::MAX, u32::MAX), LONGEST);
    }
}
