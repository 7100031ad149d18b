//! The program on an embedded ledger.

#[macro_use]
mod contract;
mod support;

use std::io::{BufRead as _, BufReader};

use support::{Ran, User};

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
    // The log says nothing of what is stored, and so does the state.
    let state = user.run(&["state"]).out;
    assert!(state.contains(" yes, as of the log: ") && state.contains("`audit`"), "{state}");
    user.run(&["read", "d", "r"]).fails(1, "transaction 2, entry 0 was altered");
    let json = user.run(&["read", "d", "r", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(error["error"]["verdict"]["verdict"], "row_altered");
    let audit = user.run(&["audit"]);
    assert_eq!(audit.code, 1);
    assert!(audit.out.contains("transaction 2, entry 0"), "{}", audit.out);
    assert!(
        audit.out.contains("\n2 transactions: 1 accounted for whole, 1 not, "),
        "{}",
        audit.out
    );
}

/// What is wrong with the own log is told apart from the ledger, with what to do.
#[test]
fn a_changed_byte_of_the_own_index_is_told_and_mended_as_told() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "container", "T", "pay 10 CHF"]);
    let mut trust = std::fs::read(user.path("goods.trust")).unwrap();
    let name = b"container";
    while let Some(place) = trust.windows(name.len()).position(|bytes| bytes == name) {
        trust[place] = b'k';
    }
    std::fs::write(user.path("goods.trust"), trust).unwrap();
    let audit = user.run(&["audit"]);
    assert_eq!(audit.code, 1);
    let told = "transaction 2, entry 0: this client's index has another event here (own_index)";
    assert!(audit.out.contains(told), "{}", audit.out);
    assert!(audit.out.contains("nothing is wrong with the ledger itself: put"), "{}", audit.out);
    std::fs::rename(user.path("goods.trust"), user.path("away")).unwrap();
    assert!(user.run(&["read", "d", "container"]).out.contains("pay 10 CHF"));
    assert_eq!(user.run(&["audit"]).code, 0);
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
    let pin = user.state();
    assert!(!user.run(&["state"]).out.contains("repaired"));
    std::fs::remove_file(user.path("goods.trust")).unwrap();
    assert_eq!(user.run(&["read", "d", "r"]).code, 0);
    let state = user.run(&["state"]).out;
    let repaired = state.lines().find(|line| line.starts_with("repaired 20")).expect(&state);
    let held = format!(" UTC: this client's own log was made anew, held to the pin {pin}: ");
    assert!(repaired.contains(&held), "{repaired}");
    for name in ["goods.trust", "goods.trust.pin"] {
        std::fs::remove_file(user.path(name)).unwrap();
    }
    let refused = user.run(&["read", "d", "r"]);
    refused.fails(3, "(first contact), and nothing vouches");
    // Its own word for its state is not offered as a pin to copy.
    assert!(refused.err.contains(" as --pin TX:ALH "), "{}", refused.err);
    assert!(refused.err.contains("this once, say --accept-first-contact. "), "{}", refused.err);
    assert!(refused.err.contains("goods.trust: "), "{}", refused.err);
    let state = refused.err.split(", state ").nth(1).unwrap().split(" now").next().unwrap();
    assert_eq!(user.run(&["read", "d", "r", "--pin", state]).code, 0);
    for name in ["goods.trust", "goods.trust.pin"] {
        std::fs::remove_file(user.path(name)).unwrap();
    }
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
        named.env("COUNTERFOIL_CONFIG", "absent.toml").output().unwrap().status.code() == Some(2)
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

