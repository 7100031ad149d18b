//! Signers that die, and disks that fail: whatever was given out, the memory knows of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, io, thread};

use counterfoil::SigningKeyFile;
use counterfoil::checkpoint::LogSigner;
use counterfoil_test_support::temp_dir;

use crate::checkpoint::{Log, ORIGIN, ledger};
use crate::size;

/// Set for a signer in a process of its own: the folder of its log.
const SIGNER: &str = "COUNTERFOIL_TEST_SIGNER";

/// A signer goes from size to size as fast as it can, and prints each once it has it; it is killed, and
/// the next one goes on. None printed is ahead of what is written down, and the next goes on from that.
#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_is_killed_has_written_down_what_it_gave_out() {
    let name = "crash::a_signer_that_is_killed_has_written_down_what_it_gave_out";
    if let Some(folder) = env::var_os(SIGNER) {
        return sign_for_ever(folder.into()).await;
    }
    let folder = temp_dir("signer");
    SigningKeyFile::generate(&folder.join("key"), ORIGIN).unwrap();
    LogSigner::begin(&folder.join("last"), ORIGIN).unwrap();
    let (mut lives, mut printed) = (0, 0);
    // On a busy machine a life is short: as many of them as it takes.
    while lives < 20 || printed <= 20 {
        assert!(lives < 200, "the signers did not get to sign: {printed}");
        let mut child = Command::new(env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(SIGNER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // It has begun.
        let ready = lines.by_ref().any(|line| line.unwrap() == "ready");
        assert!(ready, "the signer did not begin");
        thread::sleep(Duration::from_millis(lives % 20 * 7));
        lives += 1;
        child.kill().unwrap();
        child.wait().unwrap();
        // What it was printing when it died may be cut.
        let whole = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("size ")?.strip_suffix('.')?.parse::<u64>().ok());
        printed = whole.fold(printed, u64::max);
        let text = std::fs::read_to_string(folder.join("last")).unwrap();
        let known: u64 = text.lines().nth(1).unwrap().parse().unwrap();
        assert!(known >= printed, "{printed} was given out, {known} is known");
    }
}

async fn sign_for_ever(folder: std::path::PathBuf) {
    let config = {
        let mut config = counterfoil::Config::embedded(folder.join("ledger"));
        config.trust.file = Some(folder.join("trust"));
        config
    };
    let store = counterfoil::EventStore::open(&config).await.unwrap();
    let key = Arc::new(SigningKeyFile::load(&folder.join("key")).unwrap());
    let signer = LogSigner::new(ORIGIN, key, folder.join("last")).unwrap();
    io::stdout().write_all(b"\nready\n").unwrap();
    loop {
        let at = store.state().await.unwrap().tx.get();
        crate::checkpoint::grow(&store, at + 1).await;
        let signed = store.sign_checkpoint(&signer, None).await.unwrap();
        let size = signed.checkpoint().size();
        io::stdout().write_all(format!("size {size}.\n").as_bytes()).unwrap();
    }
}

/// A full disk, and one that may not be written to: no signature, and the old memory.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fails_signs_nothing() {
    let name = "crash::a_disk_that_fails_signs_nothing";
    crate::disk::on_a_small_disk(name, async |disk| {
        let store = ledger(9).await;
        let log = Log::new();
        let last = disk.folder().join("last");
        LogSigner::begin(&last, ORIGIN).unwrap();
        let signer = LogSigner::new(ORIGIN, log.key.clone(), &last).unwrap();
        store.sign_checkpoint(&signer, size(3)).await.unwrap();
        let before = std::fs::read(&last).unwrap();

        let ballast = (disk.ballast(), disk.ballast(), disk.ballast());
        let full = store.sign_checkpoint(&signer, size(5)).await.unwrap_err();
        assert!(full.to_string().contains("No space left"), "{full}");
        assert_eq!(std::fs::read(&last).unwrap(), before);
        drop(ballast);

        disk.read_only(true);
        let refused = store.sign_checkpoint(&signer, size(5)).await.unwrap_err();
        assert!(refused.to_string().contains("Read-only"), "{refused}");
        assert_eq!(std::fs::read(&last).unwrap(), before);
        disk.read_only(false);

        store.sign_checkpoint(&signer, size(5)).await.unwrap();
    });
}
