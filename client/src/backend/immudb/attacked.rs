//! What was tried against a reader: a liar before a real immudb, local files
//! that were lost, and others who may write into the table as they like.

use std::sync::{Arc, Mutex};

use counterfoil_test_support::{
    Action, Context, Direction, PgMessage, Proxy, TempDir, server, temp_dir,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::body::EventBody;
use crate::*;

type Lie = Box<dyn FnMut(&Context<'_>, &mut PgMessage) -> Action + Send>;

/// A database, a way to it that may lie, and a client's log of it.
struct Attacked {
    proxy: Proxy,
    lie: Arc<Mutex<Lie>>,
    log: TempDir,
    database: String,
}

impl Attacked {
    fn new() -> Self {
        let lie: Arc<Mutex<Lie>> = Arc::new(Mutex::new(Box::new(|_, _| Action::Forward)));
        let told = Arc::clone(&lie);
        let proxy = Proxy::start(&server().host, server().port, move |context, message| {
            let mut lie = told.lock().unwrap();
            (*lie)(context, message)
        });
        let database = server().fresh_database_name();
        Self { proxy, lie, log: temp_dir("attacked"), database }
    }

    fn tells(&self, lie: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static) {
        *self.lie.lock().unwrap() = Box::new(lie);
    }

    /// Puts other texts into columns of the rows that answer `statement`.
    fn alters(&self, statement: &'static str, columns: &'static [(&'static str, &'static str)]) {
        self.tells(move |context, message| {
            if message.kind == b'D' && context.statement.contains(statement) {
                for (column, text) in columns {
                    message.set_column(context.column(column).unwrap(), *text);
                }
            }
            Action::Forward
        });
    }

    /// A client that accepts what it finds.
    fn config(&self, log: &TempDir) -> Config {
        let mut config = Config::default();
        config.storage.backend = BackendKind::Immudb;
        let immudb = &mut config.storage.immudb;
        (immudb.host, immudb.port) = ("127.0.0.1".into(), self.proxy.port());
        immudb.database = self.database.clone();
        immudb.username = server().username.clone();
        immudb.password = server().password.clone();
        config.log.path = Some(log.path().to_path_buf());
        config.trust.first_contact = FirstContact::Accept;
        config
    }

    fn own(&self) -> Config {
        self.config(&self.log)
    }

    /// A client with a log of its own, new to the ledger.
    async fn newcomer(&self) -> EventStore {
        let log = temp_dir("newcomer");
        EventStore::open(&self.config(&log)).await.unwrap()
    }

    /// Somebody appends events to a stream each.
    async fn filled(count: u64) -> Self {
        let attacked = Self::new();
        let somebody = attacked.newcomer().await;
        for n in 0..count {
            somebody.add_event(&event(n)).await.unwrap();
        }
        attacked
    }

    /// Somebody who does not use this crate writes a row.
    async fn writes(&self, verb: &str, body: &EventBody) {
        execute(&self.database, written(verb, body)).await;
    }
}

/// Somebody who does not use this crate sends a statement.
async fn execute(database: &str, sql: String) {
    let (user, password) = (&server().username, &server().password);
    let (host, port) = (&server().host, server().port);
    let url = format!(
        "postgres://{user}:{password}@{host}:{port}/{database}?sslmode=disable&statement-cache-capacity=0",
    );
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

/// The statement that writes this row.
fn written(verb: &str, body: &EventBody) -> String {
    format!(
        "{verb} INTO events (domain, edition, root, event_number, ext, seen_tx, body) \
             VALUES (x'{}', x'{}', x'{}', {}, x'{}', {}, x'{}');",
        hex::encode(&body.domain),
        hex::encode(&body.edition),
        hex::encode(body.root.as_slice()),
        body.event_number,
        hex::encode(body.ext()),
        body.seen_tx,
        hex::encode(body.encode()),
    )
}

fn stream(n: u64) -> Cover {
    Cover::new("shipment", format!("{n}"))
}

fn event(n: u64) -> Event {
    Event::new(&stream(n), "Counted", format!("number {n}"))
}

fn verdict<T: std::fmt::Debug>(result: Result<T>) -> Verdict {
    match result {
        Err(Error::Ledger(verdict)) => verdict.into_verdict(),
        other => panic!("no verdict: {other:?}"),
    }
}

const OTHER: Alh = Alh::new([7; 32]);
const OTHER_HEX: &str = "0707070707070707070707070707070707070707070707070707070707070707";

#[tokio::test]
async fn a_ledger_that_the_configuration_names_is_not_made_anew() {
    let attacked = Attacked::new();
    let mut config = attacked.own();
    config.trust.ledger = Some(OTHER);
    let missing = verdict(EventStore::open(&config).await);
    assert!(matches!(missing, Verdict::Missing { pinned } if pinned.alh == OTHER), "{missing}");
    assert!(EventStore::open_read_only(&attacked.own()).await.is_err(), "it was made");
}

/// The server's word about its own id decides which log is opened. The
/// headers must agree with it.
#[tokio::test]
async fn an_id_that_the_headers_do_not_have_is_refused() {
    let attacked = Attacked::filled(3).await;
    let mut config = attacked.own();
    config.trust.ledger = Some(OTHER);
    let mut first = true;
    attacked.tells(move |context, message| {
        if message.kind == b'D' && context.statement.contains("immudb_tx(2)") {
            if first {
                message.set_column(context.column("prev_alh").unwrap(), OTHER_HEX);
            }
            first = false;
        }
        Action::Forward
    });
    let found = verdict(EventStore::open(&config).await);
    assert!(matches!(found, Verdict::Fork { pinned, .. } if pinned.alh == OTHER), "{found}");
    // Nothing of it was kept.
    attacked.tells(|_, _| Action::Forward);
    assert_eq!(attacked.newcomer().await.findings().await.unwrap(), []);
}

/// The table counts as proved when the transaction that created it is in the
/// log, and not before.
#[tokio::test]
async fn a_first_synchronisation_that_breaks_off_loses_nothing() {
    let attacked = Attacked::filled(3).await;
    attacked.tells(|context, message| {
        match message.kind == b'Q' && context.statement.contains("USE INDEX") {
            true => Action::CutBefore,
            false => Action::Forward,
        }
    });
    EventStore::open(&attacked.own()).await.unwrap_err();
    attacked.tells(|_, _| Action::Forward);
    let store = EventStore::open(&attacked.own()).await.unwrap();
    assert_eq!(store.findings().await.unwrap(), []);
}

#[tokio::test]
async fn an_opaque_header_says_nothing_that_counts() {
    let attacked = Attacked::filled(4).await;
    let lies = [
        ("nentries", "2147483647"),
        ("timestamp", "9000000000000000000"),
        ("bl_tx_id", "77"),
        ("version", "0"),
    ];
    attacked.alters("immudb_tx(3)", Box::leak(Box::new(lies)));
    let store = EventStore::open(&attacked.own()).await.unwrap();
    let findings = store.findings().await.unwrap();
    let found: Vec<_> = findings.iter().map(|finding| (finding.tx.get(), finding.kind)).collect();
    assert_eq!(found, [(3, FindingKind::Opaque)]);
    let until = store.get_until(&stream(3), 8_000_000_000).await.unwrap();
    assert_eq!(until.events.len(), 1, "the time of transaction 3 is nobody's");
    let proof = verdict(store.get_proof_at_tx(TxId::new(3)).await);
    assert!(matches!(proof, Verdict::BadHeader { .. }), "{proof}");
}

/// What contradicts the configuration does not move the pin either.
#[tokio::test]
async fn a_refused_history_does_not_become_the_pinned_one() {
    let attacked = Attacked::filled(3).await;
    let before = EventStore::open(&attacked.own()).await.unwrap().state().await.unwrap();
    attacked.newcomer().await.add_event(&event(9)).await.unwrap();
    let mut config = attacked.own();
    let pinned = TrustedState { tx: TxId::new(before.tx.get() + 1), alh: OTHER };
    config.trust.pin = Some(pinned);
    let fork = verdict(EventStore::open(&config).await);
    assert!(matches!(fork, Verdict::Fork { pinned: p, .. } if p == pinned), "{fork}");
    // A server that ends where the pin was is still at it.
    let (tx, alh) = (before.tx.to_string(), before.alh.to_string());
    attacked.tells(move |context, message| {
        if message.kind == b'D' && context.statement.contains("immudb_state") {
            message.set_column(context.column("tx_id").unwrap(), tx.clone());
            message.set_column(context.column("tx_hash").unwrap(), alh.clone());
        }
        Action::Forward
    });
    let store = EventStore::open(&attacked.own()).await.unwrap();
    assert_eq!(store.state().await.unwrap(), before);
}

/// That a ledger was there is known as long as anything says so.
#[tokio::test]
async fn a_lost_log_lets_no_other_ledger_in() {
    let (attacked, other) = (Attacked::filled(1).await, Attacked::filled(2).await);
    let ledger = EventStore::open(&attacked.own()).await.unwrap().ledger_id().await.unwrap();
    let folder = attacked.log.path();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.to_string_lossy().contains(".log") {
            std::fs::remove_file(file).unwrap();
        }
    }
    let mut config = attacked.own();
    let endpoint = |config: &Config| {
        let immudb = &config.storage.immudb;
        folder.join(format!("127.0.0.1-{}-{}.ledger", immudb.port, immudb.database))
    };
    let old = endpoint(&config);
    config.storage.immudb.database = other.database.clone();
    std::fs::rename(old, endpoint(&config)).unwrap();
    let found = verdict(EventStore::open(&config).await);
    assert!(matches!(found, Verdict::Recreated { expected, .. } if expected == ledger), "{found}");
    config.storage.immudb.database = server().fresh_database_name();
    std::fs::write(endpoint(&config), format!("{ledger}\n")).unwrap();
    let found = verdict(EventStore::open(&config).await);
    assert!(matches!(found, Verdict::Missing { pinned } if pinned.alh == ledger), "{found}");
}

/// Rows of others that carry a commit's id do not take its rows apart, in
/// however many commits.
#[tokio::test]
async fn commit_ids_that_others_use_too_hide_nothing() {
    let attacked = Attacked::new();
    let somebody = attacked.newcomer().await;
    for n in 0..12 {
        let cover = stream(n);
        let events = [event(n), event(n), event(n)];
        let appended = somebody.append(&cover, ExpectedVersion::Any, &events).await.unwrap();
        let body = appended.events[1].proof.decode_body().unwrap();
        let seen = somebody.state().await.unwrap();
        let rival = EventBody {
            root: format!("rival {n}").into(),
            append_id: [n as u8; 16],
            seen_tx: seen.tx.get(),
            seen_alh: seen.alh.to_bytes(),
            ..body
        };
        attacked.writes("INSERT", &rival).await;
    }
    let newcomer = attacked.newcomer().await;
    let read = newcomer.read_all(None, None).await.unwrap();
    assert_eq!((read.events.len(), read.completeness.is_complete()), (36, true));
}

/// The same where the commits are of several appends.
#[tokio::test]
async fn commit_ids_of_several_appends_that_others_use_too_hide_nothing() {
    const ROUNDS: u64 = 12;
    let attacked = Attacked::new();
    let somebody = attacked.newcomer().await;
    let mut shared = 0;
    for round in 0..ROUNDS {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..6 {
            let (somebody, event) = (somebody.clone(), event(round * 6 + n));
            tasks.spawn(async move { somebody.add_event(&event).await.unwrap() });
        }
        let added = tasks.join_all().await;
        let bodies = added.iter().map(|added| added.proof.decode_body().unwrap());
        let Some(body) = bodies.into_iter().find(|body| body.commit_index == 1) else { continue };
        shared += 1;
        // In the place of the second append, and of the first.
        for index in [1, 0] {
            let rival = EventBody {
                root: format!("rival {round} {index}").into(),
                append_id: [round as u8 * 2 + index as u8; 16],
                commit_index: index,
                ..body.clone()
            };
            attacked.writes("INSERT", &rival).await;
        }
    }
    assert!(shared > 8, "only {shared} commits were shared");
    let newcomer = attacked.newcomer().await;
    let read = newcomer.read_all(None, None).await.unwrap();
    let written = 6 * ROUNDS + 2 * shared;
    assert_eq!((read.events.len() as u64, read.completeness.is_complete()), (written, true));
}

/// An UPSERT replaces what a scan shows, not the event; nor does it make the
/// ledger look altered.
#[tokio::test]
async fn a_rival_under_an_events_key_is_not_taken_for_it() {
    let attacked = Attacked::new();
    let store = EventStore::open(&attacked.own()).await.unwrap();
    let first = store.add_event(&event(0)).await.unwrap();
    for n in 1..9 {
        store.add_event(&event(n)).await.unwrap();
    }
    let body = first.proof.decode_body().unwrap();
    let rival = EventBody { event_type: "Rival".into(), ..body };
    attacked.writes("UPSERT", &rival).await;
    let read = store.read_all(None, None).await.unwrap();
    assert_eq!(read.events.len(), 9);
    assert!(read.events.iter().all(|recorded| recorded.event.event_type == "Counted"));
    let findings = store.findings().await.unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].kind, FindingKind::Overwritten);
}

