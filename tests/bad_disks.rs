//! Disks that are full, cannot be written to, or gave back other bytes than
//! they were given: nothing acknowledged is lost, and nothing else is believed.

mod disk;
mod files;
#[cfg(feature = "immudb")]
mod on_server;

use counterfoil::{Error, EventStore, ExpectedVersion, ReadOptions, Unavailable};
use disk::Disk;
use files::{Files, event, stream};

/// Appends until the disk has no room left. Returns how many events there are
/// that the store acknowledged.
async fn fill(store: &EventStore, from: u64) -> u64 {
    for n in from..100_000 {
        if let Err(error) = store.add_event(&event(n)).await {
            // It could not be done, and nobody is accused of anything.
            assert!(!matches!(error, Error::Ledger(_)), "{error}");
            return n;
        }
    }
    panic!("the disk is never full");
}

/// Everything acknowledged is there, at most one event more, and the last one
/// repeated is not written twice. Returns how many there are.
async fn whole(store: &EventStore, acknowledged: u64) -> u64 {
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.completeness.is_complete());
    let there = read.events.len() as u64;
    assert!(there == acknowledged || there == acknowledged + 1, "{there} of {acknowledged}");
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..there).map(event)));
    let again =
        store.append(&stream(), ExpectedVersion::Any, &[event(acknowledged)]).await.unwrap();
    assert_eq!((again.repeated, again.events[0].sequence), (there > acknowledged, acknowledged));
    acknowledged + 1
}

/// Fills the disk, makes room, and looks: with the store that met the full
/// disk, and with a new one.
async fn survives(disk: &Disk, open: impl AsyncFn() -> EventStore) {
    let mut ballast = disk.ballast();
    let mut store = open().await;
    let mut acknowledged = fill(&store, 0).await;
    assert!(acknowledged > 10, "there was no room for {acknowledged} events");
    for _ in 0..3 {
        store.add_event(&event(acknowledged)).await.unwrap_err();
    }
    // What is there can be read without room.
    drop(ballast);
    acknowledged = whole(&store, acknowledged).await;
    ballast = disk.ballast();
    acknowledged = fill(&store, acknowledged).await;
    drop(store);
    drop(ballast);
    store = open().await;
    whole(&store, acknowledged).await;
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    disk::on_a_small_disk("a_full_disk_loses_nothing_that_was_acknowledged", async |disk| {
        for (ledger_is_there, trust_is_there) in [(true, true), (true, false), (false, true)] {
            let folder = disk.folder();
            let mut files = Files::new();
            if ledger_is_there {
                files.ledger = folder.join("a.ledger");
            }
            if trust_is_there {
                files.trust = folder.join("b.trust");
            }
            survives(&disk, async || files.open().await.unwrap()).await;
            std::fs::remove_dir_all(folder).unwrap();
        }
    });
}

#[test]
fn a_disk_that_became_read_only_is_named_and_loses_nothing() {
    let name = "a_disk_that_became_read_only_is_named_and_loses_nothing";
    disk::on_a_small_disk(name, async |disk| {
        let mut files = Files::new();
        let folder = disk.folder();
        (files.ledger, files.trust) = (folder.join("a.ledger"), folder.join("b.trust"));
        files.append(0..5).await;
        let state = files.state().await;

        disk.read_only(true);
        let Err(Error::Unavailable(error)) = files.open().await else { panic!("it opened") };
        assert!(matches!(error, Unavailable::File { .. }), "{error}");
        assert!(error.to_string().contains(&folder.display().to_string()), "{error}");

        disk.read_only(false);
        let store = files.open().await.unwrap();
        assert_eq!(store.state().await.unwrap(), state);
        assert_eq!(whole(&store, 5).await, 6);
    });
}

#[cfg(feature = "immudb")]
#[test]
fn a_full_disk_under_the_log_of_an_immudb_loses_nothing_that_was_acknowledged() {
    use counterfoil_test_support::server;

    let name = "a_full_disk_under_the_log_of_an_immudb_loses_nothing_that_was_acknowledged";
    disk::on_a_small_disk(name, async |disk| {
        let server = server();
        let config = on_server::config(server, server.fresh_database_name(), disk.folder());
        survives(&disk, async || EventStore::open(&config).await.unwrap()).await;
    });
}

/// Whatever bytes of either file are changed: it is refused, or what it gives
/// is what was written. Which of the two the bytes decide; that nothing else
/// is given, the digests.
#[tokio::test]
async fn a_damaged_file_gives_an_error_or_the_truth() {
    let files = Files::with_events(40).await;
    let honest = files.copy().await;
    let (mut refused, mut unharmed) = (0, 0);
    for (at, byte) in disk::places(240) {
        let damaged = honest.copy().await;
        let path = if at % 2 == 0 { &damaged.ledger } else { &damaged.trust };
        disk::damage(path, at, byte);
        let Ok(store) = damaged.open().await else {
            refused += 1;
            continue;
        };
        match store.read(&stream(), ReadOptions::forward()).await {
            Err(_) => refused += 1,
            Ok(read) => {
                for recorded in &read.events {
                    assert_eq!(recorded.event, event(recorded.sequence), "byte {at}");
                }
                unharmed += 1;
            }
        }
    }
    assert!(refused > 20 && unharmed > 20, "{refused} refused, {unharmed} unharmed");
}
