//! A database with somebody else's tables, and a way to it that may lie.

use counterfoil::{
    Completeness, Config, Error, FirstContact, SqlValue, Tables, TxId, Undecided, VerifiedRow,
};
use counterfoil_test_support::{
    Action, Context, Direction, PgMessage, Proxy, Server, TempDir, server, temp_dir,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::on_server;

pub(crate) struct Database {
    server: Server,
    proxy: Proxy,
    name: String,
    log: TempDir,
    owner: PgConnection,
}

impl Database {
    /// A new database in which these statements were executed.
    pub(crate) async fn with(statements: &[&str]) -> Self {
        let name = server().fresh_database_name();
        let mut admin = PgConnection::connect(&url(server(), "defaultdb")).await.unwrap();
        run(&mut admin, &format!("CREATE DATABASE {name};")).await;
        let mut database = Self::of(server(), name).await;
        database.execute(statements).await;
        database
    }

    /// A database that there is.
    pub(crate) async fn of(server: &Server, name: String) -> Self {
        let server = server.clone();
        let proxy = Proxy::honest(&server.host, server.port);
        let owner = PgConnection::connect(&url(&server, &name)).await.unwrap();
        Self { server, proxy, name, log: temp_dir("tables"), owner }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Executes these statements, one by one.
    pub(crate) async fn execute(&mut self, statements: &[&str]) {
        for sql in statements {
            run(&mut self.owner, sql).await;
        }
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = on_server::config(&self.server, self.name.clone(), &self.log);
        config.storage.immudb.host = "127.0.0.1".into();
        config.storage.immudb.port = self.proxy.port();
        config.storage.immudb.timeout_seconds = 20;
        config.trust.first_contact = FirstContact::Accept;
        config
    }

    pub(crate) async fn open(&self) -> Tables {
        Tables::open(&self.config()).await.unwrap()
    }

    /// From now on, the answers to statements that contain `statement` are
    /// altered so.
    pub(crate) fn alters(
        &self,
        statement: &'static str,
        lie: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static,
    ) {
        self.proxy.alters(statement, lie);
    }

    /// Hides rows from answers: those that have this text in this column.
    pub(crate) fn hides(&self, statement: &'static str, column: &'static str, text: &'static str) {
        self.alters(statement, move |context, message| {
            match shows(context, message, column, text) {
                true => Action::Instead(vec![]),
                false => Action::Forward,
            }
        });
    }

    /// Puts another text into a column where it shows this one.
    pub(crate) fn puts(
        &self,
        statement: &'static str,
        column: &'static str,
        text: &'static str,
        other: &'static str,
    ) {
        self.alters(statement, move |context, message| {
            if shows(context, message, column, text) {
                message.set_column(context.column(column).unwrap(), other);
            }
            Action::Forward
        });
    }

    /// Before each statement that contains `statement` is passed on, somebody
    /// else executes another one, made from how many there were before.
    pub(crate) fn before(&self, statement: &'static str, sql: fn(u32) -> String) {
        let (url, mut count) = (url(&self.server, &self.name), 0);
        self.proxy.tells(move |context, message| {
            let asked = message.kind == b'Q' && context.statement.contains(statement);
            if asked && context.direction == Direction::ToServer {
                count += 1;
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let mut connection = PgConnection::connect(&url).await.unwrap();
                    run(&mut connection, &sql(count)).await;
                });
            }
            Action::Forward
        });
    }

    pub(crate) fn repents(&self) {
        self.proxy.repents();
    }
}

/// A database of the server, with nobody in between.
fn url(server: &Server, database: &str) -> String {
    format!(
        "postgres://{}:{}@{}:{}/{database}?sslmode=disable",
        server.username, server.password, server.host, server.port
    )
}

async fn run(connection: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn shows(context: &Context<'_>, message: &PgMessage, column: &str, text: &str) -> bool {
    let Some(place) = context.column(column) else { return false };
    let value = message.columns().expect("a row").swap_remove(place);
    value.as_deref() == Some(text.as_bytes())
}

pub(crate) fn tx(id: u64) -> TxId {
    TxId::new(id)
}

pub(crate) fn int(number: i64) -> Option<SqlValue> {
    Some(SqlValue::Integer(number))
}

pub(crate) fn text(text: &str) -> Option<SqlValue> {
    Some(SqlValue::from(text))
}

/// Where a row is, and what it holds.
pub(crate) fn place(row: &VerifiedRow) -> (u64, u32, bool) {
    (row.tx.get(), row.entry, row.deleted)
}

pub(crate) fn complete(through: u64) -> Completeness {
    Completeness::Complete { through: tx(through) }
}

#[track_caller]
pub(crate) fn undecided<T: std::fmt::Debug>(result: Result<T, Error>) -> Undecided {
    match result {
        Err(Error::CannotDecide(why)) => *why,
        other => panic!("decided: {other:?}"),
    }
}
