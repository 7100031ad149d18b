//! What every command does, whatever keeps the ledger. Each test gets a user
//! whose ledger is not there yet.

use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::support::{Ran, User};

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
                an_audit_has_a_verdict,
                a_receipt_stands_alone,
                a_receipt_extends_an_older_pin,
                one_receipt_holds_many_events,
                a_receipt_is_under_the_state_that_is_named,
                a_receipt_is_written_over_only_if_told,
                epcis_documents_are_appended_once,
                a_stream_ends_at_the_event_that_fails,
                epcis_lines_are_read_one_by_one,
                stderr_is_json_where_it_is_asked_for,
                a_follower_beyond_the_end_is_told,
                a_follower_ends_when_it_is_asked_to,
                a_follower_ends_when_nobody_reads
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
    // What came before is there and was shown; what comes behind was not begun.
    assert_eq!(ran.lines().len(), 2);
    assert_eq!(user.json(&["read", "d", "r0"]).len(), 2);
    // What only the store refuses may have others behind it under way: all that
    // was appended is shown.
    let lines = [
        line(1, 10),
        line(1, 11),
        "{\"cover\": {\"domain\": \"\", \"root\": \"\"}, \
        \"event_type\": \"T\", \"payload\": {\"inline\": \"\"}}\n"
            .into(),
        line(1, 12),
    ];
    let ran = user.run_with(&["append", "--lines", "-", "--json"], &lines.concat());
    ran.fails(2, "line 3: ");
    assert_eq!(ran.lines().len(), user.json(&["read", "d", "r1"]).len());
    user.run(&["append", "--lines", "absent.jsonl"]).fails(2, "absent.jsonl: ");
}

