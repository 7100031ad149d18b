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
            assert_eq!((ran.code, ran.err.as_str()), (code, ""), "{files:?} {more:?}");
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
    for shown in [&["read", "d", "r"][..], &["log"], &["streams"]] {
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
