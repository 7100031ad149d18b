//! The program on an embedded ledger.

#[macro_use]
mod contract;
mod support;

use support::User;

fn user() -> User {
    User::new(&["--ledger", "goods.ledger", "--trust", "goods.trust"], &[])
}

contract::contract!(crate::user());

#[test]
fn a_changed_byte_is_told() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "pay 10 CHF"]);
    let mut ledger = std::fs::read(user.path("goods.ledger")).unwrap();
    let text = b"pay 10 CHF";
    let place = ledger.windows(text.len()).position(|bytes| bytes == text).unwrap();
    ledger[place + 4] = b'9';
    std::fs::write(user.path("goods.ledger"), ledger).unwrap();
    user.run(&["read", "d", "r"]).fails(1, "transaction 2, entry 0 was altered");
    let json = user.run(&["read", "d", "r", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(error["error"]["verdict"]["verdict"], "row_altered");
    let audit = user.run(&["audit"]);
    assert_eq!(audit.code, 1);
    assert!(audit.out.contains("transaction 2, entry 0"), "{}", audit.out);
}

/// Also after an error: a copy of the one file has everything.
#[test]
fn the_files_are_whole_after_every_command() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    assert_eq!(user.run(&["append", "d", "r", "T", "x", "--expect", "none"]).code, 6);
    for name in ["goods.ledger-wal", "goods.ledger-shm", "goods.trust-wal", "goods.trust-shm"] {
        assert!(!user.path(name).exists(), "{name}");
    }
}

#[test]
fn a_ledger_that_is_gone_is_told() {
    let user = user();
    user.json(&["init"]);
    std::fs::remove_file(user.path("goods.ledger")).unwrap();
    user.run(&["append", "d", "r", "T", "x"]).fails(1, "the ledger is missing");
    user.run(&["init"]).fails(1, "the ledger is missing");
}

#[test]
fn an_unknown_ledger_is_unanchored() {
    let user = user();
    user.json(&["init"]);
    // The trust file alone is made anew from the ledger, held to the copy of its pin.
    std::fs::remove_file(user.path("goods.trust")).unwrap();
    assert_eq!(user.run(&["read", "d", "r"]).code, 0);
    for name in ["goods.trust", "goods.trust.pin"] {
        std::fs::remove_file(user.path(name)).unwrap();
    }
    user.run(&["read", "d", "r"]).fails(3, "first contact");
    assert_eq!(user.run(&["read", "d", "r", "--accept-first-contact"]).code, 0);
}

#[test]
fn flags_go_over_the_environment_and_that_over_the_file() {
    let user = User::new(&[], &[]);
    user.write("counterfoil.toml", "[storage.embedded]\npath = \"a.ledger\"\n");
    user.json(&["init"]);
    assert!(user.path("a.ledger").exists());
    user.json(&["init", "--ledger", "b.ledger"]);
    assert!(user.path("b.ledger").exists());
    user.write("other.toml", "[storage.embedded]\npath = \"c.ledger\"\n");
    user.json(&["init", "--config", "other.toml"]);
    assert!(user.path("c.ledger").exists());
    let mut named = user.command(&["init"]);
    assert!(
        named.env("COUNTERFOIL_CONFIG", "absent.toml").output().unwrap().status.code() == Some(4)
    );
    let mut wrong = user.command(&["init"]);
    assert!(wrong.env("STORAGE_BACKEND", "paper").output().unwrap().status.code() == Some(2));
    user.write("counterfoil.toml", "[storage]\nbackend = \"embedded\"\npath = \"x\"\n");
    user.run(&["init"]).fails(2, "path");
}

#[test]
fn completions_are_printed_without_a_ledger() {
    let user = User::new(&[], &[]);
    for shell in ["bash", "zsh", "fish"] {
        let printed = user.run(&["completions", shell]);
        assert_eq!(printed.code, 0);
        assert!(printed.out.contains("counterfoil"), "{shell}");
    }
}

#[test]
fn tiles_are_immudbs() {
    let user = user();
    user.json(&["init"]);
    user.run(&["publish"]).fails(2, "an embedded ledger is read whole");
}

#[test]
fn a_backup_is_a_pair_that_opens() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    let made = user.json(&["backup", "monday"]);
    assert_eq!((&made[0]["verdict"], &made[0]["state"]), (&"intact".into(), &user.state().into()));
    user.json(&["append", "d", "r", "T", "later"]);
    let pair = ["--ledger", "monday/ledger", "--trust", "monday/trust"];
    let copied = User::new(&[], &[]);
    counterfoil_test_support::copy_dir(&user.path("monday"), &copied.path("monday")).unwrap();
    assert_eq!(copied.json(&[&["read", "d", "r"], &pair[..]].concat()).len(), 1);
    user.run(&["backup", "monday"]).fails(4, "monday");
    let text = user.run(&["backup", "tuesday"]).out;
    assert_eq!(text, format!("tuesday: intact, state {}\n", user.state()));
    // What is altered in the ledger is altered in the copy, and told.
    let mut ledger = std::fs::read(user.path("goods.ledger")).unwrap();
    let place = ledger.windows(5).position(|bytes| bytes == b"later").unwrap();
    ledger[place] ^= 1;
    std::fs::write(user.path("goods.ledger"), ledger).unwrap();
    let broken = user.run(&["backup", "wednesday"]);
    assert_eq!(broken.code, 1, "{}", broken.err);
    assert!(broken.out.ends_with("verdict broken\n"), "{}", broken.out);
}

#[test]
fn what_a_receipt_says_moves_no_terminal() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T\u{1b}[2K\nverified", "\r\n\u{202e}x"]);
    user.json(&["receipt", "d", "r", "0", "-o", "a"]);
    let id = user.json(&["state"])[0]["pin"]["ledger"].as_str().unwrap().to_owned();
    let shown = user.run(&["verify", "a", "--ledger-id", &id]);
    assert_eq!(shown.code, 3, "{}", shown.err);
    assert!(shown.out.contains("T\\u{1b}[2K\\nverified"), "{}", shown.out);
    assert!(shown.out.contains("\n    \\r\\n\\u{202e}x"), "{}", shown.out);
}

#[test]
fn one_ledger_has_one_pin() {
    let user = user();
    user.json(&["init"]);
    let state = user.state();
    user.run(&["read", "d", "r", "--pin", &state, "--pin", &state]).fails(2, "only `verify`");
}

/// Verified is the event, not its content: that is no success.
#[test]
fn content_that_is_kept_outside_is_missed() {
    let user = user();
    user.json(&["init"]);
    let event = serde_json::json!({
        "cover": { "domain": "d", "root": "r" },
        "event_type": "T",
        "payload": { "commitment": "5".repeat(64) },
    });
    assert_eq!(user.run_with(&["append", "--lines", "-"], &event.to_string()).code, 0);
    user.json(&["receipt", "d", "r", "0", "-o", "a"]);
    let (id, state) = (user.json(&["state"])[0]["pin"]["ledger"].clone(), user.state());
    let shown = user.run(&["verify", "a", "--ledger-id", id.as_str().unwrap(), "--pin", &state]);
    assert_eq!(shown.code, 5, "{}", shown.err);
    assert!(shown.out.starts_with("payload_unavailable  a: "), "{}", shown.out);
    assert!(shown.out.contains("(kept elsewhere: commitment 5555"), "{}", shown.out);
}
