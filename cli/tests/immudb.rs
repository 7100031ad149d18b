//! The program on a real immudb.
#![cfg(feature = "immudb")]

#[macro_use]
mod contract;
#[allow(dead_code)] // each test uses its part
mod receipts;
mod support;

use counterfoil_test_support::{Options, Server, server, temp_dir};
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
    let text = user.run(&["publish"]);
    assert_eq!(text.out, "tiles for 0 transactions: 0 written, 0 there before\n");
    assert!(text.err.contains("a tile holds 256 transactions"), "{}", text.err);
}

/// A server with a signing key, whose states an operator has over gRPC.
#[test]
fn a_receipt_carries_the_servers_signature() {
    let keys = temp_dir("keys");
    let secret = keys.path().join("immudb.key");
    std::fs::write(&secret, receipts::secret_pem(7)).unwrap();
    let flags = vec!["--signingKey".to_owned(), secret.to_str().unwrap().to_owned()];
    let private = Server::start_private_with(&Options { flags, ..Options::default() });
    let server = private.server();
    let port = server.port.to_string();
    let ledger = ["--host", &server.host, "--port", &port, "--database", "goods"];
    let user = User::new(
        &ledger,
        &[("IMMUDB_USERNAME", &server.username), ("IMMUDB_PASSWORD", &server.password)],
    );
    user.json(&["init"]);
    user.json(&["append", "shipment", "SSCC-1", "Departed", "one"]);
    user.write("state.json", &private.operate("goods", &["state"]));
    user.write("immudb.pem", &receipts::pem(7));
    user.write("other.pem", &receipts::pem(8));
    user.json(&["append", "shipment", "SSCC-1", "Arrived", "two"]);
    let issue = |key: &str, sequence: &str, output: &str| {
        let made = ["receipt", "shipment", "SSCC-1", sequence, "-o", output];
        user.run(&[&made[..], &["--state-signature", "state.json", "--state-key", key]].concat())
    };
    issue("other.pem", "0", "none").fails(2, "the signature");
    issue("immudb.pem", "1", "none").fails(6, "after transaction");
    let made = issue("immudb.pem", "0", "departed.receipt");
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.err.contains(&receipts::key_id(7).to_string()), "{}", made.err);

    let id = user.json(&["state"])[0]["pin"]["ledger"].as_str().unwrap().to_owned();
    let verifier = User::new(&[], &[]);
    std::fs::copy(user.path("departed.receipt"), verifier.path("receipt")).unwrap();
    for (seed, database, verdict, code) in [
        (7, "goods", "verified_by_signature", 0),
        (7, "defaultdb", "broken", 1),
        (8, "goods", "intact_unanchored", 3),
    ] {
        let key = format!("database = \"{database}\"\npem = \"\"\"{}\"\"\"", receipts::pem(seed));
        verifier.write("policy", &format!("ledger = \"{id}\"\n[[state_keys]]\n{key}\n"));
        let told = verifier.run(&["verify", "receipt", "--policy", "policy", "--json"]);
        assert_eq!(
            (told.code, &told.lines()[0]["verdict"]),
            (code, &verdict.into()),
            "{}",
            told.out
        );
    }
}
