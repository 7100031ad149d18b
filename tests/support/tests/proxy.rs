//! The liar in the middle, against the real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use counterfoil_test_support::{Action, Context, Direction, PgMessage, Proxy, server};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

async fn connect(port: u16, database: &str) -> PgConnection {
    let (user, password) = (&server().username, &server().password);
    // `prefer` asks for TLS first: the proxy must refuse that and go on.
    let url = format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}?sslmode=prefer");
    PgConnection::connect(&url).await.expect("a connection")
}

async fn fresh_database() -> String {
    let server = server();
    let name = server.fresh_database_name();
    let honest = Proxy::start(&server.host, server.port, |_, _| Action::Forward);
    let mut connection = connect(honest.port(), "defaultdb").await;
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    connection.execute(sqlx::raw_sql(create)).await.expect("a database");
    name
}

fn proxy(rewrite: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static) -> Proxy {
    Proxy::start(&server().host, server().port, rewrite)
}

#[tokio::test]
async fn one_column_of_one_answer_is_altered() {
    let database = fresh_database().await;
    let liar = proxy(|context, message| {
        if message.kind == b'D' && context.statement.contains("immudb_state") {
            message.set_column(context.column("tx_id").expect("the column"), "77");
        }
        Action::Forward
    });
    let mut connection = connect(liar.port(), &database).await;
    let state = connection.fetch_one(sqlx::raw_sql("SELECT immudb_state()")).await.expect("a row");
    assert_eq!(state.get::<i64, _>("tx_id"), 77);
    assert_eq!(state.get::<String, _>("tx_hash").len(), 64);
}

#[tokio::test]
async fn rows_and_statements_can_be_dropped_invented_and_replaced() {
    let database = fresh_database().await;
    let liar = proxy(|context, message| match (context.direction, message.kind) {
        (Direction::ToServer, b'Q') if context.statement == "SELECT 'mine'" => {
            *message = PgMessage::query("SELECT immudb_state()");
            Action::Forward
        }
        (Direction::ToClient, b'D') if context.statement == "SELECT 'mine'" => {
            Action::Instead(message.to_bytes().repeat(3))
        }
        (Direction::ToClient, b'D') => Action::Instead(vec![]),
        (Direction::ToClient, b'C') => Action::Delay(Duration::from_millis(50)),
        _ => Action::Forward,
    });
    let mut connection = connect(liar.port(), &database).await;
    let rows = connection.fetch_all(sqlx::raw_sql("SELECT 'mine'")).await.expect("rows");
    assert_eq!(rows.len(), 3);
    let rows = connection.fetch_all(sqlx::raw_sql("SELECT immudb_state()")).await.expect("rows");
    assert_eq!(rows.len(), 0);
}

#[tokio::test]
async fn a_cut_after_a_statement_loses_the_answer_and_not_the_write() {
    let database = fresh_database().await;
    let cuts = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&cuts);
    let liar = proxy(move |context, _| {
        let insert =
            context.direction == Direction::ToServer && context.statement.contains("INSERT");
        // The first INSERT arrives and its answer is lost; the second never arrives.
        match insert.then(|| counter.fetch_add(1, Ordering::SeqCst)) {
            Some(0) => Action::CutAfter,
            Some(_) => Action::CutBefore,
            None => Action::Forward,
        }
    });
    let create = "CREATE TABLE t (id INTEGER, PRIMARY KEY id)";
    connect(liar.port(), &database).await.execute(sqlx::raw_sql(create)).await.expect("a table");
    for sql in ["INSERT INTO t (id) VALUES (1)", "INSERT INTO t (id) VALUES (2)"] {
        let mut connection = connect(liar.port(), &database).await;
        connection.execute(sqlx::raw_sql(sql)).await.expect_err("no answer");
    }
    assert_eq!(cuts.load(Ordering::SeqCst), 2);
    let mut connection = connect(liar.port(), &database).await;
    let mut ids = vec![];
    // The write goes on after the client has lost sight of it.
    for _ in 0..100 {
        let rows = connection.fetch_all(sqlx::raw_sql("SELECT id FROM t")).await.expect("rows");
        ids = rows.iter().map(|row| row.get::<i64, _>(0)).collect();
        if !ids.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ids, [1]);
}

#[tokio::test]
async fn all_connections_can_be_cut_at_once() {
    let honest = proxy(|_, _| Action::Forward);
    let mut connection = connect(honest.port(), "defaultdb").await;
    honest.cut_all();
    connection.execute(sqlx::raw_sql("SELECT immudb_state()")).await.expect_err("no answer");
    connect(honest.port(), "defaultdb").await;
}
