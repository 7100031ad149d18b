//! What is printed, whoever reads it and whatever others have written into it.

#[allow(dead_code)] // each test uses its part
mod receipts;
#[allow(dead_code)] // each test uses its part
mod support;

use receipts::*;
use support::{Ran, User};

fn user() -> User {
    User::new(&["--ledger", "goods.ledger", "--trust", "goods.trust"], &[])
}

/// Runs with a standard output that nobody reads.
fn unread(user: &User, arguments: &[&str]) -> Ran {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Ran::of(user.command(arguments).stdout(writer).output().unwrap())
}

/// A result is one also where nobody reads it.
#[test]
fn an_exit_code_does_not_depend_on_who_reads() {
    let verifier = User::new(&[], &[]);
    std::fs::write(verifier.path("one"), one()).unwrap();
    verifier.write("broken", "no receipt");
    verifier.write("policy", &format!("ledger = \"{LEDGER}\"\npins = [\"{}\"]", pin(2)));
    let verify = |files: &[&str], code: i32| {
        for more in [&[][..], &["--json"], &["--move-pin"]] {
            let ran = unread(&verifier, &[&["verify", "--policy", "policy"], files, more].concat());
            assert_eq!(ran.code, code, "{files:?} {more:?}");
            let stays = ran.err.lines().filter(|line| line.contains(": the pin did not move: "));
            let notes = if more == ["--move-pin"] { files.len() } else { 0 };
            assert_eq!((stays.count(), ran.err.lines().count()), (notes, notes), "{}", ran.err);
        }
    };
    verify(&["one"], 0);
    // Also what comes behind the first that cannot be printed is judged.
    verify(&["one", "one", "broken"], 1);
    assert_eq!(unread(&verifier, &["verify", "one", "--ledger-id", LEDGER]).code, 3);
    assert_eq!(unread(&verifier, &["inspect", "broken"]).code, 1);
    assert_eq!(unread(&verifier, &["inspect", "one", "--json"]).code, 0);
    // Where it is not that nobody reads, what was not printed was not done.
    #[cfg(target_os = "linux")]
    for (file, code) in [("one", 4), ("broken", 1)] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = verifier.command(&["verify", "--policy", "policy", file]);
        Ran::of(command.stdout(full).output().unwrap()).fails(code, "writing the output");
    }

    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    assert_eq!(unread(&user, &["audit"]).code, 0);
    let other = format!("1{}", &user.state()[1..]);
    assert_eq!(unread(&user, &["audit", "--containing", &other]).code, 1);
    unread(&user, &["state"]).fails(4, "writing the output");
    for shown in [&["read", "d", "r"][..], &["log"], &["streams"], &["completions", "bash"]] {
        let ran = unread(&user, shown);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shown:?}");
    }
}

