//! The table itself is changed: what did it is derived from its entries, writes
//! stop, and what was proved stays proved.

use counterfoil::{
    Acknowledged, Audit, AuditVerdict, Completeness, Error, EventStore, FindingKind, ReadOptions,
    SchemaState, Tables, Verdict,
};
use counterfoil_test_support::{Action, Server};

use crate::hostile::{Liar, event, put, stream, text, tx, verdict};

/// Transaction `at` changed the table, which is all that there is to say
/// about the ledger; nothing is written, what was proved stays proved.
async fn changed(store: &EventStore, at: u64, expected: &str) {
    let status = store.status().await.unwrap();
    let what = expected.to_owned();
    assert_eq!(status.schema, SchemaState::Changed { tx: tx(at), what: what.clone() });
    assert!(status.completeness.is_complete(), "{expected}: {:?}", status.completeness);
    let findings = store.findings().await.unwrap();
    let [finding] = &findings[..] else { panic!("{expected}: {findings:?}") };
    assert_eq!(
        (finding.tx, finding.kind, &*finding.detail),
        (tx(at), FindingKind::SchemaChanged, expected)
    );
    let stopped = verdict(store.add_event(&event(3)).await);
    assert!(
        matches!(&stopped, Verdict::SchemaChanged { tx: found, what: said, .. } if *found == tx(at) && *said == what),
        "{stopped}"
    );
    assert_eq!(store.state().await.unwrap().tx, tx(at), "nothing was written");
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
}

/// The three events are still shown, by the server and by the store; what was
/// written before is given back.
async fn readable(store: &EventStore) {
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..3).map(event)));
    assert_eq!(store.add_event(&event(1)).await.unwrap().id, tx(3));
}

#[tokio::test]
async fn a_change_of_the_table_is_told_and_stops_writes() {
    for (alter, what, shown) in [
        ("ALTER TABLE events RENAME TO gone;", "renamed to \"gone\"", false),
        (
            "ALTER TABLE events RENAME COLUMN body TO hull;",
            "column \"body\" renamed to \"hull\"",
            false,
        ),
        ("CREATE INDEX ON events(event_number, seen_tx);", "index 3 created", true),
        ("TRUNCATE TABLE events;", "truncated: it is table 2 now, and empty", false),
        ("DROP TABLE events;", "dropped", false),
    ] {
        let liar = Liar::new();
        let store = liar.with_events(3).await;
        let proof = store.add_event(&event(1)).await.unwrap().proof;
        liar.operator(&[alter]).await;
        changed(&store, 5, what).await;
        assert!(store.verify_event(&event(1), &proof).await.unwrap());
        match shown {
            true => readable(&store).await,
            // What is not shown any more is not invented, and not absent.
            false => {
                let missing = verdict(store.get_event_at_tx(&stream(), 1, tx(3)).await);
                assert_eq!(missing, Verdict::RowMissing { tx: tx(3), entry: 0 }, "{alter}");
            }
        }
        drop(store);
        changed(&liar.open().await, 5, what).await;
    }
}

/// The same with what the PostgreSQL wire swallows and gRPC does not.
#[tokio::test]
async fn a_change_over_grpc_is_told_and_stops_writes() {
    let server = Server::start_private();
    for (alter, what, shown) in [
        ("sql ALTER TABLE events ADD COLUMN note VARCHAR[20]", "column \"note\" added", true),
        ("sql ALTER TABLE events DROP COLUMN body", "column \"body\" dropped", false),
        ("sql DROP INDEX ON events(ext)", "index 1 dropped", true),
    ] {
        let liar = Liar::before(server.server());
        let store = liar.with_events(3).await;
        server.operate(&liar.database, &[alter]);
        changed(&store, 5, what).await;
        if shown {
            readable(&store).await;
        }
    }
}

