//! A ledger file that loses its name while a store has it open: nothing is
//! acknowledged that only a file without a name holds.

use std::path::{Path, PathBuf};

use counterfoil::{Error, EventStore, Unavailable, Verdict};

use super::files::{Files, event, stream};
use super::{opened, verdict};

fn part(files: &Files, suffix: &str) -> PathBuf {
    let mut name = files.ledger.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn is_refused(store: &EventStore, n: u64) {
    let error = store.add_event(&event(n)).await.unwrap_err();
    let moved = matches!(error, Error::Unavailable(Unavailable::LedgerMoved { .. }));
    assert!(moved, "{error}");
}

#[tokio::test]
async fn nothing_is_written_to_a_file_that_was_moved_or_replaced() {
    type Then = fn(&Path, &Path);
    let then: [(&str, Then); 3] = [
        ("moved", |_, _| ()),
        ("replaced", |away, name| assert!(std::fs::copy(away, name).is_ok())),
        ("a link", |away, name| {
            std::os::unix::fs::symlink(away.with_extension("no"), name).unwrap()
        }),
    ];
    for suffix in ["", "-wal"] {
        for (what, then) in then {
            let files = Files::with_events(2).await;
            let store = opened(&files.config()).await;
            store.add_event(&event(2)).await.unwrap();
            let (name, away) = (part(&files, suffix), files.free("away"));
            std::fs::rename(&name, &away).unwrap();
            then(&away, &name);
            is_refused(&store, 3).await;
            is_refused(&store, 3).await;
            // What was verified before still is.
            assert_eq!(store.state().await.unwrap().tx, super::tx(4), "{what}");
            std::fs::rename(&away, &name).unwrap();
            store.add_event(&event(3)).await.unwrap();
            store.close().await.unwrap();
            assert_eq!(files.state().await.tx, super::tx(5), "{what}");
        }
    }
}

/// It is there under another name, and whoever reads it there is not told of
/// what the ledger has.
#[tokio::test]
async fn a_reader_goes_over_to_the_file_that_has_the_name() {
    let files = Files::with_events(2).await;
    let reader = EventStore::open_read_only(&files.config()).await.unwrap();
    let older = files.copy().await.ledger;
    files.append([2]).await;
    assert_eq!(reader.state().await.unwrap().tx, super::tx(4));
    let newer = files.copy().await.ledger;
    let replace = |by: &Path| {
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(part(&files, suffix));
        }
        std::fs::rename(by, &files.ledger).unwrap();
    };
    replace(&newer);
    assert_eq!(reader.read(&stream(), Default::default()).await.unwrap().events.len(), 3);
    replace(&older);
    let rolled_back = verdict(reader.read(&stream(), Default::default()).await);
    assert!(matches!(rolled_back, Verdict::Rollback { .. }), "{rolled_back}");
    std::fs::remove_file(&files.ledger).unwrap();
    assert!(reader.read(&stream(), Default::default()).await.is_err());
}