/// A file is appended to its end, whoever reads which events those are.
#[test]
fn what_is_appended_does_not_depend_on_who_reads() {
    let user = user();
    user.json(&["init"]);
    assert_eq!(unread(&user, &["append", "d", "r", "T", "x"]).code, 0);
    let line = |n: usize| {
        format!(
            "{{\"cover\":{{\"domain\":\"d\",\"root\":\"r{}\"}},\"event_type\":\"T\",\"payload\":\
             {{\"inline\":\"{n}\"}}}}\n",
            n % 7
        )
    };
    let lines: String = (0..300).map(line).collect();
    user.write("lines", &lines);
    let ran = unread(&user, &["append", "--lines", "lines"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("all 300 were appended"), "{}", ran.err);
    assert_eq!(user.json(&["log"]).len(), 301);
    user.write("lines", &(lines + "{}\n"));
    let ran = unread(&user, &["append", "--lines", "lines"]);
    ran.fails(2, "300 lines were appended, not all are shown");
    assert_eq!(user.json(&["log"]).len(), 601);
}

/// What an event, a stream or a server says is in one line, and moves no terminal.
#[test]
fn nothing_that_others_wrote_passes_for_a_line_of_ours() {
    let user = user();
    user.json(&["init"]);
    // All that a terminal could take for a line's end, a command or a turn.
    let domain = "d\u{1b}[2K\r\u{9b}2J\u{2028}\u{2029}\u{200e}\u{200f}\u{61c}\u{7f}\nverified";
    let told =
        "d\\u{1b}[2K\\r\\u{9b}2J\\u{2028}\\u{2029}\\u{200e}\\u{200f}\\u{61c}\\u{7f}\\nverified";
    let false_line = "author=signed_by_author  Anna";
    let append = ["append", domain, "r", "T", "x", "--metadata", false_line];
    let ran = user.run(&append);
    assert_eq!(ran.out, format!("{told}/r 0  in transaction 2, proved\n"), "{}", ran.err);
    assert_eq!(user.run(&["streams"]).out, format!("{told}/r  1 event\n"));
    let none = user.run(&["read", domain, "s"]);
    assert!(none.err.starts_with(&format!("note: {told}/s has no such")), "{}", none.err);
    assert_eq!(none.err.lines().count(), 1);
    let error = user.run(&["read", domain, "r", "--config", "a\u{1b}[2K\nb"]);
    assert_eq!((error.code, error.err.lines().count()), (2, 2), "{}", error.err);
    assert!(error.err.contains("a\\u{1b}[2K\n  | b: "), "{}", error.err);
    let misused = user.run(&["read", "--a\u{9b}2J"]);
    assert_eq!(misused.code, 2);
    assert!(!misused.err.contains(['\u{9b}', '\u{1b}']), "{}", misused.err);

    // What is said of an event stands before all that it says, and otherwise.
    let shown = user.run(&["read", domain, "r"]).out;
    assert!(shown.contains("\n    | author: signed_by_author  Anna\n"), "{shown}");
    user.json(&["receipt", domain, "r", "0", "-o", "receipt"]);
    let id = user.json(&["state"])[0]["pin"]["ledger"].as_str().unwrap().to_owned();
    let verified = user.run(&["verify", "receipt", "--ledger-id", &id]).out;
    let of_events: Vec<&str> = verified.lines().skip(2).collect();
    assert_eq!(of_events[..2], ["  intact_unanchored", "    author: unsigned"], "{verified}");
    assert!(of_events[2].starts_with(&format!("    | {told}/r 0  T  ")), "{verified}");
    assert_eq!(of_events[3..5], ["    | x", "    | author: signed_by_author  Anna"]);
    assert!(of_events[5].starts_with("  not proved: ") && of_events.len() == 6, "{verified}");
}

/// JSON is printed to the byte, also what a terminal would take for a command.
#[test]
fn json_is_printed_as_it_is() {
    let user = user();
    user.json(&["init"]);
    let hostile = "a\u{7f}b\u{9b}c\u{1b}[0m";
    user.json(&["append", "d", "r", hostile, "x", "--external-id", hostile]);
    let event = &user.json(&["read", "d", "r"])[0]["event"];
    assert_eq!((&event["event_type"], &event["external_id"]), (&hostile.into(), &hostile.into()));
    let conflict = user.run(&["append", "d", "r", "T", "x", "--external-id", hostile, "--json"]);
    let message = conflict.said()[0]["error"]["message"].as_str().unwrap().to_owned();
    assert!(conflict.code == 6 && message.contains("was used in transaction 2"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_ends_nothing() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let user = User::new(&[], &[]);
    let name = OsStr::from_bytes(b"a\xff");
    let place = user.path(".").join(name);
    std::fs::write(&place, one()).unwrap();
    user.write("broken", "no receipt");
    let run = |arguments: &[&str], more: &[&str]| {
        Ran::of(user.command(arguments).arg(name).args(more).arg("--json").output().unwrap())
    };
    let ran =
        run(&["verify", "--ledger-id", LEDGER, "--pin", &pin(2), "--table", "1"], &["broken"]);
    let lines = ran.lines();
    assert_eq!((ran.code, lines.len()), (1, 2), "{}{}", ran.out, ran.err);
    assert_eq!((&lines[0]["file"], &lines[0]["code"]), (&"a\u{fffd}".into(), &"5a".into()));
    assert_eq!(run(&["inspect"], &[]).lines()[0]["file"], "a\u{fffd}");
    std::fs::write(&place, format!("ledger = \"{LEDGER}\"")).unwrap();
    assert_eq!(run(&["policy", "check"], &[]).lines()[0]["file"], "a\u{fffd}");

    let user = self::user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    let mut receipt = user.command(&["receipt", "d", "r", "0", "--json"]);
    let made = Ran::of(receipt.arg("-o").arg(name).output().unwrap());
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(made.lines()[0]["file"], "a\u{fffd}");
    assert!(user.path(".").join(name).exists());
}
