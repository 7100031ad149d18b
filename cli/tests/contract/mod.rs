//! What every command does, whatever keeps the ledger. Each test gets a user
//! whose ledger is not there yet.

use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::support::User;

/// Writes every test of the contract for users that `$user` makes.
macro_rules! contract {
    ($user:expr) => {
        mod contract_tests {
            use crate::contract;
            contract::tests!(
                $user,
                init_append_read,
                an_external_id_makes_it_idempotent,
                expected_versions,
                lines_in_their_order,
                a_bad_line_is_named,
                the_log_goes_on_where_it_ended,
                states_are_compared,
                a_follower_sees_what_comes,
                an_audit_has_a_verdict
            );
        }
    };
}
macro_rules! tests {
    ($user:expr, $($name:ident),+) => {$(
        #[test]
        fn $name() { contract::$name(&$user); }
    )+};
}
pub(crate) use {contract, tests};

pub(crate) fn init_append_read(user: &User) {
    assert_eq!(user.run(&["append", "shipment", "S-1", "Departed", "x"]).code, 4, "no ledger yet");
    let status = user.json(&["init"]);
    assert_eq!(status[0]["pin"]["anchor"], "created");
    assert_eq!(user.json(&["init"])[0]["pin"]["ledger"], status[0]["pin"]["ledger"]);

    user.write("photo", "\u{0}\u{1}");
    let written = user.json(&["append", "shipment", "S-1", "Departed", "{}", "--metadata", "a=b"]);
    assert_eq!(written[0]["events"][0]["sequence"], 0);
    assert_eq!(written[0]["repeated"], false);
    user.json(&["append", "shipment", "S-1", "Photographed", "@photo", "--correlation-id", "c"]);
    let arguments = ["append", "shipment", "S-1", "Noted", "@-", "--edition", "draft"];
    assert_eq!(user.run_with(&arguments, "from stdin").code, 0);

    let events = user.json(&["read", "shipment", "S-1"]);
    let content = |event: &Value| event["event"]["payload"]["inline"].clone();
    assert_eq!(events.iter().map(content).collect::<Vec<_>>(), ["{}", "hex:0001"]);
    assert_eq!(events[0]["event"]["metadata"], json!({ "a": "b" }));
    assert_eq!(user.json(&["read", "shipment", "S-1", "--backward", "--limit", "1"]), events[1..]);
    let draft = user.json(&["read", "shipment", "S-1", "--edition", "draft"]);
    assert_eq!(content(&draft[0]), "from stdin");
    assert_eq!(user.json(&["log", "--correlation-id", "c"]), events[1..]);

    let text = user.run(&["read", "shipment", "S-1"]);
    assert!(text.out.starts_with("shipment/S-1 0  Departed  20"), "{}", text.out);
    assert!(!text.out.contains('\u{1b}'), "no colours where there is no terminal");
    let streams = user.run(&["streams", "--domain", "shipment"]);
    assert_eq!(streams.out, "shipment/S-1  2 events\nshipment/S-1@draft  1 event\n");
    let none = user.run(&["read", "shipment", "S-2"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert!(none.err.contains("has no such events"), "{}", none.err);
}

pub(crate) fn an_external_id_makes_it_idempotent(user: &User) {
    user.json(&["init"]);
    let append =
        |content| user.run(&["append", "d", "r", "T", content, "--external-id", "e", "--json"]);
    assert_eq!(append("x").lines()[0]["repeated"], false);
    assert_eq!(append("x").lines()[0]["repeated"], true);
    let conflict = append("y");
    conflict.fails(6, "used in transaction 2 for other events");
    let error: Value = serde_json::from_str(&conflict.err).unwrap();
    assert_eq!(error["error"]["exit"], 6);
    assert_eq!(user.json(&["read", "d", "r"]).len(), 1);
}

pub(crate) fn expected_versions(user: &User) {
    user.json(&["init"]);
    let append = |expect| user.run(&["append", "d", "r", "T", "x", "--expect", expect]);
    append("0").fails(6, "the stream is at no event, but event 0 was expected");
    append("exists").fails(6, "the stream is at no event");
    assert_eq!(append("none").code, 0);
    append("none").fails(6, "the stream is at event 0");
    assert_eq!(append("0").code, 0);
    append("sometime").fails(2, "any, none, exists or a sequence");
    assert_eq!(user.json(&["read", "d", "r"]).len(), 2);
}

fn line(root: usize, content: usize) -> String {
    let event = json!({
        "cover": { "domain": "d", "root": format!("r{root}") },
        "event_type": "T",
        "payload": { "inline": content.to_string() },
        "external_id": format!("e{content}"),
    });
    format!("{event}\n")
}

pub(crate) fn lines_in_their_order(user: &User) {
    user.json(&["init"]);
    let lines: String = (0..300).map(|n| line(n % 3, n)).collect();
    user.write("events.jsonl", &lines);
    let appended = user.json(&["append", "--lines", "events.jsonl"]);
    assert_eq!(appended.len(), 300);
    for root in 0..3 {
        let events = user.json(&["read", "d", &format!("r{root}")]);
        let contents = events.iter().map(|event| event["event"]["payload"]["inline"].clone());
        let wanted: Vec<_> = (0..300).skip(root).step_by(3).map(|n| n.to_string()).collect();
        assert_eq!(contents.collect::<Vec<_>>(), wanted);
    }
    let before = user.state();
    let again = user.run_with(&["append", "--lines", "-"], &lines);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("300 of 300 had been appended before"), "{}", again.err);
    assert_eq!(user.state(), before);
}

pub(crate) fn a_bad_line_is_named(user: &User) {
    user.json(&["init"]);
    let lines = [line(0, 0), "\n".into(), line(0, 1), "{\"cover\": 1}\n".into(), line(0, 2)];
    let ran = user.run_with(&["append", "--lines", "-", "--json"], &lines.concat());
    ran.fails(2, "line 4: ");
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((&error["error"]["line"], &error["error"]["appended"]), (&json!(4), &json!(2)));
    // What comes behind may have been under way; what came before is there.
    let events = user.json(&["read", "d", "r0"]);
    assert!((2..=3).contains(&events.len()));
    user.run(&["append", "--lines", "absent.jsonl"]).fails(2, "absent.jsonl: ");
}

pub(crate) fn the_log_goes_on_where_it_ended(user: &User) {
    user.json(&["init"]);
    let lines: String = (0..10).map(|n| line(n % 2, n)).collect();
    assert_eq!(user.run_with(&["append", "--lines", "-"], &lines).code, 0);
    let all = user.json(&["log"]);
    assert_eq!(all.len(), 10);
    let first = user.json(&["log", "--limit", "4"]);
    assert_eq!(first, all[..4]);
    let after = format!("{}/{}", first[3]["tx"], first[3]["entry"]);
    assert_eq!(user.json(&["log", "--after", &after]), all[4..]);
    assert!(user.json(&["log", "--after", &all[9]["tx"].to_string()]).is_empty());
}

pub(crate) fn states_are_compared(user: &User) {
    user.json(&["init"]);
    let first = user.state();
    user.json(&["append", "d", "r", "T", "x"]);
    let second = user.state();
    for state in [&first, &second] {
        let same = user.run(&["state", "compare", state]);
        assert_eq!(same.out, format!("{second} contains {state}\n"));
    }
    let other = format!("1{}", &second[1..]);
    user.run(&["state", "compare", &other]).fails(1, &format!("never was at {other}"));
    let beyond = format!("9{}", &second[1..]);
    user.run(&["state", "compare", &beyond]).fails(3, "beyond the verified state");
    user.run(&["state", "compare"]).fails(2, "TX:ALH");
    user.run(&["state", "compare", "2:00"]).fails(2, "2:00");
    let pin = user.run(&["state", "pin"]).out;
    assert!(pin.contains(&format!("pin = \"{second}\"")), "{pin}");
    // A ledger that does not contain what the caller pins is refused.
    user.run(&["read", "d", "r", "--pin", &other]).fails(1, "");
    assert_eq!(user.run(&["read", "d", "r", "--pin", &first]).code, 0);
}

pub(crate) fn a_follower_sees_what_comes(user: &User) {
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "before"]);
    let mut child =
        user.command(&["follow", "--after", "1", "--limit", "1", "--json"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let followed: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(followed["event"]["event"]["payload"]["inline"], "before");
    assert!(child.wait().unwrap().success());
}

pub(crate) fn an_audit_has_a_verdict(user: &User) {
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    let state = user.state();
    let report = user.json(&["audit", "--containing", &state, "--resume", "audit.file"]);
    assert_eq!(report[0]["verdict"], "intact");
    assert_eq!(report[0]["counts"]["events"], 1);
    let other = format!("1{}", &state[1..]);
    let broken = user.run(&["audit", "--containing", &other]);
    assert_eq!(broken.code, 1, "{}", broken.err);
    assert!(broken.out.ends_with("verdict broken\n"), "{}", broken.out);
}
