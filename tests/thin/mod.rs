//! A ledger with thin readers, and a liar before it who begins when told.

use std::collections::BTreeMap;

use counterfoil::{Config, Cover, Event, EventStore, Scope, ThinStore, TrustedState, TxId};
use counterfoil_test_support::{Action, Context, PgMessage, Proxy, TempDir, server, temp_dir};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::on_server;

/// A ledger on the shared server.
pub(crate) struct Ledger {
    pub(crate) database: String,
    pub(crate) store: EventStore,
    proxy: Proxy,
    _log: TempDir,
    /// Event n of the stream, by its transaction.
    pub(crate) events: BTreeMap<u64, u64>,
    size: u64,
}

impl Ledger {
    /// A new one, with nothing but its genesis.
    pub(crate) async fn new() -> Self {
        let proxy = Proxy::honest(&server().host, server().port);
        let (database, log) = (server().fresh_database_name(), temp_dir("thin"));
        let store = EventStore::open(&config(&database, &log)).await.unwrap();
        let ledger = Self { database, store, proxy, _log: log, events: BTreeMap::new(), size: 1 };
        ledger.operate("", &["CREATE TABLE filler (id INTEGER, PRIMARY KEY id);"]).await;
        Self { size: 2, ..ledger }
    }

    /// Grows until it has `size` transactions. Those in `events` hold an event
    /// each, the others a row of another table.
    pub(crate) async fn grow(&mut self, size: u64, events: &[u64]) {
        while self.size < size {
            let next = self.size + 1;
            if events.contains(&next) {
                let number = self.events.len() as u64;
                let added = self.store.add_event(&event(number)).await.unwrap();
                assert_eq!((added.id.get(), added.sequence), (next, number));
                self.events.insert(next, number);
                self.size = next;
                continue;
            }
            let end = events.iter().filter(|tx| **tx > next).min().map_or(size, |tx| tx - 1);
            let end = end.min(size);
            let rows: Vec<String> =
                (next..=end).map(|id| format!("INSERT INTO filler (id) VALUES ({id});")).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            self.operate("", &rows).await;
            self.size = end;
        }
    }

    /// Runs statements as the operator, in the ledger's database or, with
    /// `_tiles`, in that of its tiles.
    pub(crate) async fn operate(&self, suffix: &str, statements: &[&str]) {
        let s = server();
        let url = format!(
            "postgres://{}:{}@{}:{}/{}{suffix}?sslmode=disable",
            s.username, s.password, s.host, s.port, self.database
        );
        let mut connection = PgConnection::connect(&url).await.unwrap();
        for sql in statements {
            let sql = AssertSqlSafe((*sql).to_owned());
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
    }

    /// The state after transaction `tx`, as the store's log has it.
    pub(crate) async fn state(&self, tx: u64) -> TrustedState {
        let proof = self.store.get_proof_at_tx(TxId::new(tx)).await.unwrap();
        let pinned = self.store.state().await.unwrap();
        TrustedState { tx: TxId::new(tx), alh: proof.verify(&pinned).unwrap().alh() }
    }

    /// Opens a thin store under the state after `tx`, past the liar.
    pub(crate) async fn thin(&self, tx: u64) -> counterfoil::Result<ThinStore> {
        let state = self.state(tx).await;
        self.thin_under(state).await
    }

    pub(crate) async fn thin_under(&self, state: TrustedState) -> counterfoil::Result<ThinStore> {
        let mut config = config(&self.database, &self._log);
        config.storage.immudb.host = "127.0.0.1".into();
        config.storage.immudb.port = self.proxy.port();
        EventStore::open_thin(&config, state).await
    }

    /// Another client of the same ledger, with a log of its own.
    pub(crate) async fn another(&self) -> (EventStore, TempDir) {
        let log = temp_dir("thin-other");
        let mut config = config(&self.database, &log);
        config.trust.first_contact = counterfoil::FirstContact::Accept;
        (EventStore::open(&config).await.unwrap(), log)
    }

    /// From now on the rows of answers to statements that contain `statement`
    /// pass through `lie`.
    pub(crate) fn alters(
        &self,
        statement: &'static str,
        lie: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static,
    ) {
        self.proxy.alters(statement, lie);
    }

    /// From now on, the truth.
    pub(crate) fn repents(&self) {
        self.proxy.repents();
    }
}

fn config(database: &str, log: &TempDir) -> Config {
    let mut config = on_server::config(server(), database.into(), log);
    config.storage.immudb.scope = Scope::Shared;
    config
}

/// The one stream.
pub(crate) fn stream() -> Cover {
    Cover::new("shipment", "SSCC-00123456")
}

/// Event `n` of the stream.
pub(crate) fn event(n: u64) -> Event {
    Event::new(&stream(), "Counted", format!("number {n}"))
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

/// The text with its last digit made another one.
pub(crate) fn flipped(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    let digit = u8::from_str_radix(last, 16).expect("a digit");
    format!("{rest}{:x}", digit ^ 1)
}