/// Neither is taken for what was meant, nor left out.
#[test]
fn an_argument_too_many_is_refused() {
    let user = user();
    user.json(&["init"]);
    let append = ["append", "d", "r", "T", "x", "--metadata", "k=1", "--metadata"];
    user.run(&[&append[..], &["k=2"]].concat()).fails(2, "--metadata k is given twice");
    assert_eq!(user.json(&["read", "d", "r"]).len(), 0);
    user.json(&[&append[..], &["l=2"]].concat());
    let state = user.state();
    user.run(&["state", "show", &state]).fails(2, "state compare");
    user.run(&["state", "pin", &state]).fails(2, "state compare");
    user.json(&["state", "compare", &state]);
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
    user.run(&["backup", "monday"]).fails(2, "monday: it is there already");
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
    assert!(shown.out.contains("\n    | \\r\\n\\u{202e}x"), "{}", shown.out);
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

/// A second writer is told who the first one is, and what can be done.
#[test]
fn who_holds_a_ledger_is_told() {
    let user = user();
    user.json(&["init"]);
    let mut writer = user.command(&["append", "--lines", "-"]);
    let mut writer = writer.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = writer.stdin.take().unwrap();
    let line = "{\"cover\":{\"domain\":\"d\",\"root\":\"r\"},\"event_type\":\"T\",\
        \"payload\":{\"inline\":\"x\"}}\n";
    std::io::Write::write_all(&mut input, line.as_bytes()).unwrap();
    let mut shown = String::new();
    BufReader::new(writer.stdout.take().unwrap()).read_line(&mut shown).unwrap();
    assert!(shown.starts_with("d/r 0"), "{shown}");
    let refused = user.run(&["append", "d", "r", "T", "y"]);
    refused
        .fails(4, &format!("goods.trust is in use by process {}, which writes to it", writer.id()));
    assert!(refused.err.contains("wait until it has ended, or stop it"), "{}", refused.err);
    assert_eq!(user.json(&["read", "d", "r"]).len(), 1);
    drop(input);
    assert!(writer.wait().unwrap().success());
    user.json(&["append", "d", "r", "T", "y"]);
}

/// One stream is as fast as many: the lines share transactions.
#[test]
fn lines_of_one_stream_share_transactions() {
    let user = user();
    user.json(&["init"]);
    let line = |n: usize| {
        let event = serde_json::json!({
            "cover": { "domain": "d", "root": "r" }, "event_type": "T",
            "payload": { "inline": n.to_string() },
        });
        format!("{event}\n")
    };
    let lines: String = (0..1500).map(line).collect();
    user.write("events.jsonl", &lines);
    let appended = user.json(&["append", "--lines", "events.jsonl"]);
    assert!(appended.iter().zip(0..).all(|(line, n)| line["events"][0]["sequence"] == n));
    let transactions: u64 = user.state().split(':').next().unwrap().parse().unwrap();
    assert!(transactions < 100, "{transactions} transactions for 1500 lines");
    let read = user.json(&["read", "d", "r"]);
    let contents = read.iter().map(|event| event["event"]["payload"]["inline"].as_str().unwrap());
    assert!(contents.eq((0..1500).map(|n| n.to_string())));
}

/// What went wrong in a file of events, where, what is in the ledger, and how to go on.
#[test]
fn a_file_goes_on_where_it_was_told_to() {
    let user = user();
    user.json(&["init"]);
    let line = |n: usize| {
        format!(
            "{{\"cover\":{{\"domain\":\"d\",\"root\":\"r{}\"}},\"event_type\":\"T\",\"payload\":\
             {{\"inline\":\"{n}\"}}}}\n",
            n % 3
        )
    };
    let mut lines: Vec<String> = (1..=9).map(line).collect();
    lines[4] = lines[4].replace("event_type", "evnt_type");
    user.write("events.jsonl", &lines.concat());
    let ran = user.run(&["append", "--lines", "events.jsonl"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.err,
        "error: events.jsonl, line 5: column 47: unknown field `evnt_type`, expected one of \
         `cover`, `event_type`, `payload`, `metadata`, `correlation_id`, `causation_id`, \
         `external_id`; a line is an event, as `read --json` prints it under \"event\": {\"cover\": \
         {\"domain\": \"shipment\", \"root\": \"SSCC-1\"}, \"event_type\": \"Departed\", \"payload\": \
         {\"inline\": \"…\"}} (4 lines were appended, each is shown; nothing from line 5 on was: \
         go on with `tail -n +5 events.jsonl | counterfoil --ledger goods.ledger --trust goods.trust \
         append --lines -`)\n"
    );
    assert_eq!(user.json(&["log"]).len(), 4);
    lines[4] = line(5);
    let rest = lines[4..].concat();
    assert_eq!(user.run_with(&["append", "--lines", "-"], &rest).code, 0);
    assert_eq!(user.json(&["log"]).len(), 9);
    user.write("two.jsonl", &format!("\n\n{}", lines[0].replace("r1", "r1\"x")));
    let none = user.run(&["append", "--lines", "two.jsonl"]);
    none.fails(2, "two.jsonl, line 3: ");
    assert!(none.err.ends_with("(no line was appended)\n"), "{}", none.err);
    let document = r#"{"epcisBody": {"eventList": [{"type": "ObjectEvent"}, {"a": 1}]}}"#;
    let none = user.run_with(&["append", "--epcis", "-"], document);
    none.fails(2, "standard input, line 1: event 2: it has no type; an event is {\"type\": ");
    assert!(none.err.ends_with("(no line was appended)\n"), "{}", none.err);
    let event = "{\"type\":\"ObjectEvent\"}\n";
    let some = user.run_with(&["append", "--epcis", "-"], &format!("{event}{event}x\n"));
    some.fails(2, "line 3: ");
    assert!(some.err.ends_with("send it again, nothing is written twice)\n"), "{}", some.err);
    // What cannot be is told of the argument that says it.
    let refused = |event: [&str; 4], words: &str| {
        user.run(&[&["append"], &event[..]].concat()).fails(2, words);
    };
    refused(["d", "r", "", "x"], "'[EVENT_TYPE]': it is empty; an event needs a type");
    refused(["", "r", "T", "x"], "'[DOMAIN]': it is empty; a domain has a name");
    refused(["d", "", "T", "x"], "'[ROOT]': it is empty; for the empty root say hex:");
    refused(["d", "hex:00ff1", "T", "x"], "'[ROOT]': ");
    refused(["d", "r", "T", "hex:00ff1"], "error: PAYLOAD: ");
    refused(["d", "r", "T", "@absent"], "error: PAYLOAD: absent: ");
    user.json(&["append", "d", "hex:", "T", "x"]);
    assert_eq!(user.json(&["read", "d", "hex:"]).len(), 1);
}

/// It is typed as it stands there, whatever the names are.
#[cfg(unix)]
#[test]
fn what_is_told_to_go_on_with_works_when_typed() {
    let user = User::new(&["--ledger", "my goods.ledger", "--trust", "it's.trust", "--quiet"], &[]);
    let absent = user.run(&["read", "d", "r"]);
    absent.fails(4, "create one with `counterfoil --ledger 'my goods.ledger' init`");
    user.json(&["init"]);
    let line = |n| {
        format!(
            "{{\"cover\":{{\"domain\":\"d\",\"root\":\"r\"}},\"event_type\":\"T\",\"payload\":{{\"inline\":\"{n}\"}}}}\n"
        )
    };
    for (round, name) in
        ["my events.jsonl", "-events", "$(touch x)`'.jsonl"].into_iter().enumerate()
    {
        user.write(name, &[line(1), "no event\n".into(), line(3)].concat());
        let named = format!("--lines={name}");
        let refused = user.run(&["append", &named]);
        refused.fails(2, "go on with `tail -n +2 ");
        user.write(name, &[line(1), line(2), line(3)].concat());
        let (_, told) = refused.err.split_once("go on with `").unwrap();
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_counterfoil")).parent().unwrap();
        let shell = user.command(&[]);
        let mut typed = std::process::Command::new("sh");
        typed.arg("-c").arg(told.strip_suffix("`)\n").expect(told));
        typed.current_dir(shell.get_current_dir().unwrap()).env_clear();
        typed.env("PATH", format!("{}:/usr/bin:/bin", program.display()));
        typed.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = Ran::of(typed.output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{told}");
        assert_eq!(user.json(&["read", "d", "r"]).len(), 3 * (round + 1), "{told}");
    }
}

/// What an interrupted look at a log has seen is behind its end, or is not this ledger's.
#[test]
fn a_place_behind_the_end_is_told() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    let end = user.run(&["log", "--after", "2"]);
    assert_eq!((end.code, end.out.as_str()), (0, ""));
    assert_eq!(end.err, "note: no event comes after 2/end: the ledger ends with transaction 2\n");
    user.run(&["log", "--after", "3/0"]).fails(3, "transaction 3 lies beyond the verified state");
}

/// Files that are whole by themselves: nothing lies beside them once it has ended.
#[test]
fn an_audit_leaves_its_files_whole() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    let state = user.state();
    let other = format!("1{}", &state[1..]);
    for (arguments, code) in [
        (&["audit", "--resume", "audit.file"][..], 0),
        (&["audit", "--resume", "audit.file"], 0),
        (&["audit", "--resume", "audit.file", "--containing", &other], 1),
        (&["audit"], 0),
    ] {
        assert_eq!(user.run(arguments).code, code, "{arguments:?}");
        let left = user.names().into_iter().filter(|n| n.ends_with("-wal") || n.ends_with("-shm"));
        assert_eq!(left.collect::<Vec<_>>(), [""; 0], "{arguments:?}");
    }
    assert!(user.path("audit.file").exists());
}

/// A receipt goes through a pipe as any other output.
#[test]
fn a_receipt_goes_through_a_pipe() {
    use std::process::Stdio;
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    user.json(&["policy", "init", "-o", "goods.policy"]);
    user.json(&["receipt", "d", "r", "0", "-o", "file"]);
    let made = user.command(&["receipt", "d", "r", "0", "-o", "-"]).output().unwrap();
    assert!(made.status.success());
    assert_eq!(made.stdout, std::fs::read(user.path("file")).unwrap());
    let told = String::from_utf8(made.stderr).unwrap();
    assert!(told.starts_with("note: standard output: ") && told.contains("under state"), "{told}");
    assert!(!user.path("-").exists());
    user.run(&["receipt", "d", "r", "0", "-o", "-", "--json"]).fails(2, "name a file");
    for command in ["verify", "inspect"] {
        let file = std::fs::File::open(user.path("file")).unwrap();
        let mut verify = user.command(&[command, "-", "--policy", "goods.policy"]);
        let ran = Ran::of(verify.stdin(Stdio::from(file)).output().unwrap());
        assert_eq!(ran.code, 0, "{command}: {}", ran.err);
        assert!(ran.out.contains("verified_by_pinned_state"), "{}", ran.out);
    }
    user.run(&["verify", "-", "-", "--policy", "goods.policy"]).fails(2, "can be read once");
}

/// The same thing is the same code, whichever command it was.
#[test]
fn an_output_that_is_there_is_left_as_it_is() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    user.json(&["checkpoint", "keygen", "log.key"]);
    user.json(&["checkpoint", "make", "--key", "log.key", "--first", "-o", "latest"]);
    user.write("there", "somebody's");
    for command in [
        &["receipt", "d", "r", "0", "-o", "there"][..],
        &["policy", "init", "-o", "there"],
        &["backup", "there"],
        &["checkpoint", "keygen", "there"],
        &["checkpoint", "keygen", "there", "--witness", "w.example"],
        &["checkpoint", "make", "--key", "log.key", "-o", "there"],
        &["checkpoint", "prove", "latest", "--tx", "1", "-o", "there"],
    ] {
        user.run(command).fails(2, "there: it is ");
        assert_eq!(std::fs::read(user.path("there")).unwrap(), b"somebody's", "{command:?}");
    }
}

