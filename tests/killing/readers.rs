//! Processes that read a ledger, killed while they do, one after the other,
//! until one comes to its end.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use counterfoil::Config;

/// Set for a reader: the TOML of the ledger to read.
const READER: &str = "COUNTERFOIL_TEST_READER";

/// In a reader's process does its work; `false` in any other.
pub(crate) fn reads(work: impl AsyncFn(Config)) -> bool {
    let Ok(toml) = env::var(READER) else { return false };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(work(Config::from_toml(&toml).unwrap()));
    true
}

/// Runs the test `name` as a reader to its end. Returns how long that took.
pub(crate) fn to_the_end(name: &str, toml: &str) -> Duration {
    let start = Instant::now();
    let status = Reader::start(name, toml).0.wait().unwrap();
    assert!(status.success(), "the reader failed: {status}");
    start.elapsed()
}

/// Runs it again and again, each time killed at another moment of the `time`
/// that it takes, with a look at what it left; the last time to its end.
/// Returns how many were killed.
pub(crate) fn killed(name: &str, toml: &str, time: Duration, mut look: impl FnMut()) -> u32 {
    const MOST: u32 = 24;
    for n in 0..MOST {
        // Each goes on where the one before was killed, so the first die early:
        // else a second could be at the end already.
        let moment = time * (4 + 6 * n) / 100;
        let mut reader = Reader::start(name, toml);
        thread::sleep(moment);
        if let Some(status) = reader.0.try_wait().unwrap() {
            assert!(status.success(), "the reader failed: {status}");
            look();
            return n;
        }
        drop(reader);
        look();
    }
    to_the_end(name, toml);
    look();
    MOST
}

struct Reader(Child);

impl Reader {
    fn start(name: &str, toml: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([name, "--exact", "--nocapture"]).env(READER, toml);
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Reader {
    /// As nothing can be prepared for.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
