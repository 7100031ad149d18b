//! Receipts with a server's signature of their state, which comes from elsewhere as JSON.

#[allow(dead_code)] // each test uses its part
mod receipts;
#[allow(dead_code)] // each test uses its part
mod support;

use counterfoil::TrustedState;
use receipts::*;
use serde_json::{Value, json};
use support::{Ran, User};

const KEY: u8 = 7;

/// A ledger with events in transactions 2, 3 and 4, and the keys.
fn owner() -> User {
    let user = User::new(&["--ledger", "goods.ledger", "--trust", "goods.trust"], &[]);
    user.json(&["init"]);
    for content in ["0", "1", "2"] {
        user.json(&["append", "d", "r", "T", content]);
    }
    user.write("key.pem", &pem(KEY));
    user.write("other.pem", &pem(KEY + 1));
    user
}

/// As immudb answers.
fn answer(state: &TrustedState, seed: u8) -> Value {
    let signature = base64(&state_signature(&(*state).into(), seed, DATABASE));
    json!({
        "db": DATABASE,
        "txId": state.tx.to_string(),
        "txHash": base64(state.alh.as_bytes()),
        "signature": { "publicKey": "BA==", "signature": signature },
        "precommittedTxId": "9",
    })
}

fn issue(user: &User, answer: &Value, more: &[&str]) -> Ran {
    user.write("state.json", &answer.to_string());
    let _ = std::fs::remove_file(user.path("made"));
    let made = ["receipt", "d", "r", "1", "-o", "made", "--state-signature", "state.json"];
    user.run(&[&made[..], more].concat())
}

#[test]
fn a_receipt_is_under_the_state_that_the_server_signed() {
    let user = owner();
    let state: TrustedState = user.state().parse().unwrap();
    user.json(&["append", "d", "r", "T", "later"]);
    let text = answer(&state, KEY);
    let mut number = text.clone();
    number["txId"] = json!(state.tx.get());
    let ledger = user.json(&["state"])[0]["pin"]["ledger"].as_str().unwrap().to_owned();
    for answer in [text, number] {
        let made = issue(&user, &answer, &["--state-key", "key.pem", "--json"]);
        assert_eq!(made.code, 0, "{}", made.err);
        assert_eq!(made.lines()[0]["state"], json!(state.to_string()));
        assert!(made.err.contains(&key_id(KEY).to_string()) && made.err.contains(DATABASE));
        let verdict = |seed, database| {
            let key = format!("database = \"{database}\"\npem = '''{}'''\n", pem(seed));
            user.write("policy", &format!("ledger = \"{ledger}\"\n[[state_keys]]\n{key}"));
            let told = user.run(&["verify", "made", "--policy", "policy", "--json"]);
            (told.code, told.lines()[0]["verdict"].as_str().unwrap().to_owned())
        };
        assert_eq!(verdict(KEY, DATABASE), (0, "verified_by_signature".into()));
        assert_eq!(verdict(KEY, "other"), (1, "broken".into()));
        assert_eq!(verdict(KEY + 1, DATABASE), (3, "intact_unanchored".into()));
    }
}

/// What an auditor's policy says, by what he trusts.
struct Trusts<'a> {
    ledger: &'a str,
    log: &'a str,
}

impl Trusts<'_> {
    fn verdicts(&self, user: &User, server: bool, log: bool) -> (i32, Vec<(Value, Value)>) {
        let mut policy = format!("ledger = \"{}\"\n", self.ledger);
        if log {
            policy += &format!("quorum = \"none\"\n[[logs]]\nkey = \"{}\"\n", self.log);
        }
        if server {
            policy +=
                &format!("[[state_keys]]\ndatabase = \"{DATABASE}\"\npem = '''{}'''\n", pem(KEY));
        }
        user.write("policy", &policy);
        let told = user.run(&["verify", "made", "--policy", "policy", "--json"]);
        let events = told.lines()[0]["events"].as_array().unwrap().clone();
        let said =
            events.iter().map(|event| (event["verdict"].clone(), event["anchor"]["by"].clone()));
        (told.code, said.collect())
    }
}