/// A refusal is the server's word. The ledger is looked at before it is
/// passed on as "not written".
#[tokio::test]
async fn a_refusal_of_what_was_written_is_seen_through() {
    for words in ["syntax error: at x", "access denied", "table does not exist (events)"] {
        let attacked = Attacked::new();
        let store = EventStore::open(&attacked.own()).await.unwrap();
        attacked.tells(move |context, message| {
            let answer = context.direction == Direction::ToClient && message.kind == b'C';
            if answer && context.statement.starts_with("INSERT") {
                let body = format!("SERROR\0M{words}\0\0").into_bytes();
                *message = PgMessage { kind: b'E', body };
            }
            Action::Forward
        });
        assert_eq!(store.add_event(&event(0)).await.unwrap().sequence, 0, "{words}");
        // What was refused and is not there was not written.
        attacked.tells(move |context, message| {
            if !context.statement.starts_with("INSERT") {
                return Action::Forward;
            }
            if context.executes(message) {
                return Action::Instead(vec![]);
            }
            if context.direction == Direction::ToClient && message.kind == b'E' {
                message.body = format!("SERROR\0M{words}\0\0").into_bytes();
            }
            Action::Forward
        });
        store.add_event(&event(0)).await.unwrap_err();
        attacked.tells(|_, _| Action::Forward);
        assert_eq!(store.next_sequence(&stream(0)).await.unwrap(), 1);
    }
}

