//! A store on a real immudb with a liar in between, who begins when told.

use counterfoil::{
    Config, Cover, Error, Event, EventStore, FirstContact, ReadOptions, TxId, Verdict,
};
use counterfoil_test_support::{Action, Context, PgMessage, Proxy, Server, TempDir, temp_dir};

use crate::on_server;

/// What the statements have in common that ask for bodies alone.
pub(crate) const BODIES: &str = "SELECT body FROM events";

/// A database, a way to it that lies, and a client's log of it.
pub(crate) struct Liar {
    proxy: Proxy,
    server: Server,
    pub(crate) database: String,
    log: TempDir,
}

impl Liar {
    /// Honest for now, before the shared server.
    pub(crate) fn new() -> Self {
        Self::before(counterfoil_test_support::server())
    }

    /// Honest for now, before a server of the test's own.
    pub(crate) fn before(server: &Server) -> Self {
        let proxy = Proxy::honest(&server.host, server.port);
        let (server, database) = (server.clone(), server.fresh_database_name());
        Self { proxy, server, database, log: temp_dir("deceived") }
    }

    /// From now on, this.
    pub(crate) fn tells(
        &self,
        lie: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static,
    ) {
        self.proxy.tells(lie);
    }

    /// From now on, the truth.
    pub(crate) fn repents(&self) {
        self.proxy.repents();
    }

    /// Alters the rows of an answer from now on: those of statements that
    /// contain `statement`, those that `lie` does not leave alone. Whoever asks for
    /// bodies alone is shown none, and has to ask for whole rows.
    pub(crate) fn alters(
        &self,
        statement: &'static str,
        mut lie: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static,
    ) {
        self.proxy.alters("", move |context, message| match context.statement {
            asked if asked.contains(BODIES) => Action::Instead(vec![]),
            asked if asked.contains(statement) => lie(context, message),
            _ => Action::Forward,
        });
    }

    /// Alters bodies where they are asked for alone.
    pub(crate) fn alters_bodies(
        &self,
        lie: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static,
    ) {
        self.proxy.alters(BODIES, lie);
    }

    /// How the deceived client gets there.
    pub(crate) fn config(&self) -> Config {
        self.on("127.0.0.1", self.proxy.port(), &self.log)
    }

    /// How somebody else gets there, whom nobody deceives, with a log of his own.
    pub(crate) fn honest(&self, log: &TempDir) -> Config {
        let mut config = self.on(&self.server.host, self.server.port, log);
        config.trust.first_contact = FirstContact::Accept;
        config
    }

    fn on(&self, host: &str, port: u16, log: &TempDir) -> Config {
        let mut config = on_server::config(&self.server, self.database.clone(), log);
        config.storage.immudb.host = host.into();
        config.storage.immudb.port = port;
        config.storage.immudb.timeout_seconds = 10;
        config
    }

    /// Opens the store of the one who is to be deceived.
    pub(crate) async fn open(&self) -> EventStore {
        EventStore::open(&self.config()).await.unwrap()
    }

    /// Opens it and appends events, each in a transaction: event n in
    /// transaction n + 2.
    pub(crate) async fn with_events(&self, count: u64) -> EventStore {
        let store = self.open().await;
        for n in 0..count {
            store.add_event(&event(n)).await.unwrap();
        }
        store
    }

    /// Does something as somebody whom nobody deceives.
    pub(crate) async fn honestly<T>(&self, work: impl AsyncFnOnce(EventStore) -> T) -> T {
        let log = temp_dir("honest");
        work(EventStore::open(&self.honest(&log)).await.unwrap()).await
    }

    /// What the ledger truly holds.
    pub(crate) async fn truth(&self) -> Vec<Event> {
        self.honestly(async |store| {
            assert_eq!(store.findings().await.unwrap(), []);
            let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
            read.events.into_iter().map(|recorded| recorded.event).collect()
        })
        .await
    }

    /// Somebody else appends these events, each in a transaction.
    pub(crate) async fn somebody_appends(&self, numbers: impl IntoIterator<Item = u64>) {
        self.honestly(async |store| {
            for n in numbers {
                store.add_event(&event(n)).await.unwrap();
            }
        })
        .await;
    }
}

/// Event `n` of the one stream.
pub(crate) fn event(n: u64) -> Event {
    Event::new(&stream(), "Counted", format!("number {n}")).with_external_id(format!("{n}"))
}

/// The one stream.
pub(crate) fn stream() -> Cover {
    Cover::new("shipment", "SSCC-00123456")
}

pub(crate) fn tx(id: u64) -> TxId {
    TxId::new(id)
}

/// The verdict that a call ends with.
#[track_caller]
pub(crate) fn verdict<T: std::fmt::Debug>(result: Result<T, Error>) -> Verdict {
    match result {
        Err(Error::Ledger(verdict)) => verdict.into_verdict(),
        other => panic!("no verdict: {other:?}"),
    }
}

/// The text of a column.
pub(crate) fn text(message: &PgMessage, context: &Context<'_>, column: &str) -> String {
    let index = context.column(column).expect("the column");
    let value = message.columns().expect("a row").swap_remove(index);
    String::from_utf8(value.expect("no NULL")).expect("text")
}

/// Puts another text into a column.
pub(crate) fn put(message: &mut PgMessage, context: &Context<'_>, column: &str, text: &str) {
    message.set_column(context.column(column).expect("the column"), text);
}

/// Puts another body into a row that has nothing else, in binary.
pub(crate) fn put_body(message: &mut PgMessage, body: impl Into<Vec<u8>>) {
    message.set_column(0, body);
}

/// The body of such a row.
pub(crate) fn body(message: &PgMessage) -> Vec<u8> {
    let mut columns = message.columns().expect("a row");
    assert_eq!(columns.len(), 1, "the body alone");
    columns.swap_remove(0).expect("no NULL")
}

/// The text with its last digit made another one.
pub(crate) fn flipped(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    let digit = u8::from_str_radix(last, 16).expect("a digit");
    format!("{rest}{:x}", digit ^ 1)
}