/// A receipt with both signatures holds for whoever trusts one of the two. The log vouches for what
/// is in its tree, which the state's own transaction is not.
#[test]
fn the_servers_signature_and_a_checkpoint_are_in_one_receipt() {
    let user = owner();
    let state: TrustedState = user.state().parse().unwrap();
    assert_eq!(state.tx.get(), 4);
    user.json(&["append", "d", "r", "T", "later"]);
    let made = user.json(&["checkpoint", "keygen", "log.key", "--origin", ORIGIN]);
    let log = made[0]["key"].as_str().unwrap();
    for (size, first) in [("3", &["--first"][..]), ("4", &[])] {
        let make = ["checkpoint", "make", "--key", "log.key", "--size", size, "-o", size];
        user.json(&[&make[..], first].concat());
    }
    let answer = answer(&state, KEY);
    let both = |checkpoint| ["--state-key", "key.pem", "--checkpoint", checkpoint, "--json", "2"];
    let made = issue(&user, &answer, &both("3"));
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(made.lines()[0]["state"], json!(state.to_string()));

    let ledger = user.json(&["state"])[0]["pin"]["ledger"].as_str().unwrap().to_owned();
    let trusts = Trusts { ledger: &ledger, log };
    let verdicts = |server, log| trusts.verdicts(&user, server, log);
    let signed = |by: &str| (json!("verified_by_signature"), json!(by));
    let none = || (json!("intact_unanchored"), Value::Null);
    assert_eq!(
        verdicts(true, false),
        (0, vec![signed("state_signature"), signed("state_signature")])
    );
    assert_eq!(verdicts(false, true), (3, vec![signed("log"), none()]));
    assert_eq!(verdicts(false, false), (3, vec![none(), none()]));
    let (code, events) = verdicts(true, true);
    assert_eq!((code, &events[1]), (0, &signed("state_signature")));
    assert_eq!(events[0].0, "verified_by_signature");

    // Of another state than the server signed.
    let refused = issue(&user, &answer, &both("4"));
    refused.fails(2, "with a checkpoint of size 4 it is that of transaction 5");
    refused.fails(2, "a checkpoint of size 3 goes with that");
    assert!(!user.path("made").exists());
    // The receipt is under the checkpoint's state, and is tied to a later one.
    let later = user.state();
    let tied = ["receipt", "d", "r", "1", "-o", "made", "--checkpoint", "3", "--link-to", &later];
    assert_eq!(user.json(&tied)[0]["until"], json!(later));
}

#[test]
fn nothing_is_made_of_what_the_key_did_not_sign() {
    let user = owner();
    let before = user.state();
    user.json(&["append", "d", "r", "T", "3"]);
    let state: TrustedState = user.state().parse().unwrap();
    let good = answer(&state, KEY);
    let with = |key: &str, value: Value| {
        let mut changed = good.clone();
        changed[key] = value;
        changed
    };
    let hash = base64(&[0; 31]);
    for (answer, words) in [
        (answer(&state, KEY + 1), "signature"),
        (with("db", json!("other")), "signature"),
        (with("txId", json!("3")), "signature"),
        (with("txHash", json!(base64(&[0; 32]))), "signature"),
        (with("txHash", json!(hash)), "txHash"),
        (with("txId", json!("x")), "txId"),
        (with("txId", json!(-1)), "state.json"),
        (with("signature", Value::Null), "without a signing key"),
        (with("signature", json!({ "signature": "!" })), "base64"),
        (json!({}), "state.json"),
    ] {
        issue(&user, &answer, &["--state-key", "key.pem"]).fails(2, words);
        assert!(!user.path("made").exists());
    }
    issue(&user, &good, &["--state-key", "other.pem"]).fails(2, "signature");
    issue(&user, &good, &["--state-key", "absent.pem"]).fails(2, "no such file");
    issue(&user, &good, &["--state-key", "state.json"]).fails(2, "PUBLIC KEY");
    issue(&user, &good, &[]).fails(2, "--state-key");
    let under = |state: &str| issue(&user, &good, &["--state-key", "key.pem", "--under", state]);
    under(&before).fails(2, "a receipt is under one state");
    assert!(!user.path("made").exists());
    assert_eq!(under(&state.to_string()).code, 0, "the same is said twice");
    // Signed, and no state that this ledger was in.
    let other = TrustedState { alh: counterfoil::Alh::new([0; 32]), ..state };
    issue(&user, &answer(&other, KEY), &["--state-key", "key.pem"]).fails(1, "state");
    assert!(!user.path("made").exists());
}