/// In the moment before an append arrives, somebody uses its second event's id
/// and frees it again: immudb takes the append, and only its first event
/// counts. The caller is told which.
#[tokio::test]
async fn of_an_append_half_of_whose_ids_were_used_it_is_told_what_counts() {
    let attacked = Attacked::new();
    let store = EventStore::open(&attacked.own()).await.unwrap();
    let added = store.add_event(&event(0).with_external_id("pair")).await.unwrap();
    let rival = EventBody {
        root: "rival".into(),
        append_id: [9; 16],
        append_index: 1,
        append_count: 2,
        external_id: "pair of ours".into(),
        ..added.proof.decode_body().unwrap()
    };
    let sql = format!(
        "{} DELETE FROM events WHERE root = x'{}';",
        written("INSERT", &rival),
        hex::encode(b"rival")
    );
    let (database, mut first) = (attacked.database.clone(), true);
    attacked.tells(move |context, message| {
        if context.executes(message)
            && context.statement.starts_with("INSERT")
            && std::mem::take(&mut first)
        {
            let (database, sql) = (database.clone(), sql.clone());
            let rival = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(execute(&database, sql));
            });
            rival.join().unwrap();
        }
        Action::Forward
    });
    let pair = [0, 1].map(|_| event(1).with_external_id("pair of ours"));
    let appended = store.append(&stream(1), ExpectedVersion::Any, &pair).await;
    let Verdict::Superseded { tx, counted } = verdict(appended) else { panic!("another verdict") };
    assert_eq!(counted, [0]);
    // So it is read, here and by others: the first, and why there is no second.
    for reader in [store, attacked.newcomer().await] {
        let read = reader.read(&stream(1), ReadOptions::forward()).await.unwrap();
        let there: Vec<_> = read.events.iter().map(|found| (found.tx, found.sequence)).collect();
        assert_eq!(there, [(tx, 0)]);
        assert!(matches!(read.stopped, Some(Verdict::OutOfLine { sequence: 1, .. })));
        // The rival's row is the second of two, and alone.
        let findings = reader.findings().await.unwrap();
        let split: Vec<&Finding> =
            findings.iter().filter(|found| found.kind == FindingKind::AppendSplit).collect();
        let rivals = Cover::new("shipment", "rival");
        let rival = &reader.read(&rivals, ReadOptions::forward()).await.unwrap().events[0];
        let told: Vec<_> = split.iter().map(|found| (found.tx, found.entry)).collect();
        assert_eq!(told, [(rival.tx, Some(0))]);
        assert!(split[0].detail.contains("only 2 to 2"), "{}", split[0].detail);
    }
    let report = Audit::of(&attacked.own()).run().await.unwrap();
    assert_eq!(report.verdict, AuditVerdict::Intact);
    let split = |found: &&Finding| found.kind == FindingKind::AppendSplit;
    assert_eq!(report.findings.iter().filter(split).count(), 1);
}

/// Numbers end where SQL's integers do: what is asked beyond them is not the
/// last one, which anybody can write.
#[tokio::test]
async fn a_number_that_no_event_has_is_not_taken_for_the_last() {
    let attacked = Attacked::new();
    let store = EventStore::open(&attacked.own()).await.unwrap();
    let added = store.add_event(&event(0)).await.unwrap();
    let seen = store.state().await.unwrap();
    let last = EventBody {
        event_number: i64::MAX as u64,
        prev_event: [1; 32],
        append_id: [9; 16],
        seen_tx: seen.tx.get(),
        seen_alh: seen.alh.to_bytes(),
        ..added.proof.decode_body().unwrap()
    };
    attacked.writes("INSERT", &last).await;
    let state = attacked.newcomer().await.state().await.unwrap();
    let thin = EventStore::open_thin(&attacked.own(), state).await.unwrap();
    let found = thin.get_event(&stream(0), last.event_number).await.unwrap();
    assert_eq!(found.event.sequence, last.event_number);
    for beyond in [1 << 63, u64::MAX] {
        let found = thin.get_event(&stream(0), beyond).await;
        assert!(matches!(found, Err(Error::Invalid(_))), "{found:?}");
    }
}