/// A follower keeps nobody from writing and nobody from reading.
#[test]
fn a_ledger_is_followed_while_others_append_and_read() {
    let user = user();
    user.json(&["init"]);
    let mut child = user.command(&["follow", "--after", "1", "--json"]).spawn().unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    for n in 0..5 {
        user.json(&["append", "d", "r", "T", &n.to_string()]);
        let mut line = String::new();
        shown.read_line(&mut line).unwrap();
        let followed: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(followed["event"]["event"]["payload"]["inline"], n.to_string());
        assert_eq!(user.json(&["read", "d", "r"]).len(), n + 1);
        assert_eq!(user.json(&["audit"])[0]["verdict"], "intact");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // Also of one that was killed nothing is left in the way.
    user.json(&["append", "d", "r", "T", "after"]);
    assert!(!user.names().iter().any(|name| name.ends_with("-wal")), "{:?}", user.names());
}

#[cfg(unix)]
#[test]
fn every_spelling_of_a_ledger_finds_its_pin() {
    use std::os::unix::fs::symlink;
    let user = User::new(&[], &[]);
    user.json(&["init", "--ledger", "a.ledger"]);
    symlink("a.ledger", user.path("link")).unwrap();
    symlink(".", user.path("here")).unwrap();
    let absolute = user.path("a.ledger");
    std::fs::create_dir(user.path("sub")).unwrap();
    let spelled =
        ["./a.ledger", "sub/../here/a.ledger", "link", "here/link", absolute.to_str().unwrap()];
    for (n, ledger) in spelled.iter().enumerate() {
        user.json(&["append", "d", "r", "T", "x", "--ledger", ledger]);
        assert_eq!(user.json(&["read", "d", "r", "--ledger", "a.ledger"]).len(), n + 1);
    }
    // Gone is gone by every name: none of them makes a new one.
    std::fs::remove_file(user.path("a.ledger")).unwrap();
    for ledger in spelled {
        user.run(&["init", "--ledger", ledger]).fails(1, "the ledger is missing");
    }
    let pins = std::fs::read_dir(user.path("data/counterfoil/embedded")).unwrap();
    let names = pins.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.ends_with(".trust")).count(), 1);
}