/// Who undoes the change and takes responsibility may go on writing; the
/// findings stay.
#[tokio::test]
async fn a_change_that_was_undone_can_be_acknowledged() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.operator(&["ALTER TABLE events RENAME TO gone;"]).await;
    changed(&store, 5, "renamed to \"gone\"").await;
    liar.operator(&["ALTER TABLE gone RENAME TO events;"]).await;
    readable(&store).await;
    let mut config = liar.config();
    let mut store = store;
    for at in [5, 6] {
        let stopped = verdict(store.add_event(&event(3)).await);
        let Verdict::SchemaChanged { tx: found, alh, .. } = stopped else { panic!("{stopped}") };
        assert_eq!(found, tx(at));
        let reason = "it was a mistake, and was undone".to_owned();
        let table_changed = true;
        config.trust.acknowledged.push(Acknowledged { tx: found, alh, reason, table_changed });
        drop(store);
        store = EventStore::open(&config).await.unwrap();
    }
    let added = store.add_event(&event(3)).await.unwrap();
    assert_eq!((added.id, added.sequence), (tx(7), 3));
    let status = store.status().await.unwrap();
    assert!(matches!(status.schema, SchemaState::Changed { tx: at, .. } if at == tx(5)));
    let kinds: Vec<_> = store.findings().await.unwrap().iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FindingKind::SchemaChanged; 2]);
    // A stranger comes to the same, but for a name that nobody shows any more;
    // an audit does not take that for harm.
    let report = Audit::of(&config).run().await.unwrap();
    assert_eq!((report.verdict, &report.inconsistencies[..]), (AuditVerdict::Incomplete, &[][..]));
    liar.honestly(async |store| {
        let findings = store.findings().await.unwrap();
        let found: Vec<_> = findings.iter().map(|f| (f.tx.get(), f.kind)).collect();
        assert_eq!(found, [(5, FindingKind::Unaccounted), (6, FindingKind::SchemaChanged)]);
    })
    .await;
}

/// A change that other entries hide cannot be derived: that the table is still
/// the same is presumed, and what the server says of it is not proof.
#[tokio::test]
async fn a_change_that_cannot_be_derived_is_presumed_not_to_be() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.operator(&[
        "BEGIN TRANSACTION;",
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "ALTER TABLE events RENAME TO gone;",
        "COMMIT;",
    ])
    .await;
    let status = store.status().await.unwrap();
    assert_eq!(status.schema, SchemaState::Presumed { since: tx(5) });
    let gap = Completeness::Incomplete { through: tx(5), gaps: 1, first: tx(5), acknowledged: 0 };
    assert_eq!(status.completeness, gap);
    let stopped = verdict(store.add_event(&event(3)).await);
    let Verdict::TableNotShown { since, what } = stopped else { panic!("{stopped}") };
    assert_eq!((since, &*what), (tx(5), "no table of that name"));
    // Renamed back by itself, which is proved.
    liar.operator(&["ALTER TABLE gone RENAME TO events;"]).await;
    readable(&store).await;
    let stopped = verdict(store.add_event(&event(3)).await);
    assert!(matches!(stopped, Verdict::SchemaChanged { tx: at, .. } if at == tx(6)), "{stopped}");
}

/// Another table takes the name, in a way that cannot be derived: the next
/// write goes there, and that is proved by its rows.
#[tokio::test]
async fn rows_that_went_into_another_table_are_found_there_and_not_acknowledged() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.operator(&[
        "BEGIN TRANSACTION;",
        "ALTER TABLE events RENAME TO gone;",
        "CREATE TABLE events (domain BLOB[64] NOT NULL, edition BLOB[64] NOT NULL, \
         root BLOB[128] NOT NULL, event_number INTEGER NOT NULL, ext BLOB[32] NOT NULL, \
         seen_tx INTEGER NOT NULL, body BLOB NOT NULL, \
         PRIMARY KEY (domain, edition, root, event_number));",
        "CREATE INDEX ON events(seen_tx);",
        "COMMIT;",
    ])
    .await;
    let status = store.status().await.unwrap();
    assert_eq!(status.schema, SchemaState::Presumed { since: tx(5) });
    for _ in 0..2 {
        let stopped = verdict(store.add_event(&event(3)).await);
        let Verdict::SchemaChanged { tx: at, what, .. } = stopped else { panic!("{stopped}") };
        assert_eq!((at, &*what), (tx(6), "its name stands for table 2 now"));
    }
    // Only once, and nothing of it counts.
    assert_eq!(store.state().await.unwrap().tx, tx(6));
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
    let findings = store.findings().await.unwrap();
    let found: Vec<_> = findings.iter().map(|f| (f.tx.get(), f.kind)).collect();
    assert_eq!(found, [(5, FindingKind::Unaccounted), (6, FindingKind::SchemaChanged)]);
}