pub(crate) fn the_log_goes_on_where_it_ended(user: &User) {
    user.json(&["init"]);
    let none = user.run(&["log", "--correlation-id", "c"]);
    let note =
        format!("note: no event carries the correlation id c under state {}\n", user.state());
    assert_eq!((none.code, none.out.as_str(), none.err), (0, "", note));
    for (command, nothing) in
        [("log", "the ledger has no events"), ("streams", "there are no such streams")]
    {
        let none = user.run(&[command]);
        let note = format!("note: {nothing} under state {}\n", user.state());
        assert_eq!((none.code, none.out.as_str(), none.err), (0, "", note));
    }
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

/// Somebody who has nothing but a receipt: no ledger, no server, no configuration.
struct Verifier {
    user: User,
    id: String,
}

impl Verifier {
    fn of(user: &User, receipt: &str) -> Self {
        let verifier = User::new(&[], &[]);
        std::fs::copy(user.path(receipt), verifier.path(receipt)).unwrap();
        let id = user.json(&["state"])[0]["pin"]["ledger"].as_str().unwrap().to_owned();
        Self { user: verifier, id }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.user.run(&[&["verify", "--ledger-id", &self.id], arguments].concat())
    }

    /// Its exit code, the verdict and the reason of each file.
    #[track_caller]
    fn says(&self, arguments: &[&str], code: i32, verdicts: &[(&str, Value)]) -> Vec<Value> {
        let ran = self.run(&[arguments, &["--json"]].concat());
        let lines = ran.lines();
        let said =
            lines.iter().map(|line| (line["verdict"].as_str().unwrap(), line["reason"].clone()));
        assert_eq!(
            (ran.code, said.collect::<Vec<_>>().as_slice()),
            (code, verdicts),
            "{}",
            ran.err
        );
        lines
    }
}

pub(crate) fn a_receipt_stands_alone(user: &User) {
    user.json(&["init"]);
    user.json(&["append", "shipment", "S-1", "Departed", "{}", "--external-id", "e"]);
    user.json(&["append", "shipment", "S-1", "Arrived", "x", "--metadata", "unit=kg"]);
    let made = user.json(&["receipt", "shipment", "S-1", "1", "-o", "a"]);
    let size = std::fs::metadata(user.path("a")).unwrap().len();
    let state = user.state();
    assert_eq!((&made[0]["size"], &made[0]["state"]), (&json!(size), &json!(state)));
    assert_eq!(made[0]["places"], json!([{ "tx": 3, "entry": 0 }]));
    // Nothing is written over.
    user.run(&["receipt", "shipment", "S-1", "0", "-o", "a"]).fails(2, "a: ");
    assert_eq!(std::fs::metadata(user.path("a")).unwrap().len(), size);
    let text = user.run(&["receipt", "shipment", "S-1", "1", "-o", "again"]).out;
    assert_eq!(text, format!("again: {size} bytes, under state {state}\n"));
    user.run(&["receipt", "shipment", "S-1", "2", "-o", "b"]).fails(6, "no event 2");
    assert!(!user.path("b").exists());
    user.run(&["receipt", "shipment", "S-1", "1", "-o", "no/a"]).fails(2, "no/a: ");

    let verifier = Verifier::of(user, "a");
    let verified = ("verified_by_pinned_state", Value::Null);
    let shown = verifier.says(&["a", "--pin", &state], 0, std::slice::from_ref(&verified));
    // What is proved is what was read in the ledger.
    let read = user.json(&["read", "shipment", "S-1", "--from", "1"]);
    for field in ["event", "sequence", "tx", "entry", "recorded_at", "committed_at"] {
        assert_eq!(shown[0]["events"][0][field], read[0][field], "{field}");
    }
    assert_eq!(shown[0]["state"], json!(state));
    let text = verifier.run(&["a", "--pin", &state]).out;
    let words = format!(
        "verified_by_pinned_state  a: verified by the pinned state 3\n  under state {state}; times as the ledger says\n"
    );
    assert!(text.starts_with(&words), "{text}");
    let words =
        "\n  verified_by_pinned_state\n    author: unsigned\n    | shipment/S-1 1  Arrived  20";
    assert!(text.contains(words), "{text}");

    verifier.says(&["a"], 3, &[("intact_unanchored", Value::Null)]);
    verifier.says(&["a", "--pin", &state, "--table", "77"], 1, &[("broken", json!("table"))]);
    let elsewhere = format!("4{}", &state[1..]);
    verifier.says(&["a", "--pin", &elsewhere], 5, &[("cannot_decide", json!("link"))]);
    let forked = format!("3:{}", "0".repeat(64));
    let contradicts = ("broken", json!("contradicts_policy"));
    verifier.says(&["a", "--pin", &forked], 1, std::slice::from_ref(&contradicts));
    verifier.says(&["a", "--pin", &elsewhere, "--pin", &state], 0, std::slice::from_ref(&verified));
    verifier.run(&["a", "--pin", &forked, "--pin", &state]).fails(2, "two pins of transaction 3");
    let other_id = ["verify", "a", "--ledger-id", &"1".repeat(64), "--pin", &state];
    assert_eq!(verifier.user.run(&other_id).code, 5);

    // Every byte of it matters, and of several files the worst is told.
    let bytes = std::fs::read(user.path("a")).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 12) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        std::fs::write(verifier.user.path("changed"), changed).unwrap();
        let format = ("broken", json!("format"));
        verifier.says(
            &["a", "changed", "a", "--pin", &state],
            1,
            &[verified.clone(), format, verified.clone()],
        );
    }
    verifier.run(&["absent", "a", "--pin", &state]).fails(4, "absent: ");

    // What is trusted may stand in a configuration, if it is named.
    let trust = format!("[trust]\nledger = \"{}\"\npin = \"{state}\"\n", verifier.id);
    verifier.user.write("counterfoil.toml", &trust);
    verifier.user.run(&["verify", "a"]).fails(2, "--ledger-id");
    assert_eq!(verifier.user.run(&["verify", "a", "--config", "counterfoil.toml"]).code, 0);
    let mut left: Vec<_> = std::fs::read_dir(verifier.user.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["a", "changed", "counterfoil.toml"], "nothing was opened or made");
}

