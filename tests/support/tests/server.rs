//! The servers that other tests rely on, relied on here first.

use std::net::TcpStream;

use counterfoil_test_support::{Options, PrivateServer, Server, server, temp_dir};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

async fn connect(server: &Server, database: &str) -> PgConnection {
    let Server { host, port, username, password } = server;
    let url = format!("postgres://{username}:{password}@{host}:{port}/{database}?sslmode=disable");
    PgConnection::connect(&url).await.expect("a connection")
}

async fn last_tx(server: &Server) -> i64 {
    let mut connection = connect(server, "defaultdb").await;
    let row = connection.fetch_one(sqlx::raw_sql("SELECT immudb_state()")).await.expect("a state");
    row.get("tx_id")
}

async fn write(private: &PrivateServer, sql: &'static str) {
    let mut connection = connect(private.server(), "defaultdb").await;
    connection.execute(sqlx::raw_sql(sql)).await.expect("a write");
}

#[tokio::test]
async fn the_shared_server_answers_and_makes_databases() {
    let server = server();
    let name = server.fresh_database_name();
    assert_ne!(name, server.fresh_database_name());
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    connect(server, "defaultdb").await.execute(sqlx::raw_sql(create)).await.expect("a database");
    let mut own = connect(server, &name).await;
    let state = own.fetch_one(sqlx::raw_sql("SELECT immudb_state()")).await.expect("a state");
    assert_eq!(state.get::<i64, _>("tx_id"), 0);
}

#[tokio::test]
async fn a_private_server_keeps_what_it_acknowledged_and_rolls_back_on_demand() {
    let mut private = Server::start_private();
    write(&private, "CREATE TABLE t (id INTEGER, PRIMARY KEY id)").await;
    let saved = private.save();
    write(&private, "INSERT INTO t (id) VALUES (1)").await;
    private.kill();
    assert!(TcpStream::connect(("127.0.0.1", private.server().port)).is_err());
    private.restart();
    assert_eq!(last_tx(private.server()).await, 2);
    private.restore(&saved);
    assert_eq!(last_tx(private.server()).await, 1);
    assert!(private.data_dir().join("defaultdb").is_dir());
}

#[test]
fn a_private_server_can_be_without_the_postgresql_wire() {
    let private = Server::start_private_with(&Options { pgsql: false, ..Options::default() });
    assert!(TcpStream::connect(("127.0.0.1", private.grpc_port())).is_ok());
    assert!(TcpStream::connect(("127.0.0.1", private.server().port)).is_err());
}

#[test]
fn a_server_that_does_not_start_shows_its_log() {
    let options = Options { flags: vec!["--no-such-flag".to_owned()], ..Options::default() };
    let start = || drop(Server::start_private_with(&options));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(start)).expect_err("a panic");
    let text = panic.downcast_ref::<String>().expect("a message");
    assert!(text.contains("unknown flag: --no-such-flag"), "{text}");
}

#[test]
fn a_folder_goes_with_its_owner() {
    let folder = temp_dir("folder");
    let path = folder.path().to_path_buf();
    std::fs::write(folder.join("file"), "x").expect("a file");
    drop(folder);
    assert!(!path.exists());
}
