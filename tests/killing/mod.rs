//! Writers in processes of their own, killed while they write.

pub(crate) mod readers;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use std::{env, io, thread};

use counterfoil::{Anchor, Config, Event, EventProof, EventStore, ExpectedVersion, ReadOptions};
use counterfoil_test_support::temp_dir;
use serde::{Deserialize, Serialize};

use crate::files::{event, stream};

/// Set for a writer: the TOML of the ledger to write to.
const WRITER: &str = "COUNTERFOIL_TEST_WRITER";

/// What a writer says of each event once the store has acknowledged it.
#[derive(Serialize, Deserialize)]
struct Acknowledged {
    event: Event,
    proof: EventProof,
}

/// Runs the test `name`, which does nothing but call this, in processes of
/// their own: each writes to the ledger that `toml` configures until it is
/// killed, and then everything is looked at.
///
/// A process for each of `lives` writes for so many milliseconds after its
/// first acknowledgement, on one ledger. One for each of `births` is killed
/// so many milliseconds after it was started, each with a ledger of its own.
pub(crate) fn writers(
    name: &str,
    lives: impl Iterator<Item = u64>,
    births: impl Iterator<Item = u64>,
    toml: impl Fn(&Path) -> String,
) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(toml) = env::var(WRITER) {
        return runtime.block_on(write(&Config::from_toml(&toml).unwrap()));
    }
    let folder = temp_dir("killed");
    let toml_of_all = toml(folder.path());
    let (mut events, mut rounds) = (0, 0);
    for millis in lives {
        let acknowledged = Writer::start(name, &toml_of_all).acknowledges().killed_after(millis);
        assert!(!acknowledged.is_empty(), "the writer did not get to write");
        events = runtime.block_on(inspect(&toml_of_all, events, &acknowledged));
        rounds += 1;
    }
    assert!(events >= 3 * rounds, "{events} events in {rounds} rounds");
    for millis in births {
        let folder = temp_dir("born");
        let toml = toml(folder.path());
        let acknowledged = Writer::start(name, &toml).killed_after(millis);
        runtime.block_on(inspect(&toml, 0, &acknowledged));
    }
}

/// The events of the append that begins at sequence `n`.
fn append_at(n: u64) -> Vec<Event> {
    let id = format!("append at {n}");
    (n..=n + n % 3).map(|n| event(n).with_external_id(&id)).collect()
}

/// Writes for ever.
async fn write(config: &Config) {
    let store = EventStore::open(config).await.unwrap();
    let mut next = store.next_sequence(&stream()).await.unwrap();
    // Not to be taken for a part of the line that the test harness began.
    io::stdout().write_all(b"\n").unwrap();
    loop {
        let events = append_at(next);
        let appended = store.append(&stream(), ExpectedVersion::Any, &events).await.unwrap();
        let mut lines = Vec::new();
        next += events.len() as u64;
        for (event, added) in events.into_iter().zip(appended.events) {
            serde_json::to_writer(&mut lines, &Acknowledged { event, proof: added.proof }).unwrap();
            lines.push(b'\n');
        }
        // Fails when nobody listens any more: the parent is gone.
        io::stdout().write_all(&lines).and_then(|()| io::stdout().flush()).unwrap();
    }
}

/// A process that writes.
struct Writer {
    child: Child,
    lines: Receiver<String>,
    first: Option<String>,
}

impl Writer {
    fn start(name: &str, toml: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(WRITER, toml)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // Only whole lines: one that was cut off acknowledges nothing.
            while out.read_line(&mut line).is_ok() && line.ends_with('\n') {
                let whole = std::mem::take(&mut line);
                if whole.starts_with('{') && sender.send(whole).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, first: None }
    }

    /// Waits for the first acknowledgement.
    fn acknowledges(mut self) -> Self {
        let first = self.lines.recv_timeout(Duration::from_secs(60));
        self.first = Some(first.expect("the writer acknowledges something"));
        self
    }

    /// Kills it as nothing can be prepared for, and tells what it had
    /// acknowledged.
    fn killed_after(mut self, millis: u64) -> Vec<Acknowledged> {
        thread::sleep(Duration::from_millis(millis));
        let running = self.child.try_wait().unwrap();
        assert_eq!(running, None, "the writer ended by itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let lines = self.first.take().into_iter().chain(self.lines.iter());
        lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens the ledger after its writer was killed: `events` were there before
/// and these have been acknowledged since. Returns how many are there now.
async fn inspect(toml: &str, events: u64, acknowledged: &[Acknowledged]) -> u64 {
    let store = EventStore::open(&Config::from_toml(toml).unwrap()).await.unwrap();
    let status = store.status().await.unwrap();
    assert_eq!(status.pin.anchor, Anchor::Created);
    assert!(status.completeness.is_complete());
    assert_eq!(store.findings().await.unwrap(), []);

    let all = store.read(&stream(), ReadOptions::forward()).await.unwrap().events;
    assert!(all.iter().map(|recorded| recorded.sequence).eq(0..all.len() as u64));
    let mut next = events;
    for Acknowledged { event, proof } in acknowledged {
        assert!(proof.tx() <= status.pin.state.tx, "the pin is behind what was acknowledged");
        assert!(store.verify_event(event, proof).await.unwrap());
        assert_eq!(proof.sequence(), Ok(next));
        let found = &all[next as usize];
        assert_eq!((&found.event, found.tx), (event, proof.tx()));
        next += 1;
    }
    // What was acknowledged in part was written as a whole.
    if let Some(Acknowledged { proof, .. }) = acknowledged.last() {
        next += all[next as usize..].iter().filter(|more| more.tx == proof.tx()).count() as u64;
    }
    // At most one append was on its way. Whether it came through or not,
    // repeating it settles that.
    let last = append_at(next);
    let there = all.len() as u64 - next;
    assert!(there == 0 || there == last.len() as u64, "{there} events came through");
    let appended = store.append(&stream(), ExpectedVersion::Any, &last).await.unwrap();
    assert_eq!((appended.repeated, appended.events[0].sequence), (there > 0, next));
    let now = next + last.len() as u64;
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), now);
    now
}
