//! What `checkpoint` does, whatever keeps the ledger.

use counterfoil_test_support::{GoWitness, go_tool};
use serde_json::Value;

use crate::support::{Ran, User};

/// What is appended one by one.
pub(crate) fn grow(user: &User, count: usize) {
    for n in 0..count {
        user.json(&["append", "d", "r", "T", &n.to_string()]);
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The exit code and what was said, of a run with `--json`; warnings come before.
pub(crate) fn error(ran: &Ran, code: i32) -> String {
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    let error: Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["exit"], code);
    text(&error["error"]["message"]).to_owned()
}

pub(crate) fn a_log_is_signed_witnessed_and_proved(user: &User) {
    let ledger = text(&user.json(&["init"])[0]["pin"]["ledger"]).to_owned();
    grow(user, 3);
    let made = &user.json(&["checkpoint", "keygen", "log.key"])[0];
    let origin = format!("counterfoil/{ledger}");
    assert_eq!((text(&made["name"]), text(&made["kind"])), (origin.as_str(), "log"));
    let key = text(&made["key"]).to_owned();
    let again = user.run(&["checkpoint", "keygen", "log.key", "--json"]);
    assert!(error(&again, 2).contains("is there already"), "a key is never written over");

    // To standard output: the note itself, which Go's packages read.
    let size = user.json(&["state"])[0]["pin"]["state"].as_str().unwrap().to_owned();
    let size = size.split(':').next().unwrap().to_owned();
    let note = user.run(&["checkpoint", "make", "--key", "log.key", "--first"]);
    assert_eq!((note.code, note.err.as_str()), (0, ""));
    let opened = go_tool(&["open", &key], note.out.as_bytes()).unwrap();
    let mut lines = opened.lines();
    assert_eq!((lines.next(), lines.next()), (Some(origin.as_str()), Some(size.as_str())));
    let root = lines.next().unwrap().to_owned();

    let made = &user.json(&["checkpoint", "make", "--key", "log.key", "-o", "latest"])[0];
    assert_eq!((text(&made["origin"]), text(&made["root"])), (origin.as_str(), root.as_str()));
    assert_eq!(std::fs::read_to_string(user.path("latest")).unwrap(), note.out);
    let verify = ["checkpoint", "verify", "latest", "--log", &key];
    let verified = &user.json(&verify)[0];
    assert_eq!(
        (text(&verified["root"]), verified["in_ledger"].as_bool()),
        (root.as_str(), Some(false))
    );
    let held = &user.json(&[&verify[..], &["--in-ledger"]].concat())[0];
    assert_eq!(held["in_ledger"], true);

    // Two witnesses of somebody else's, and one of our own.
    let (one, two) = (GoWitness::start("one.example", &key), GoWitness::start("two.example", &key));
    let ask = |more: &[&str]| {
        let both = ["--witness", &one.key, &one.url, "--witness", &two.key, &two.url];
        user.run(&[&["checkpoint", "witness", "latest", "--json"], &both[..], more].concat())
    };
    let asked = ask(&[]);
    assert_eq!(asked.code, 0, "{}{}", asked.out, asked.err);
    assert_eq!(asked.lines()[0]["cosigned"], 2);
    let own = &user.json(&["checkpoint", "keygen", "own.key", "--witness", "own.example"])[0];
    let own = text(&own["key"]).to_owned();
    let cosign = ["checkpoint", "cosign", "latest", "--log", &key, "--key", "own.key"];
    let cosign = [&cosign[..], &["-o", "latest"]].concat();
    let not_begun = user.run(&[&cosign[..], &["--json"]].concat());
    assert!(error(&not_begun, 6).contains("what was signed last"));
    user.json(&[&cosign[..], &["--first"]].concat());
    let all = ["--witness", &one.key, "--witness", &two.key, "--witness", &own];
    let verified = &user.json(&[&verify[..], &all[..]].concat())[0];
    assert_eq!(
        (&verified["witnesses"]["signed"], &verified["witnesses"]["of"]),
        (&3.into(), &3.into())
    );
    let latest = std::fs::read(user.path("latest")).unwrap();
    let names = go_tool(&["open", &key, &one.key, &two.key, &own], &latest).unwrap();
    assert!(names.ends_with(&format!("{origin} one.example two.example own.example\n")), "{names}");

    // The log grows, and all follow.
    grow(user, 4);
    user.json(&["checkpoint", "make", "--key", "log.key", "-o", "latest"]);
    user.run(&[&verify[..], &all[..], &["--json"]].concat()).fails(3, "0 of 3");
    assert_eq!(ask(&[]).code, 0);
    user.json(&["checkpoint", "prove", "latest", "--since", &size, "-o", "request"]);
    let by_request = ["checkpoint", "cosign", "request", "--log", &key, "--key", "own.key"];
    let by_request = [&by_request[..], &["-o", "latest"]].concat();
    user.json(&by_request);
    user.json(&[&verify[..], &all[..]].concat());
    let stale = user.run(&[&by_request[..], &["--json"]].concat());
    assert!(error(&stale, 6).contains("continues size"), "it has gone on");

    // A transaction is proved to Go's packages.
    let prove = ["checkpoint", "prove", "latest", "--tx", "2", "-o", "2.tlog-proof", "--json"];
    let ran = user.run(&prove);
    assert_eq!(ran.out.matches("\"size\":").count(), 1, "{}{}", ran.out, ran.err);
    let proof = &ran.lines()[0];
    let (file, entry) = (std::fs::read(user.path("2.tlog-proof")).unwrap(), text(&proof["alh"]));
    let proved = go_tool(&["prove", &key, entry], &file).unwrap();
    assert!(proved.starts_with("1\n"), "{proved}");
    let again = user.run(&["checkpoint", "prove", "latest", "--tx", "3", "-o", "2.tlog-proof"]);
    assert_eq!(again.code, 2, "a file that is there is left");
    assert_eq!(std::fs::read(user.path("2.tlog-proof")).unwrap(), file);
    let beyond = user.run(&["checkpoint", "prove", "latest", "--tx", "999", "--json"]);
    assert!(error(&beyond, 6).contains("is not in a log of size"));

    // A witness that nobody answers for: the rest counts, if that is enough.
    let dead = ["--witness", &own, "http://127.0.0.1:1/"];
    let asked = ask(&dead);
    assert_eq!(asked.code, 3, "{}", asked.err);
    let answers = &asked.lines()[0]["asked"];
    assert_eq!(answers[2]["refused"]["problem"], "unreachable", "{answers}");
    assert_eq!(ask(&[&dead[..], &["--quorum", "2"]].concat()).code, 0);
}