/// A name that was withheld hides a change as a gap, until somebody looks again;
/// and what lies behind a gap may have been such a change.
#[tokio::test]
async fn a_change_is_found_when_its_name_is_shown_again() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.alters("TABLES()", |_, _| Action::Instead(vec![]));
    liar.operator(&["ALTER TABLE events RENAME TO gone;"]).await;
    let status = store.status().await.unwrap();
    assert_eq!(status.schema, SchemaState::Presumed { since: tx(5) });
    liar.repents();
    assert_eq!(store.reexamine(None).await.unwrap().closed, [tx(5)]);
    changed(&store, 5, "renamed to \"gone\"").await;

    let liar = Liar::new();
    let store = liar.with_events(2).await;
    liar.somebody_appends(2..3).await;
    liar.alters("FROM", |context, message| {
        match context.column("seen_tx").is_some() && text(message, context, "seen_tx") == "3" {
            true => Action::Instead(vec![]),
            false => Action::Forward,
        }
    });
    assert!(!store.status().await.unwrap().completeness.is_complete());
    for rename in ["ALTER TABLE events RENAME TO gone;", "ALTER TABLE gone RENAME TO events;"] {
        liar.operator(&[rename]).await;
        store.state().await.unwrap();
    }
    liar.repents();
    // The name in transaction 5 is shown no more, and is not needed again.
    assert_eq!(store.reexamine(None).await.unwrap().closed, [tx(4)]);
    assert!(store.status().await.unwrap().completeness.is_complete());
    readable(&store).await;
    let findings = store.findings().await.unwrap();
    let found: Vec<_> = findings.iter().map(|f| (f.tx.get(), f.kind)).collect();
    assert_eq!(found, [(5, FindingKind::SchemaChanged), (6, FindingKind::SchemaChanged)]);
}

/// Who acknowledged a gap has not seen what is found in it later.
#[tokio::test]
async fn a_change_that_was_acknowledged_as_a_gap_stops_writes_once_it_is_known() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.alters("TABLES()", |_, _| Action::Instead(vec![]));
    liar.operator(&["ALTER TABLE events RENAME TO gone;"]).await;
    let alh = store.state().await.unwrap().alh;
    let status = store.status().await.unwrap();
    assert_eq!(status.schema, SchemaState::Presumed { since: tx(5) });
    liar.operator(&["ALTER TABLE gone RENAME TO events;"]).await;
    let mut config = liar.config();
    let acknowledged = |tx, alh, table_changed| Acknowledged {
        tx,
        alh,
        reason: "whatever it is".into(),
        table_changed,
    };
    config.trust.acknowledged.push(acknowledged(tx(5), alh, false));
    let state = store.state().await.unwrap();
    config.trust.acknowledged.push(acknowledged(tx(6), state.alh, true));
    config.trust.strict = true;
    drop(store);
    let store = EventStore::open(&config).await.unwrap();
    assert_eq!(store.add_event(&event(3)).await.unwrap().id, tx(7));
    liar.alters("TABLES()", |context, message| {
        put(message, context, "name", "gone");
        Action::Forward
    });
    assert_eq!(store.reexamine(None).await.unwrap().closed, [tx(5)]);
    let stops = async |store: &EventStore| {
        let stopped = verdict(store.add_event(&event(4)).await);
        assert!(
            matches!(&stopped, Verdict::SchemaChanged { tx: at, .. } if *at == tx(5)),
            "{stopped}"
        );
    };
    stops(&store).await;
    drop(store);
    // The configuration still says no more than that there was a gap.
    let store = EventStore::open(&config).await.unwrap();
    stops(&store).await;
    drop(store);
    config.trust.acknowledged[0].table_changed = true;
    let store = EventStore::open(&config).await.unwrap();
    assert_eq!(store.add_event(&event(4)).await.unwrap().id, tx(8));
}

/// What changed our table may have filled another one: for whoever reads that
/// one such a transaction is a gap.
#[tokio::test]
async fn a_change_of_our_table_is_a_gap_for_readers_of_others() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "ALTER TABLE events RENAME TO gone;",
    ])
    .await;
    assert!(
        matches!(store.status().await.unwrap().schema, SchemaState::Changed { tx: at, .. } if at == tx(6))
    );
    drop(store);
    let tables = Tables::open(&liar.config()).await.unwrap();
    let gap = Completeness::Incomplete { through: tx(6), gaps: 1, first: tx(6), acknowledged: 0 };
    assert_eq!(tables.prove("recipes").await.unwrap().unchanged, gap);
}

/// Changes of other tables are gaps, and none of ours.
#[tokio::test]
async fn other_peoples_tables_come_and_go() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "ALTER TABLE recipes RENAME TO dishes;",
        "DROP TABLE dishes;",
    ])
    .await;
    let added = store.add_event(&event(1)).await.unwrap();
    assert_eq!((added.id, added.sequence), (tx(6), 1));
    let kinds: Vec<_> = store.findings().await.unwrap().iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FindingKind::Unaccounted; 3]);
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..2).map(event)));
    let absent = store.get_event_at_tx(&stream(), 9, tx(6)).await.unwrap_err();
    assert!(matches!(absent, Error::NotFound { .. }), "{absent}");
}
