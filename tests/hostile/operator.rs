//! An operator who has the server's own SQL, and writes to our table and
//! beside it.

use counterfoil::{
    Completeness, Cover, Error, EventStore, FindingKind, ReadOptions, Scope, Streams, Verdict,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::hostile::{Liar, event, stream, tx, verdict};

impl Liar {
    /// Runs statements as the operator, one by one.
    pub(crate) async fn operator(&self, statements: &[&str]) {
        let config = self.config().storage.immudb;
        let url = format!(
            "postgres://{}:{}@{}:{}/{}?sslmode=disable",
            config.username, config.password, config.host, config.port, self.database
        );
        let mut connection = PgConnection::connect(&url).await.unwrap();
        for sql in statements {
            let sql = AssertSqlSafe((*sql).to_owned());
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
    }

    /// The key of event `n`, as SQL.
    pub(crate) fn key(n: u64) -> String {
        let hex = |text: &str| text.bytes().map(|b| format!("{b:02x}")).collect::<String>();
        let stream = stream();
        let root = hex(std::str::from_utf8(stream.root.as_slice()).unwrap());
        format!(
            "domain = x'{}' AND edition = x'' AND root = x'{root}' AND event_number = {n}",
            hex(&stream.domain)
        )
    }
}

#[tokio::test]
async fn a_row_that_is_no_event_stops_its_stream_and_no_other() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    let key = "x'736869706d656e74',x'',x'535343432d3030313233343536',3";
    let ext = "ab".repeat(32);
    liar.operator(&[&format!(
        "INSERT INTO events (domain, edition, root, event_number, ext, seen_tx, body) \
         VALUES ({key},x'{ext}',0,x'01');"
    )])
    .await;
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..3).map(event)));
    let Some(Verdict::OutOfLine { sequence: 3, tx: at, entry: 0, .. }) = read.stopped else {
        panic!("{:?}", read.stopped)
    };
    assert_eq!(at, tx(5));
    assert!(read.completeness.is_complete(), "the row is known, and known to be none of ours");
    let findings = store.findings().await.unwrap();
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(
        (finding.tx, finding.entry, finding.kind),
        (tx(5), Some(0), FindingKind::NotCanonical)
    );
    for stopped in [
        store.add_event(&event(3)).await.map(drop),
        store.next_sequence(&stream()).await.map(drop),
        store.get_event_at_tx(&stream(), 3, tx(5)).await.map(drop),
    ] {
        let verdict = verdict(stopped);
        assert!(matches!(verdict, Verdict::OutOfLine { sequence: 3, .. }), "{verdict}");
    }
    let other = Cover::new("shipment", "another");
    let event = counterfoil::Event::new(&other, "Counted", "0");
    assert_eq!(store.add_event(&event).await.unwrap().sequence, 0);
}

#[tokio::test]
async fn other_tables_cost_completeness_and_nothing_else() {
    for scope in [Scope::Exclusive, Scope::Shared] {
        let liar = Liar::new();
        let store = liar.with_events(1).await;
        liar.operator(&[
            "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
            "INSERT INTO recipes (id) VALUES (1), (2), (3);",
        ])
        .await;
        assert_eq!(store.add_event(&event(1)).await.unwrap().id, tx(5));
        let status = store.status().await.unwrap();
        let gaps =
            Completeness::Incomplete { through: tx(5), gaps: 2, first: tx(3), acknowledged: 0 };
        assert_eq!(status.completeness, gaps);
        // Whatever claims that there is no more says that it may be wrong.
        assert_eq!(store.stream_status(&stream()).await.unwrap().completeness, gaps);
        assert_eq!(store.list_streams(&Streams::all()).await.unwrap().completeness, gaps);
        let none = store.read_by_correlation("none", &Streams::all(), None).await.unwrap();
        assert_eq!(none.completeness, gaps);
        let absent = store.get_event_at_tx(&stream(), 9, tx(2)).await.unwrap_err();
        let text = absent.to_string();
        let Error::NotFound { completeness, .. } = absent else { panic!("{absent}") };
        assert!(completeness == gaps && text.contains("as far as is known: 2"), "{text}");
        drop(store);
        let mut config = liar.config();
        config.storage.immudb.scope = scope;
        let store = EventStore::open(&config).await.unwrap();
        assert_eq!(store.add_event(&event(2)).await.unwrap().sequence, 2);
        untouched_by_others(&store).await;
    }
}

