//! A client that is killed while it decides anew.

use counterfoil::{Config, EventStore, ExpectedVersion, ReadOptions};

use crate::gaps::{as_if_never_deceived, hides, noted};
use crate::hostile::{Liar, event, stream};
use crate::readers;

/// Whenever it is killed, its log is as it was before, or as if it had never
/// been deceived; and the next one goes on from there.
#[test]
fn who_is_killed_while_deciding_anew_has_decided_everything_or_nothing() {
    const EVENTS: u64 = 1_500;
    let name = "killed::who_is_killed_while_deciding_anew_has_decided_everything_or_nothing";
    let reexamines = async |config: Config| {
        let store = EventStore::open(&config).await.unwrap();
        store.reexamine(None).await.unwrap();
        store.close().await.unwrap();
    };
    if readers::reads(reexamines) {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let liar = Liar::new();
    let immudb = liar.config().storage.immudb;
    let toml = format!(
        "[storage]\nbackend = 'immudb'\n[storage.immudb]\nhost = '{}'\nport = {}\nusername = '{}'\n\
         password = '{}'\ndatabase = '{}'\n[log]\npath = '{}'\n",
        immudb.host,
        immudb.port,
        immudb.username,
        immudb.password,
        liar.database,
        liar.config().log.path.unwrap().display()
    );
    let (ledger, gapped) = runtime.block_on(async {
        liar.with_events(2).await.close().await.unwrap();
        liar.somebody_appends(2..5).await;
        liar.honestly(async |somebody| {
            let events: Vec<_> = (5..EVENTS).map(|n| event(n).with_external_id("")).collect();
            for some in events.chunks(100) {
                somebody.append(&stream(), ExpectedVersion::Any, some).await.unwrap();
            }
        })
        .await;
        liar.tells(hides("3", false));
        let store = liar.open().await;
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        assert_eq!((read.events.len(), read.completeness.is_complete()), (3, false));
        let ledger = store.ledger_id().await.unwrap().to_string();
        store.close().await.unwrap();
        liar.repents();
        let gapped = noted(&liar.config(), &ledger).await;
        (ledger, gapped)
    });
    let look = || runtime.block_on(noted(&liar.config(), &ledger));
    let mut open = 0;
    let mut decided = None;
    let time = std::time::Duration::from_millis(1500);
    let killed = readers::killed(name, &toml, time, || {
        let now = look();
        match &decided {
            None if now == gapped => open += 1,
            None => decided = Some(now),
            Some(whole) => assert_eq!(now, *whole),
        }
    });
    assert!(killed > 1 && open > 1, "{killed} were killed, {open} before the end");
    assert!(decided.is_some());
    runtime.block_on(async {
        let store = liar.open().await;
        assert_eq!(store.findings().await.unwrap(), []);
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        assert_eq!(read.events.len() as u64, EVENTS);
        as_if_never_deceived(&liar, &store).await;
    });
}