#[test]
fn what_cannot_be_opened_leaves_no_trace() {
    let user = User::new(&[], &[]);
    user.write("note.txt", "no ledger at all");
    let before = user.names();
    for command in [&["init"][..], &["read", "d", "r"], &["append", "d", "r", "T", "x"], &["audit"]]
    {
        let ran = user.run(&[command, &["--ledger", "note.txt"]].concat());
        ran.fails(4, "note.txt");
        assert!(!ran.err.contains("trust file) that is damaged"), "{}", ran.err);
        if command != ["init"] {
            let ran = user.run(&[command, &["--ledger", "absent.ledger"]].concat());
            ran.fails(4, "absent.ledger");
            assert!(ran.err.contains("`counterfoil --ledger absent.ledger init`"), "{}", ran.err);
            assert!(!ran.err.contains("entity not found"), "{}", ran.err);
        }
        let with_trust = [command, &["--ledger", "note.txt", "--trust", "new/deep/trust"]].concat();
        assert_eq!(user.run(&with_trust).code, 4);
        let same = [command, &["--ledger", "a", "--trust", "./a"]].concat();
        user.run(&same).fails(2, "are both");
        assert_eq!(user.names(), before, "{command:?}");
    }
    // Nor does a ledger that is not believed.
    let owner = self::user();
    owner.json(&["init"]);
    std::fs::copy(owner.path("goods.ledger"), user.path("foreign")).unwrap();
    let before = user.names();
    user.run(&["read", "d", "r", "--ledger", "foreign", "--trust", "t"]).fails(3, "first contact");
    assert_eq!(user.names(), before);
}