async fn untouched_by_others(store: &EventStore) {
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..3).map(event)));
    let kinds: Vec<_> = store.findings().await.unwrap().iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FindingKind::Unaccounted; 2]);
}

#[tokio::test]
async fn a_database_with_other_tables_gets_ours_beside_them() {
    let liar = Liar::new();
    create_database(&liar).await;
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "INSERT INTO recipes (id) VALUES (1);",
    ])
    .await;
    // It is there already: nobody vouches for it.
    let first = verdict(EventStore::open(&liar.config()).await);
    assert!(matches!(first, Verdict::FirstContact { state, .. } if state.tx == tx(2)), "{first}");
    let mut config = liar.config();
    config.trust.first_contact = counterfoil::FirstContact::Accept;
    let store = EventStore::open(&config).await.unwrap();
    let added = store.add_event(&event(0)).await.unwrap();
    assert_eq!((added.id, added.proof.table_id), (tx(4), 2));
    assert!(store.verify_event(&event(0), &added.proof).await.unwrap());
    let gaps = Completeness::Incomplete { through: tx(4), gaps: 2, first: tx(1), acknowledged: 0 };
    assert_eq!(store.status().await.unwrap().completeness, gaps);
    drop(store);
    assert_eq!(liar.open().await.add_event(&event(1)).await.unwrap().sequence, 1);
}

#[tokio::test]
async fn a_table_of_our_name_that_is_not_ours_is_refused() {
    for create in [
        "CREATE TABLE events (id INTEGER, PRIMARY KEY id);",
        // Ours, but for one NOT NULL.
        "CREATE TABLE events (domain BLOB[64] NOT NULL, edition BLOB[64] NOT NULL, \
         root BLOB[128] NOT NULL, event_number INTEGER NOT NULL, ext BLOB[32] NOT NULL, \
         seen_tx INTEGER NOT NULL, body BLOB, PRIMARY KEY (domain, edition, root, event_number));",
    ] {
        let liar = Liar::new();
        create_database(&liar).await;
        liar.operator(&[create]).await;
        let mut config = liar.config();
        config.trust.first_contact = counterfoil::FirstContact::Accept;
        for opened in [
            EventStore::open(&config).await,
            EventStore::open(&config).await,
            EventStore::open_read_only(&config).await,
        ] {
            let verdict = verdict(opened);
            assert!(matches!(verdict, Verdict::TableDiffers { .. }), "{verdict}");
        }
    }
}

#[tokio::test]
async fn a_table_that_is_taken_away_loses_no_proof_and_invents_nothing() {
    for away in
        ["DROP TABLE events;", "TRUNCATE TABLE events;", "ALTER TABLE events RENAME TO gone;"]
    {
        let liar = Liar::new();
        let store = liar.with_events(3).await;
        let proof = store.add_event(&event(1)).await.unwrap().proof;
        liar.operator(&[away]).await;
        let missing = verdict(store.get_event_at_tx(&stream(), 1, tx(3)).await);
        assert_eq!(missing, Verdict::RowMissing { tx: tx(3), entry: 0 }, "{away}");
        // What was proved stays proved.
        assert!(store.verify_event(&event(1), &proof).await.unwrap());
        assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
        let stopped = verdict(store.add_event(&event(3)).await);
        assert!(matches!(stopped, Verdict::SchemaChanged { .. }), "{away}: {stopped}");
        assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
        let findings = store.findings().await.unwrap();
        assert!(findings.iter().any(|f| f.kind == FindingKind::SchemaChanged), "{away}");
    }
}

/// Makes the database, without opening it as a store.
async fn create_database(liar: &Liar) {
    let create = format!("CREATE DATABASE {};", liar.database);
    let config = liar.config().storage.immudb;
    let url = format!(
        "postgres://{}:{}@{}:{}/defaultdb?sslmode=disable",
        config.username, config.password, config.host, config.port
    );
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
}