pub(crate) fn a_receipt_extends_an_older_pin(user: &User) {
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "before"]);
    let pin = user.state();
    user.json(&["append", "d", "r", "T", "after"]);
    for (sequence, name) in [("0", "before"), ("1", "after")] {
        user.json(&["receipt", "d", "r", sequence, "--since", &pin, "-o", name]);
    }
    let verifier = Verifier::of(user, "after");
    std::fs::copy(user.path("before"), verifier.user.path("before")).unwrap();
    let extends = ("extends_pin_unconfirmed", Value::Null);
    let shown = verifier.says(&["after", "--pin", &pin], 3, std::slice::from_ref(&extends));
    // With what leads on from there, for programs' readers too.
    let detail = shown[0]["detail"].as_str().unwrap();
    assert!(detail.contains("What leads on is a newer pin, from somebody you trust"), "{detail}");
    let text = verifier.run(&["after", "--pin", &pin]).out;
    assert!(text.contains(detail), "{text}");
    let verified = ("verified_by_pinned_state", Value::Null);
    verifier.says(&["before", "--pin", &pin], 0, std::slice::from_ref(&verified));
    verifier.says(&["after", "before", "--pin", &pin], 3, &[extends, verified]);
    let other = format!("2:{}", "1".repeat(64));
    user.run(&["receipt", "d", "r", "0", "--since", &other, "-o", "no"]).fails(1, "never was at");
    let beyond = format!("9{}", &pin[1..]);
    user.run(&["receipt", "d", "r", "0", "--since", &beyond, "-o", "no"]).fails(3, "beyond");
    assert!(!user.path("no").exists());
}