#[test]
fn damage_is_told_of_the_file_that_has_it() {
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    let mut ledger = std::fs::read(user.path("goods.ledger")).unwrap();
    ledger[..512].fill(0x5a);
    std::fs::write(user.path("goods.ledger"), ledger).unwrap();
    for command in [&["read", "d", "r"][..], &["append", "d", "r", "T", "y"], &["audit"]] {
        let ran = user.run(command);
        ran.fails(4, "goods.ledger is damaged");
        assert!(ran.err.contains("docs/backup.md") && !ran.err.contains("log"), "{}", ran.err);
    }
}

#[test]
fn a_state_says_where_its_files_are() {
    let user = user();
    user.json(&["init"]);
    let files = user.json(&["state"])[0]["files"].clone();
    let place = |name| user.path(name).canonicalize().unwrap().to_str().unwrap().to_owned();
    assert_eq!(files["ledger"], place("goods.ledger"));
    assert_eq!(files["log"], place("goods.trust"));
    let text = user.run(&["state"]).out;
    assert!(
        text.contains(&place("goods.ledger")) && text.contains(&place("goods.trust")),
        "{text}"
    );
}

/// Reading needs no right to write, neither to the files nor to their folder.
#[cfg(unix)]
#[test]
fn what_cannot_be_written_can_be_read() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    let mode = |name: &str, mode| {
        std::fs::set_permissions(user.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let root = std::fs::metadata(user.path("goods.ledger")).unwrap().uid() == 0;
    let run = |arguments: &[&str]| {
        let mut command = user.command(arguments);
        if root {
            // Whoever may do everything may write everywhere: somebody else then.
            command.uid(65534).gid(65534);
        }
        Ran::of(command.output().unwrap())
    };
    let files = ["goods.ledger", "goods.trust", "goods.trust.pin"];
    for name in files.into_iter().chain(["goods.ledger.lock", "goods.trust.lock"]) {
        mode(name, 0o444);
    }
    mode(".", 0o555);
    let content = |ran: &Ran| ran.lines()[0]["event"]["payload"]["inline"].clone();
    let read = run(&["read", "d", "r", "--json"]);
    assert_eq!((read.code, content(&read)), (0, "x".into()), "{}", read.err);
    for command in [&["state"][..], &["log"], &["audit"]] {
        let ran = run(command);
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.err);
    }
    let refused = run(&["append", "d", "r", "T", "y"]);
    refused.fails(4, "goods.trust.lock");
    assert!(refused.err.contains("denied"), "{}", refused.err);
    // What somebody was interrupted over is not passed over.
    mode(".", 0o755);
    user.write("goods.ledger-wal", "commits that are not in the file");
    mode(".", 0o555);
    run(&["read", "d", "r"]).fails(4, "-wal");
    mode(".", 0o755);
}

