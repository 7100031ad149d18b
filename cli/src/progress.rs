//! Progress on a terminal, and nowhere else.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr that appears once it is told something, and is gone at the
/// end.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of something that is counted in `unit`.
    pub(crate) fn new(quiet: bool, unit: &str) -> Self {
        let target = match quiet {
            true => ProgressDrawTarget::hidden(),
            // Hidden too where stderr is no terminal.
            false => ProgressDrawTarget::stderr_with_hz(10),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let known =
            format!("{{bar:32}} {{human_pos}} of {{human_len}} {unit}, {{per_sec}}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&known) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Of something whose end is not known.
    pub(crate) fn endless(quiet: bool, unit: &str) -> Self {
        let progress = Self::new(quiet, unit);
        let counted = format!("{{spinner}} {{human_pos}} {unit}, {{per_sec}}");
        if let Ok(style) = ProgressStyle::with_template(&counted) {
            progress.bar.set_style(style);
        }
        progress.bar.enable_steady_tick(Duration::from_millis(200));
        progress
    }

    pub(crate) fn show(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        if done >= total {
            self.bar.finish_and_clear();
        }
    }

    /// Whether anybody sees it.
    pub(crate) fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Says something without breaking the bar.
    pub(crate) fn suspend<T>(&self, say: impl FnOnce() -> T) -> T {
        self.bar.suspend(say)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
