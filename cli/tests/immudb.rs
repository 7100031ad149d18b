//! The program on a real immudb.
#![cfg(feature = "immudb")]

#[macro_use]
mod contract;
mod support;

use counterfoil_test_support::server;
use support::User;

fn user() -> User {
    let server = server();
    let database = server.fresh_database_name();
    let port = server.port.to_string();
    let ledger = ["--host", &server.host, "--port", &port, "--database", &database];
    User::new(
        &ledger,
        &[("IMMUDB_USERNAME", &server.username), ("IMMUDB_PASSWORD", &server.password)],
    )
}

contract::contract!(crate::user());

#[test]
fn nobody_listens_there() {
    let user = User::new(&["--host", "127.0.0.1", "--port", "1"], &[]);
    user.run(&["init"]).fails(4, "nothing answers at 127.0.0.1:1");
}

#[test]
fn tiles_are_published() {
    let user = user();
    user.json(&["init"]);
    let published = user.json(&["publish"]);
    assert_eq!(published[0]["size"], 0);
}