/// Whoever cannot write beside the files sees all the same what others write meanwhile.
#[cfg(unix)]
#[test]
fn what_cannot_be_written_can_be_followed() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let user = user();
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "0"]);
    let mode = |name: &str, mode| {
        std::fs::set_permissions(user.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for name in ["goods.ledger", "goods.trust", "goods.trust.pin"] {
        mode(name, 0o644);
    }
    mode(".", 0o555);
    let mut command = user.command(&["follow", "--after", "1", "--limit", "4", "--json"]);
    if std::fs::metadata(user.path("goods.ledger")).unwrap().uid() == 0 {
        command.uid(65534).gid(65534);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for n in 0..4 {
        if n > 0 {
            mode(".", 0o755);
            user.json(&["append", "d", "r", "T", &n.to_string()]);
            mode(".", 0o555);
        }
        let line = lines.next().expect("it ended").unwrap();
        let followed: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(followed["event"]["event"]["payload"]["inline"], n.to_string());
    }
    mode(".", 0o755);
    assert!(child.wait().unwrap().success());
}

/// The ledger's folder is not its user's alone: where it was, a link is.
#[cfg(unix)]
#[test]
fn a_link_in_a_ledgers_place_begins_no_ledger() {
    let user = User::new(&["--ledger", "goods.ledger"], &[]);
    user.json(&["init"]);
    user.json(&["append", "d", "r", "T", "x"]);
    std::fs::rename(user.path("goods.ledger"), user.path("away")).unwrap();
    user.write("empty", "");
    for target in ["nothing", "empty"] {
        std::os::unix::fs::symlink(target, user.path("goods.ledger")).unwrap();
        for command in [&["append", "d", "r", "T", "y"][..], &["read", "d", "r"], &["init"]] {
            let ran = user.run(command);
            assert_eq!(ran.code, 1, "{target} {command:?}: {} {}", ran.out, ran.err);
        }
        std::fs::remove_file(user.path("goods.ledger")).unwrap();
    }
    std::os::unix::fs::symlink("away", user.path("goods.ledger")).unwrap();
    assert_eq!(user.json(&["read", "d", "r"]).len(), 1);
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let user = User::new(&[], &[]);
    user.write("file", "");
    user.run(&["man", "file"]).fails(2, "file: ");
    // The folder is made, and may be there.
    assert_eq!(user.run(&["man", "man"]).code, 0);
    assert_eq!(user.run(&["man", "man"]).code, 0);
    let commands =
        ["init", "append", "read", "log", "streams", "state", "follow", "audit", "receipt"];
    for command in commands {
        let page =
            std::fs::read_to_string(user.path(&format!("man/counterfoil-{command}.1"))).unwrap();
        assert!(page.contains("Example") && page.contains(".SH"), "{command}");
        let help = user.run(&[command, "--help"]);
        assert_eq!((help.code, help.err.as_str()), (0, ""));
        assert!(
            help.out.contains(&format!("  counterfoil {command}")) || command == "init",
            "{command}"
        );
    }
    assert!(user.path("man/counterfoil.1").exists());
}