pub(crate) fn one_receipt_holds_many_events(user: &User) {
    user.json(&["init"]);
    let pin = user.state();
    for n in 0..6 {
        user.json(&["append", "d", "r", "T", &n.to_string()]);
    }
    let state = user.state();
    let all = user.json(&["receipt", "d", "r", "--all", "-o", "all", "--link-from", &pin]);
    let some = user.json(&["receipt", "d", "r", "5", "0", "2-3", "-o", "some"]);
    for (made, name, count) in [(&all[0], "all", 6), (&some[0], "some", 4)] {
        let size = std::fs::metadata(user.path(name)).unwrap().len();
        assert_eq!((&made["size"], &made["state"]), (&json!(size), &json!(state)));
        assert_eq!(made["places"].as_array().unwrap().len(), count);
        assert!(made["size_of_singles"].as_u64().unwrap() > size * 3 / 2, "{made}");
    }
    let text = user.run(&["receipt", "d", "r", "0-1", "-o", "two"]).out;
    assert!(text.starts_with("two: 2 events in ") && text.contains(" % of the "), "{text}");
    user.run(&["receipt", "d", "r", "4-6", "-o", "no"]).fails(6, "no event 6");
    user.run(&["receipt", "d", "r", "3-1", "-o", "no"]).fails(2, "3 comes after 1");
    user.run(&["receipt", "d", "r", "x", "-o", "no"]).fails(2, "no sequence");
    user.run(&["receipt", "d", "r", "-o", "no"]).fails(2, "SEQUENCE");
    user.run(&["receipt", "d", "r", "1", "--all", "-o", "no"]).fails(2, "--all");
    user.run(&["receipt", "d", "s", "--all", "-o", "no"]).fails(2, "d/s has no events");
    let most = format!("0-{}", u64::MAX);
    user.run(&["receipt", "d", "r", &most, "-o", "no"]).fails(2, "cannot hold");
    assert!(!user.path("no").exists());

    let verifier = Verifier::of(user, "all");
    std::fs::copy(user.path("some"), verifier.user.path("some")).unwrap();
    let verified = ("verified_by_pinned_state", Value::Null);
    let shown = verifier.says(&["some", "all", "--pin", &state], 0, &[verified.clone(), verified]);
    let contents = |shown: &Value| -> Vec<String> {
        let events = shown["events"].as_array().unwrap().iter();
        events.map(|e| e["event"]["payload"]["inline"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(contents(&shown[0]), ["0", "2", "3", "5"]);
    assert_eq!(contents(&shown[1]), ["0", "1", "2", "3", "4", "5"]);
    // The link is in the one that asked for it.
    let extends = ("extends_pin_unconfirmed", Value::Null);
    verifier.says(&["all", "--pin", &pin], 3, &[extends]);
    verifier.says(&["some", "--pin", &pin], 5, &[("cannot_decide", json!("link"))]);
}

pub(crate) fn a_receipt_is_under_the_state_that_is_named(user: &User) {
    user.json(&["init"]);
    let mut states = vec![user.state()];
    for n in 0..4 {
        user.json(&["append", "d", "r", "T", &n.to_string()]);
        states.push(user.state());
    }
    let made = user.json(&["receipt", "d", "r", "0", "--under", &states[2], "-o", "a"]);
    assert_eq!(made[0]["state"], json!(states[2]));
    let tied = ["--under", &states[2], "--link-from", &states[1], "--link-to", &states[4]];
    user.json(&[&["receipt", "d", "r", "0", "1", "-o", "b"], &tied[..]].concat());
    let verifier = Verifier::of(user, "a");
    std::fs::copy(user.path("b"), verifier.user.path("b")).unwrap();
    let verified = ("verified_by_pinned_state", Value::Null);
    verifier.says(&["a", "b", "--pin", &states[2]], 0, &[verified.clone(), verified.clone()]);
    verifier.says(&["a", "--pin", &states[4]], 5, &[("cannot_decide", json!("link"))]);
    // What to ask for is said, to whoever reads it.
    let text = verifier.run(&["a", "--pin", &states[4]]).out;
    assert!(text.contains("is missing: have the receipt made with `--under"), "{text}");
    user.json(&["receipt", "d", "r", "3", "-o", "c"]);
    std::fs::copy(user.path("c"), verifier.user.path("c")).unwrap();
    let text = verifier.run(&["c", "--pin", &states[1]]).out;
    // A link shows nothing of what is newer than the pin.
    assert!(text.contains(" is missing, and would not be enough: an event is newer"), "{text}");
    assert!(text.contains("What leads on is a newer pin"), "{text}");
    user.json(&["receipt", "d", "r", "0", "-o", "d"]);
    std::fs::copy(user.path("d"), verifier.user.path("d")).unwrap();
    let told = " is missing: have the receipt made with `--since TX:ALH` of your pin, or pin a \
                newer state";
    assert!(verifier.run(&["d", "--pin", &states[2]]).out.contains(told));
    let link = ("cannot_decide", json!("link"));
    let shown = verifier.says(&["d", "--pin", &states[2]], 5, &[link]);
    assert!(shown[0]["detail"].as_str().unwrap().ends_with(told), "{}", shown[0]);
    verifier.says(&["b", "--pin", &states[4]], 0, &[verified]);
    verifier.says(&["b", "--pin", &states[3]], 5, &[("cannot_decide", json!("link"))]);
    let refused = |arguments: &[&str], code, words: &str| {
        user.run(&[&["receipt", "d", "r", "-o", "no"], arguments].concat()).fails(code, words);
    };
    refused(&["3", "--under", &states[2]], 6, "after transaction 3");
    refused(&["0", "--link-to", &states[4]], 2, "--under");
    refused(&["0", "--under", &states[2], "--link-to", &states[1]], 2, "is not behind");
    refused(&["0", "--under", &states[2], "--since", &states[3]], 2, "is not before");
    let other = format!("3:{}", "0".repeat(64));
    refused(&["0", "--under", &other], 1, "never was at");
    assert!(!user.path("no").exists());
}

pub(crate) fn a_receipt_is_written_over_only_if_told(user: &User) {
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    user.write("a", "CfR: an older one");
    user.write("key", "no receipt");
    for force in [&[][..], &["--force"]] {
        let ran = user.run(&[&["receipt", "d", "r", "0", "-o", "key"], force].concat());
        ran.fails(2, "key: it is ");
        assert_eq!(std::fs::read(user.path("key")).unwrap(), b"no receipt");
    }
    user.run(&["receipt", "d", "r", "0", "-o", "a"]).fails(2, "--force");
    assert_eq!(std::fs::read(user.path("a")).unwrap(), b"CfR: an older one");
    // What fails leaves it as it was.
    assert_eq!(user.run(&["receipt", "d", "r", "7", "-o", "a", "--force"]).code, 6);
    assert_eq!(std::fs::read(user.path("a")).unwrap(), b"CfR: an older one");
    user.json(&["receipt", "d", "r", "0", "-o", "a", "--force"]);
    assert!(std::fs::read(user.path("a")).unwrap().starts_with(b"CfR"));
    assert!(!user.names().iter().any(|name| name.starts_with(".receipt")), "{:?}", user.names());
    // Nor over what it is made of.
    let files = user.json(&["state"])[0]["files"].clone();
    for file in [&files["ledger"], &files["log"]] {
        let Some(file) = file.as_str() else { continue };
        let before = std::fs::read(file).unwrap();
        user.run(&["receipt", "d", "r", "0", "-o", file, "--force"]).fails(2, "is made of it");
        assert_eq!(std::fs::read(file).unwrap(), before);
        // Nor in the place of what lies beside it, or may once lie there.
        for behind in ["-wal", "-shm", "-journal", ".lock", ".pin"] {
            let (beside, made) = (format!("{file}{behind}"), ["receipt", "d", "r", "0", "-o"]);
            let before = std::fs::read(&beside).ok();
            for force in [&[][..], &["--force"]] {
                let ran = user.run(&[&made[..], &[&beside], force].concat());
                ran.fails(2, "is made of it");
            }
            assert_eq!(std::fs::read(&beside).ok(), before, "{beside}");
        }
    }
    assert!(files["log"].is_string());
}

/// As one that came from elsewhere: indented, with an event without an id.
const DOCUMENT: &str = r#"{
  "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
  "type": "EPCISDocument", "schemaVersion": "2.0", "id": "urn:example:delivery-1",
  "epcisBody": { "eventList": [
    { "type": "ObjectEvent", "eventID": "urn:uuid:1", "action": "OBSERVE",
      "epcList": ["urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.2"],
      "quantity":  1.50 },
    {"type":"AggregationEvent","parentID":"urn:epc:id:sscc:0614141.1234567890",
     "childEPCs":["urn:epc:id:sgtin:0614141.107346.1"]},
    { "type": "ObjectEvent", "eventID": "urn:uuid:3",
      "epcList": ["urn:epc:id:sgtin:0614141.107346.1"] }
  ] } }
"#;

pub(crate) fn epcis_documents_are_appended_once(user: &User) {
    user.json(&["init"]);
    user.write("delivery.jsonld", DOCUMENT);
    let appended = user.json(&["append", "--epcis", "delivery.jsonld"]);
    assert_eq!(appended.len(), 3);
    let item = user.json(&["read", "epcis", "urn:epc:id:sgtin:0614141.107346.1"]);
    let ids: Vec<&Value> = item.iter().map(|event| &event["event"]["external_id"]).collect();
    assert_eq!(ids, ["urn:uuid:1", "urn:uuid:3"]);
    // Byte for byte, line feeds and spaces among them.
    let payload = item[0]["event"]["payload"]["inline"].as_str().unwrap();
    assert!(DOCUMENT.contains(payload) && payload.contains("\"quantity\":  1.50 }"), "{payload}");
    assert_eq!(item[0]["event"]["metadata"]["document"], "urn:example:delivery-1");
    let pallet = user.json(&["read", "epcis", "urn:epc:id:sscc:0614141.1234567890"]);
    assert_eq!(pallet[0]["event"]["event_type"], "AggregationEvent");
    let before = user.state();
    let again = user.run_with(&["append", "--epcis", "-"], DOCUMENT);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("3 of 3 had been appended before"), "{}", again.err);
    assert_eq!(user.state(), before);
    // Elsewhere they are others.
    let other = ["append", "--epcis", "delivery.jsonld", "--in-domain", "goods", "--edition", "x"];
    assert_eq!(user.json(&other)[0]["repeated"], false);
    let streams = user.run(&["streams", "--domain", "goods"]).out;
    assert!(streams.contains("urn:epc:id:sscc:0614141.1234567890@x"), "{streams}");
    // Nor is an event that comes again in another document: it stands as it came first.
    let document = DOCUMENT.replace("delivery-1", "delivery-2").replace("epcis-context", "other");
    let forwarded = user.run_with(&["append", "--epcis", "-", "--json"], &document);
    assert_eq!(forwarded.code, 0, "{}", forwarded.err);
    assert!(forwarded.lines().iter().all(|line| line["repeated"] == true), "{}", forwarded.out);
    assert_eq!(user.json(&["read", "epcis", "urn:epc:id:sgtin:0614141.107346.1"]), item);
    // An event that says otherwise under an id that was used is refused, by its place.
    let changed = DOCUMENT.replace("OBSERVE", "DELETE");
    let refused = user.run_with(&["append", "--epcis", "-", "--json"], &changed);
    refused.fails(6, "used in transaction");
    assert_eq!(refused.said()[0]["error"]["event"], 1);
    user.run_with(&["append", "--epcis", "-"], "{\"a\": 1}").fails(2, "no EPCIS document");
    user.run(&["append", "--epcis", "absent.jsonld"]).fails(2, "absent.jsonld: ");
    user.run(&["append", "d", "r", "T", "x", "--in-domain", "d"]).fails(2, "--in-domain");
    user.run(&["append", "--lines", "-", "--in-domain", "d"]).fails(2, "--in-domain");
}

/// What comes behind an event that fails is not in the ledger, whatever its stream.
pub(crate) fn a_stream_ends_at_the_event_that_fails(user: &User) {
    user.json(&["init"]);
    // What the store refuses, among others of its stream and of another.
    let refused = json!({
        "cover": { "domain": "d", "root": "r0" }, "event_type": "T",
        "payload": { "inline": "another" }, "external_id": "e0",
    });
    let mut lines: Vec<String> = (0..40).map(|n| line(n % 2, n)).collect();
    lines.insert(20, format!("{refused}\n"));
    let ran = user.run_with(&["append", "--lines", "-", "--json"], &lines.concat());
    ran.fails(6, "line 21: ");
    let contents = |root| -> Vec<usize> {
        let events = user.json(&["read", "d", root]);
        let content = |event: &Value| event["event"]["payload"]["inline"].as_str()?.parse().ok();
        events.iter().map(|event| content(event).unwrap()).collect()
    };
    assert_eq!(contents("r0"), (0..20).step_by(2).collect::<Vec<_>>());
    let other = contents("r1");
    assert_eq!(other, (1..20).step_by(2).collect::<Vec<_>>());
    assert_eq!(ran.lines().len(), 10 + other.len());
    assert_eq!(ran.said().last().unwrap()["error"]["appended"], 10 + other.len());
}

pub(crate) fn epcis_lines_are_read_one_by_one(user: &User) {
    user.json(&["init"]);
    let event = |n: usize| {
        format!("{{\"type\":\"ObjectEvent\",\"epcList\":[\"urn:{}\"],\"n\":{n}}}", n % 2)
    };
    let document = DOCUMENT.replace('\n', " ");
    let mut lines: Vec<String> = (0..20).map(event).collect();
    lines.insert(10, document);
    lines.push(String::new());
    let ran = user.run_with(&["append", "--epcis", "-", "--json"], &lines.join("\n"));
    assert_eq!((ran.code, ran.lines().len()), (0, 23), "{}", ran.err);
    let read = user.json(&["read", "epcis", "urn:1"]);
    let wanted: Vec<String> = (0..20).filter(|n| n % 2 == 1).map(event).collect();
    let found: Vec<_> = read.iter().map(|e| e["event"]["payload"]["inline"].clone()).collect();
    assert_eq!(found, wanted);
    lines.insert(1, "{\"type\": ".into());
    let ran = user.run_with(&["append", "--epcis", "-", "--json"], &lines.join("\n"));
    ran.fails(2, "line 2: ");
    assert_eq!(ran.said().last().unwrap()["error"]["appended"], 1);
}

pub(crate) fn stderr_is_json_where_it_is_asked_for(user: &User) {
    user.json(&["init"]);
    let error = |arguments: &[&str], code: i32| {
        let ran = user.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{}", ran.err);
        let said = ran.said();
        assert_eq!((said.len(), &said[0]["error"]["exit"]), (1, &json!(code)), "{}", ran.err);
        said[0]["error"]["message"].as_str().unwrap().to_owned()
    };
    assert!(error(&["read", "--json"], 2).contains("<DOMAIN>"));
    assert!(error(&["--json", "nonsense"], 2).contains("unrecognized subcommand"));
    assert!(error(&["receipt", "d", "r", "0", "-o", "a", "--json"], 6).contains("no event 0"));
    let note = user.run(&["read", "d", "r", "--json"]);
    assert_eq!((note.code, note.out.as_str()), (0, ""));
    assert!(note.said()[0]["note"]["message"].as_str().unwrap().contains("no such events"));
    // What is logged, too.
    let logged = user.run(&["state", "--json", "-vvv"]);
    assert!(logged.said().iter().all(|line| line["level"].is_string()), "{}", logged.err);
    // An argument is no option, and without the option it is text.
    let text = user.run(&["nonsense", "--", "--json"]);
    assert_eq!(text.code, 2);
    assert!(text.err.starts_with("error: "), "{}", text.err);
    assert_eq!(user.run(&["--help", "--json"]).code, 0);
}

pub(crate) fn a_follower_beyond_the_end_is_told(user: &User) {
    user.json(&["init"]);
    let follow = |after, limit| user.run(&["follow", "--after", after, "--limit", limit, "--json"]);
    let ran = follow("9", "1");
    ran.fails(3, "beyond the verified state");
    assert_eq!((ran.said().len(), ran.out.as_str()), (1, ""), "{}", ran.err);
    assert_eq!(follow("9", "0").code, 0, "nothing was asked");
}

#[cfg(unix)]
pub(crate) fn a_follower_ends_when_it_is_asked_to(user: &User) {
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    for signal in ["INT", "TERM"] {
        let mut child = user.command(&["follow", "--after", "1", "--json"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("\"event\""), "{line}");
        let kill = ["-s", signal, &child.id().to_string()];
        assert!(std::process::Command::new("kill").args(kill).status().unwrap().success());
        let ended = Ran::of(child.wait_with_output().unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{signal}");
    }
}

#[cfg(not(unix))]
pub(crate) fn a_follower_ends_when_it_is_asked_to(_: &User) {}

pub(crate) fn a_follower_ends_when_nobody_reads(user: &User) {
    user.json(&["init"]);
    let mut lines: String = (0..500).map(|n| line(n % 3, n)).collect();
    lines.push('\n');
    assert_eq!(user.run_with(&["append", "--lines", "-"], &lines).code, 0);
    let mut child = user.command(&["follow", "--after", "1"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ended = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}
