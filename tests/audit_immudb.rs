//! Audits of a real immudb: what others did to it is told with its place, and
//! the rest stays accounted for.

mod on_server;

use counterfoil::InconsistencyKind::{Missing, OwnLog};
use counterfoil::{
    Audit, AuditVerdict, Cover, Event, EventStore, ExpectedVersion, FindingKind, TxId,
};
use counterfoil_test_support::{server, temp_dir};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

fn stream() -> Cover {
    Cover::new("shipment", "SSCC-00123456")
}

fn events(numbers: std::ops::Range<u64>) -> Vec<Event> {
    numbers.map(|n| Event::new(&stream(), "Counted", format!("number {n}"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_did_is_told_and_the_rest_is_accounted_for() {
    let log = temp_dir("audited");
    let config = on_server::config(server(), server().fresh_database_name(), &log);
    let store = EventStore::open(&config).await.unwrap();
    for from in 0..3 {
        let many = events(from * 1000..(from + 1) * 1000);
        store.append(&stream(), ExpectedVersion::Any, &many).await.unwrap();
    }
    for n in 3000..3020 {
        store.add_event(&events(n..n + 1)[0]).await.unwrap();
    }
    let file = log.path().join("audit");
    let report = Audit::of(&config).resume(&file).run().await.unwrap();
    assert_eq!((report.verdict, &report.inconsistencies[..]), (AuditVerdict::Intact, &[][..]));
    assert_eq!(report.findings, []);
    assert_eq!((report.counts.transactions, report.counts.accounted), (24, 24));
    assert_eq!((report.counts.events, report.counts.entries_accounted), (3020, 3020 + 12));
    assert_eq!((report.counts.ours, report.counts.catalog), (23, 1));
    assert_eq!(report.through, Some(store.state().await.unwrap()));

    // Transactions 25 to 28, by an operator.
    let immudb = &config.storage.immudb;
    let url = format!(
        "postgres://{}:{}@{}:{}/{}?sslmode=disable",
        immudb.username, immudb.password, immudb.host, immudb.port, immudb.database
    );
    let mut operator = PgConnection::connect(&url).await.unwrap();
    let key = "domain = x'736869706d656e74' AND edition = x'' AND \
               root = x'535343432d3030313233343536' AND event_number";
    for sql in [
        format!("UPDATE events SET body = x'00' WHERE {key} = 7;"),
        format!("DELETE FROM events WHERE {key} = 1500;"),
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);".to_owned(),
        "INSERT INTO recipes (id) VALUES (1), (2), (3);".to_owned(),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut operator).await.unwrap();
    }
    store.add_event(&events(3020..3021)[0]).await.unwrap();
    let whole = Audit::of(&config).run().await.unwrap();
    assert_eq!((whole.verdict, &whole.inconsistencies[..]), (AuditVerdict::Incomplete, &[][..]));
    assert_eq!((whole.counts.transactions, whole.counts.events), (29, 3021));
    let told: Vec<u64> = whole.findings.iter().map(|finding| finding.tx.get()).collect();
    assert!(told.iter().all(|tx| (25..29).contains(tx)), "{:?}", whole.findings);
    // What was overwritten and deleted is accounted for; the other table is not.
    for (tx, kind) in [
        (25, FindingKind::Overwritten),
        (26, FindingKind::Deleted),
        (27, FindingKind::Unaccounted),
        (28, FindingKind::Unaccounted),
    ] {
        let told = whole.findings.iter().any(|f| f.tx == TxId::new(tx) && f.kind == kind);
        assert!(told, "{tx} {kind:?}: {:?}", whole.findings);
    }
    // What goes on from the first audit comes to the same.
    let resumed = Audit::of(&config).resume(&file).run().await.unwrap();
    assert_eq!(resumed, whole);
    // So does what goes on from a state, before the harm or behind it.
    for state in [report.through, whole.through] {
        let mut from = Audit::of(&config).from(state.unwrap()).run().await.unwrap();
        assert_eq!(from.from.take(), state);
        assert_eq!(from, whole);
    }
    // A stranger finds the same, and nothing vouches for it.
    let other = temp_dir("stranger");
    let mut stranger = config.clone();
    stranger.log.path = Some(other.path().to_path_buf());
    let report = Audit::of(&stranger).run().await.unwrap();
    assert_eq!((report.verdict, report.counts), (AuditVerdict::Unconfirmed, whole.counts));
    // The file of one ledger does not fit another.
    drop(store);
    let log = temp_dir("another");
    let another = on_server::config(server(), server().fresh_database_name(), &log);
    assert!(Audit::of(&another).run().await.is_err(), "there is none, and none was known");
    EventStore::open(&another).await.unwrap();
    let report = Audit::of(&another).resume(&file).run().await.unwrap();
    assert_eq!(report.verdict, AuditVerdict::Broken);
    let mut gone = another.clone();
    gone.storage.immudb.database = server().fresh_database_name();
    gone.trust.pin = whole.through;
    let report = Audit::of(&gone).run().await.unwrap();
    assert_eq!(report.inconsistencies[0].kind, Missing);
}

/// A header is known whether or not its entries are.
#[tokio::test]
async fn what_the_own_log_says_otherwise_of_a_gap_is_told() {
    let log = temp_dir("gap");
    let config = on_server::config(server(), server().fresh_database_name(), &log);
    let store = EventStore::open(&config).await.unwrap();
    store.add_event(&events(0..1)[0]).await.unwrap();
    operate(&config, "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);").await;
    store.add_event(&events(1..2)[0]).await.unwrap();
    let ledger = store.ledger_id().await.unwrap();
    store.close().await.unwrap();
    let report = Audit::of(&config).run().await.unwrap();
    assert_eq!((report.verdict, report.counts.unaccounted), (AuditVerdict::Incomplete, 1));
    let path = log.path().join(format!("{ledger}.log"));
    let url = format!("sqlite://{}", path.display());
    let mut hands = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let whole = "CREATE TABLE kept AS SELECT * FROM tx WHERE id = 3";
    sqlx::raw_sql(whole).execute(&mut hands).await.unwrap();
    for set in [
        "ts = ts + 1",
        "nentries = nentries + 1",
        "eh = zeroblob(32)",
        "odd = x'00000000000000000002'",
        "odd = x'000100000000000000020000000000000001'",
        "odd = x'00010000000000000001'",
    ] {
        let sql = AssertSqlSafe(format!("UPDATE tx SET {set} WHERE id = 3"));
        sqlx::raw_sql(sql).execute(&mut hands).await.unwrap();
        let report = Audit::of(&config).run().await.unwrap();
        let [one] = &report.inconsistencies[..] else { panic!("{set}: {report:?}") };
        assert_eq!((one.tx, one.kind), (Some(TxId::new(3)), OwnLog), "{set}");
        let back = "INSERT OR REPLACE INTO tx SELECT * FROM kept";
        sqlx::raw_sql(back).execute(&mut hands).await.unwrap();
    }
    assert_eq!(Audit::of(&config).run().await.unwrap().verdict, AuditVerdict::Incomplete);
}

async fn operate(config: &counterfoil::Config, sql: &'static str) {
    let immudb = &config.storage.immudb;
    let url = format!(
        "postgres://{}:{}@{}:{}/{}?sslmode=disable",
        immudb.username, immudb.password, immudb.host, immudb.port, immudb.database
    );
    let mut operator = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut operator).await.unwrap();
}
