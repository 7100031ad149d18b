//! `checkpoint`, on an embedded ledger and on a real immudb.

mod checkpoint;
#[expect(dead_code, reason = "nothing is read from standard input here")]
mod support;

use checkpoint::{error, grow, text};
use counterfoil_test_support::go_tool;
use support::User;

fn user() -> User {
    User::new(&["--ledger", "goods.ledger", "--trust", "goods.trust"], &[])
}

/// A ledger of four transactions, its log's key in `log.key`, and a checkpoint in `latest`.
fn signed() -> (User, String) {
    let user = user();
    user.json(&["init"]);
    grow(&user, 3);
    let key = user.json(&["checkpoint", "keygen", "log.key", "--origin", "example.com/goods"]);
    user.json(&["checkpoint", "make", "--key", "log.key", "--first", "-o", "latest"]);
    (user, text(&key[0]["key"]).to_owned())
}

#[test]
fn an_embedded_ledger_is_signed_witnessed_and_proved() {
    checkpoint::a_log_is_signed_witnessed_and_proved(&user());
}

#[cfg(feature = "immudb")]
#[test]
fn a_real_immudb_is_signed_witnessed_and_proved() {
    let server = counterfoil_test_support::server();
    let (database, port) = (server.fresh_database_name(), server.port.to_string());
    let ledger = ["--host", &server.host, "--port", &port, "--database", &database];
    let vars = [("IMMUDB_USERNAME", &*server.username), ("IMMUDB_PASSWORD", &*server.password)];
    checkpoint::a_log_is_signed_witnessed_and_proved(&User::new(&ledger, &vars));
}

#[test]
fn no_second_history_is_signed() {
    let (user, _) = signed();
    let memory = std::fs::read(user.path("log.key.last")).unwrap();
    // The same ledger from a backup, and other events since.
    for (name, to) in [("goods.ledger", "old.ledger"), ("goods.trust", "old.trust")] {
        std::fs::copy(user.path(name), user.path(to)).unwrap();
    }
    grow(&user, 2);
    user.json(&["checkpoint", "make", "--key", "log.key", "-o", "latest"]);
    let latest = std::fs::read(user.path("latest")).unwrap();
    for (name, to) in [("old.ledger", "goods.ledger"), ("old.trust", "goods.trust")] {
        std::fs::copy(user.path(name), user.path(to)).unwrap();
    }
    std::fs::remove_file(user.path("goods.trust.pin")).unwrap();
    let make = ["checkpoint", "make", "--key", "log.key", "-o", "latest", "--json"];
    assert!(error(&user.run(&make), 6).contains("size 6 was signed already"));
    user.json(&["append", "d", "r", "T", "another"]);
    assert!(error(&user.run(&make), 6).contains("size 6 was signed already"));
    grow(&user, 4);
    let refused = user.run(&make);
    assert!(error(&refused, 1).contains("shown another history"), "{}", refused.err);
    let verdict: serde_json::Value = serde_json::from_str(&refused.err).unwrap();
    assert_eq!(verdict["error"]["verdict"]["verdict"], "other_tree");
    assert_eq!(std::fs::read(user.path("latest")).unwrap(), latest);
    let verify = ["checkpoint", "witness", "latest", "--json", "--witness"];
    let own = user.json(&["checkpoint", "keygen", "own.key", "--witness", "own.example"]);
    let ask = [&verify[..], &[text(&own[0]["key"]), "http://127.0.0.1:1/"]].concat();
    assert!(error(&user.run(&ask), 1).contains("shown another history"));
    assert_ne!(std::fs::read(user.path("log.key.last")).unwrap(), memory);
}

#[test]
fn without_its_memory_nothing_is_signed() {
    let (user, _) = signed();
    std::fs::remove_file(user.path("log.key.last")).unwrap();
    let make = ["checkpoint", "make", "--key", "log.key"];
    user.run(&make).fails(6, "what was signed last");
    let first = [&make[..], &["--first"]].concat();
    assert_eq!(user.run(&first).code, 0);
    user.run(&first).fails(6, "without --first");
    assert_eq!(user.run(&make).code, 0);
    std::fs::write(user.path("log.key.last"), "").unwrap();
    user.run(&make).fails(6, "damaged");
}

/// The digits that a policy's author is named by are those of the key.
#[test]
fn a_new_key_can_be_an_authors() {
    let user = User::new(&[], &[]);
    let keygen = ["checkpoint", "keygen", "anna.key", "--origin", "Anna"];
    let made = user.json(&keygen);
    let digits = text(&made[0]["public_key"]);
    let author = format!("[[authors]]\nname = \"Anna\"\nkey = \"{digits}\"\n");
    user.write("policy", &format!("ledger = \"{}\"\n{author}", "1".repeat(64)));
    user.json(&["policy", "check", "policy"]);
    let key = counterfoil::SigningKeyFile::load(&user.path("anna.key")).unwrap();
    let public = counterfoil::Ed25519Signer::public_key(&key);
    assert_eq!(hex::encode(public.as_bytes()), digits);
    std::fs::remove_file(user.path("anna.key")).unwrap();
    let shown = user.run(&keygen);
    let lines: Vec<_> = shown.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", shown.out);
    let digits = lines[1].rsplit(' ').next().unwrap();
    assert!(digits.len() == 64 && lines[1].starts_with("as an author's key: "), "{}", shown.out);
    assert!(lines[2].starts_with("Anna+"), "{}", shown.out);
}

/// What fails behind `--first` can be done again as it was, and what can be seen before fails before.
#[test]
fn a_first_run_that_failed_is_run_again() {
    let (user, log) = signed();
    std::fs::remove_file(user.path("log.key.last")).unwrap();
    let first = ["checkpoint", "make", "--key", "log.key", "--first"];
    let make = |more: &[&str]| user.run(&[&first[..], more].concat());
    user.write("note", "no checkpoint");
    make(&["-o", "absent/latest"]).fails(2, "absent/latest: its folder is not there");
    make(&["-o", "note"]).fails(2, "no checkpoint");
    make(&["--size", "0"]).fails(6, "size 0");
    assert!(!user.path("log.key.last").exists());
    assert_ne!(make(&["--size", "1000"]).code, 0);
    let begun = std::fs::read_to_string(user.path("log.key.last")).unwrap();
    assert!(begun.starts_with("example.com/goods\n0\n"), "{begun}");
    // A memory of another log is none of this one.
    user.write("log.key.last", &begun.replace("goods", "gods"));
    make(&[]).fails(6, "not of example.com/goods");
    user.write("log.key.last", &begun);
    assert_eq!(make(&["-o", "latest"]).code, 0);
    make(&["-o", "latest"]).fails(6, "without --first");

    user.json(&["checkpoint", "keygen", "w.key", "--witness", "w.example"]);
    let first = ["checkpoint", "cosign", "latest", "--log", &log, "--key", "w.key", "--first"];
    let cosign = |more: &[&str]| user.run(&[&first[..], more].concat());
    cosign(&["-o", "absent/latest"]).fails(2, "absent/latest: its folder is not there");
    assert!(!user.path("w.key.logs").exists());
    assert_eq!(cosign(&["-o", "latest"]).code, 0);
    cosign(&[]).fails(6, "without --first");
}

/// A restored ledger and a new key of the same origin: the memory is the log's, not the key's.
#[test]
fn a_new_key_begins_no_second_history() {
    let (user, _) = signed();
    for (name, to) in [("goods.ledger", "old.ledger"), ("goods.trust", "old.trust")] {
        std::fs::copy(user.path(name), user.path(to)).unwrap();
    }
    grow(&user, 2);
    user.json(&["checkpoint", "make", "--key", "log.key", "-o", "latest"]);
    for (name, to) in [("old.ledger", "goods.ledger"), ("old.trust", "goods.trust")] {
        std::fs::copy(user.path(name), user.path(to)).unwrap();
    }
    std::fs::remove_file(user.path("goods.trust.pin")).unwrap();
    user.json(&["append", "d", "r", "T", "another"]);
    grow(&user, 2);

    let made = user.json(&["checkpoint", "keygen", "new.key", "--origin", "example.com/goods"]);
    assert_eq!(made[0].get("last"), None);
    assert!(!user.path("new.key.last").exists());
    let make = ["checkpoint", "make", "--key", "new.key", "--json"];
    let refused = error(&user.run(&make), 6);
    assert!(refused.contains("--first") && refused.contains("--last"), "{refused}");
    let goes_on = [&make[..], &["--last", "log.key.last"]].concat();
    assert!(error(&user.run(&goes_on), 1).contains("shown another history"));
    assert!(!user.path("new.key.last").exists());
}

/// A machine that was restored whole has the memory of then, which knows nothing of what was signed
/// since: as docs/backup.md says, the newest checkpoint puts it right.
#[test]
fn a_restored_memory_is_put_right_by_the_newest_checkpoint() {
    let (user, _) = signed();
    let all = ["goods.ledger", "goods.trust", "goods.trust.pin", "log.key.last"];
    let copies = all.map(|name| (name, std::fs::read(user.path(name)).unwrap()));
    grow(&user, 2);
    user.json(&["checkpoint", "make", "--key", "log.key", "-o", "latest"]);
    for (name, copy) in copies {
        std::fs::write(user.path(name), copy).unwrap();
    }
    user.json(&["append", "d", "r", "T", "another"]);
    grow(&user, 2);
    let memory = std::fs::read(user.path("log.key.last")).unwrap();
    let make = ["checkpoint", "make", "--key", "log.key", "--json"];
    assert_eq!(user.run(&make).code, 0, "it knows of nothing that this contradicts");
    std::fs::write(user.path("log.key.last"), memory).unwrap();

    let latest = std::fs::read_to_string(user.path("latest")).unwrap();
    let first_three: String = latest.split_inclusive('\n').take(3).collect();
    user.write("log.key.last", &first_three);
    assert!(error(&user.run(&make), 1).contains("shown another history"));
}

#[test]
fn nothing_is_written_over_that_is_no_older_checkpoint() {
    let (user, _) = signed();
    user.write("other", "not a checkpoint\n");
    let ledger = std::fs::read(user.path("goods.ledger")).unwrap();
    let make = |output| user.run(&["checkpoint", "make", "--key", "log.key", "-o", output]);
    for output in ["goods.ledger", "goods.trust", "log.key", "other"] {
        let before = std::fs::read(user.path(output)).unwrap();
        make(output).fails(2, "left as it is");
        assert_eq!(std::fs::read(user.path(output)).unwrap(), before, "{output}");
    }
    assert_eq!(std::fs::read(user.path("goods.ledger")).unwrap(), ledger);
    // Another log's, and a newer one of this.
    user.json(&["checkpoint", "keygen", "two.key", "--origin", "example.com/two"]);
    let two = ["checkpoint", "make", "--key", "two.key", "--first", "-o", "latest"];
    let two = user.run(&two);
    two.fails(2, "it is a checkpoint of example.com/goods");
    std::fs::copy(user.path("latest"), user.path("old")).unwrap();
    grow(&user, 1);
    assert_eq!(make("latest").code, 0);
    let own = user.json(&["checkpoint", "keygen", "own.key", "--witness", "own.example"]);
    let (key, url) = (text(&own[0]["key"]), "http://127.0.0.1:1/");
    let ask = ["checkpoint", "witness", "old", "--witness", key, url, "-o", "latest"];
    user.run(&ask).fails(2, "it is a newer checkpoint");
    // Nothing is left of the attempts.
    let left = std::fs::read_dir(user.path(".")).unwrap();
    let left = left
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".tmp"));
    assert_eq!(left.count(), 0);
}

/// The log signs the same once more, and whatever witnesses have signed stays.
#[test]
fn signatures_are_added_and_none_is_lost() {
    let (user, key) = signed();
    let names = |file: &str| -> Vec<String> {
        let note = std::fs::read_to_string(user.path(file)).unwrap();
        let lines = note.lines().filter_map(|line| line.strip_prefix("— "));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    for name in ["one.example", "two.example"] {
        user.json(&["checkpoint", "keygen", name, "--witness", name]);
        let cosign = ["checkpoint", "cosign", "latest", "--log", &key, "--key", name, "--first"];
        let output = ["-o", if name == "one.example" { "latest" } else { "other" }];
        user.json(&[&cosign[..], &output].concat());
    }
    // In each file what it had: the second witness saw the first one's cosignature.
    assert_eq!(names("other"), ["example.com/goods", "one.example", "two.example"]);
    assert_eq!(names("latest"), ["example.com/goods", "one.example"]);
    let before = names("other");
    let make =
        |output| user.run(&["checkpoint", "make", "--key", "log.key", "-o", output, "--json"]);
    for output in ["latest", "other"] {
        let made = make(output);
        assert_eq!(made.code, 0, "{}", made.err);
        let written = std::fs::read_to_string(user.path(output)).unwrap();
        assert_eq!(text(&made.lines()[0]["checkpoint"]), written);
    }
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(names("other")), before);
    assert_eq!(sorted(names("latest")), ["example.com/goods", "one.example"]);
    // Another tree of the same size is evidence, whoever signed it.
    let note = std::fs::read_to_string(user.path("latest")).unwrap();
    let root = note.lines().nth(2).unwrap();
    let forged = note.replace(root, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    user.write("latest", &forged);
    make("latest").fails(2, "another checkpoint of the same size");
    assert_eq!(std::fs::read_to_string(user.path("latest")).unwrap(), forged);
    // A larger one takes its place.
    grow(&user, 1);
    assert_eq!(make("latest").code, 0);
    assert_eq!(names("latest"), ["example.com/goods"]);
}

#[test]
fn what_is_not_signed_by_the_log_is_told() {
    let (user, key) = signed();
    let verify = |file: &str, key: &str| user.run(&["checkpoint", "verify", file, "--log", key]);
    let shown = verify("latest", &key);
    assert_eq!(shown.code, 0);
    assert!(
        shown.out.contains("example.com/goods") && shown.out.contains("by the log"),
        "{}",
        shown.out
    );
    // Asked for nothing of the ledger, it needs none.
    std::fs::rename(user.path("goods.ledger"), user.path("away")).unwrap();
    assert_eq!(verify("latest", &key).code, 0);
    std::fs::rename(user.path("away"), user.path("goods.ledger")).unwrap();

    let note = std::fs::read_to_string(user.path("latest")).unwrap();
    user.write("larger", &note.replacen("\n4\n", "\n5\n", 1));
    verify("larger", &key).fails(1, "signature 0 is not that of the key");
    user.write("cut", &note[..note.len() - 1]);
    verify("cut", &key).fails(1, "not a checkpoint");
    user.write("page", "<html>");
    verify("page", &key).fails(1, "not a checkpoint");
    verify("none", &key).fails(4, "none: ");
    let keys = go_tool(&["keygen", "example.com/goods"], b"").unwrap();
    let keys: Vec<&str> = keys.lines().collect();
    verify("latest", keys[2]).fails(3, "no known log has signed");
    verify("latest", keys[1]).fails(2, "type 04");
    verify("latest", "example.com/goods").fails(2, "not a verifier key");
    let cosigned = ["checkpoint", "verify", "latest", "--log", &key, "--witness", keys[1]];
    user.run(&cosigned).fails(3, "only 0 of 1 witnesses");
    user.run(&[&cosigned[..], &["--quorum", "2"]].concat()).fails(2, "group 0");
    user.run(&[&cosigned[..], &["--quorum", "0"]].concat()).fails(2, "group 0");

    // A key that Go made signs here too.
    user.write("go.key", &format!("{}\n", keys[0]));
    let make = ["checkpoint", "make", "--key", "go.key", "--first", "-o", "by-go"];
    user.run(&make).fails(2, "chmod 600");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let owner = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(user.path("go.key"), owner).unwrap();
        assert_eq!(user.run(&make).code, 0);
        assert_eq!(verify("by-go", keys[2]).code, 0);
        // The checkpoint itself is for everybody.
        let mode = std::fs::metadata(user.path("by-go")).unwrap().permissions().mode();
        assert_eq!(mode & 0o444, 0o444);
    }
}

/// Who is asked, who counts and how many are enough stand in a file.
#[test]
fn a_tlog_policy_says_whose_word_counts() {
    let (user, key) = signed();
    let go = ["one.example", "two.example"]
        .map(|name| counterfoil_test_support::GoWitness::start(name, &key));
    let [one, two] = &go;
    let silent = go_tool(&["keygen", "silent.example"], b"").unwrap();
    let silent = silent.lines().nth(1).unwrap().to_owned();
    let policy = |quorum: &str, log: &str| {
        format!(
            "log {log}\nwitness one {} {}\nwitness two {} {}\n\
             witness silent {silent} http://127.0.0.1:1\n\
             group both all one two\nquorum {quorum}\n",
            one.key, one.url, two.key, two.url
        )
    };
    user.write("both", &policy("both", &key));
    user.write("silent", &policy("silent", &key));
    let verify = |policy| user.run(&["checkpoint", "verify", "latest", "--tlog-policy", policy]);
    verify("both").fails(3, "only 0 of 2 witnesses");
    let ask =
        |policy| user.run(&["checkpoint", "witness", "latest", "--tlog-policy", policy, "--json"]);
    let asked = ask("silent");
    assert_eq!(asked.code, 3, "{}{}", asked.out, asked.err);
    let told = &asked.lines()[0];
    assert_eq!((&told["cosigned"], &told["enough"]), (&2.into(), &false.into()));
    assert_eq!(verify("both").code, 0);
    verify("silent").fails(3, "only 0 of 1 witnesses");
    assert_eq!(ask("both").code, 0);
    // Another log's key: the witnesses' word is worth nothing without the log's.
    let other = go_tool(&["keygen", "example.com/goods"], b"").unwrap();
    user.write("other", &policy("both", other.lines().nth(2).unwrap()));
    verify("other").fails(3, "no known log has signed");
    assert_eq!(ask("other").code, 3);
    user.write("none", &format!("log {key}\nquorum none\n"));
    assert_eq!(verify("none").code, 0);
    let nobody = user.run(&["checkpoint", "witness", "latest", "--tlog-policy", "none"]);
    nobody.fails(2, "no witness with an address");
    user.write("broken", "quorum\n");
    verify("broken").fails(2, "line 1");
    verify("missing").fails(2, "missing: no such file");
    let both = ["checkpoint", "verify", "latest", "--tlog-policy", "both", "--log", &key];
    user.run(&both).fails(2, "cannot be used with");
}

#[test]
fn help_has_examples() {
    let user = User::new(&[], &[]);
    for command in ["keygen", "make", "verify", "cosign", "witness", "prove"] {
        let help = user.run(&["checkpoint", command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.out.contains(&format!("counterfoil checkpoint {command} ")), "{}", help.out);
    }
}

/// From the signer to somebody who has nothing but a policy: the receipt brings the checkpoint, and moves
/// the pin.
#[test]
fn a_receipt_with_a_checkpoint_verifies_under_a_log_and_its_witness() {
    let (user, key) = signed();
    let ledger = text(&user.json(&["state"])[0]["pin"]["ledger"]).to_owned();
    let own = user.json(&["checkpoint", "keygen", "own.key", "--witness", "own.example"]);
    let own = text(&own[0]["key"]).to_owned();
    // Under the transaction behind the tree, which is not there yet.
    let receipt = ["receipt", "d", "r", "0", "--checkpoint", "latest", "-o", "first.receipt"];
    let early = user.run(&[&receipt[..], &["--json"]].concat());
    assert!(error(&early, 2).contains("transaction 5, which there is not yet"));
    grow(&user, 2);
    user.json(&receipt);
    std::fs::write(
        user.path("logged"),
        format!("ledger = \"{ledger}\"\nquorum = \"none\"\n[[logs]]\nkey = \"{key}\"\n"),
    )
    .unwrap();
    let verified = user.json(&["verify", "first.receipt", "--policy", "logged"]);
    assert_eq!(verified[0]["verdict"], "verified_by_signature", "{}", verified[0]);
    // A policy that asks for a witness wants its signature, too.
    std::fs::write(
        user.path("watched"),
        format!(
            "ledger = \"{ledger}\"\nquorum = \"own\"\n[[logs]]\nkey = \"{key}\"\n\
             [[witnesses]]\nname = \"own\"\nkey = \"{own}\"\n"
        ),
    )
    .unwrap();
    let short = user.run(&["verify", "first.receipt", "--policy", "watched"]);
    assert!(short.code == 5 && short.out.contains("witnesses"), "{}", short.out);
    let cosign = ["checkpoint", "cosign", "latest", "--log", &key, "--key", "own.key", "--first"];
    user.json(&[&cosign[..], &["-o", "latest"]].concat());
    // A policy without a pin knows the ledger's id: the receipt is tied to that.
    let first = format!("1:{ledger}");
    user.json(&[&receipt[..], &["--force", "--since", &first]].concat());
    let verified = user.json(&["verify", "first.receipt", "--policy", "watched", "--move-pin"]);
    assert_eq!(verified[0]["verdict"], "witnessed", "{}", verified[0]);
    assert_eq!(text(&verified[1]["moved"]["pin"]).split(':').next(), Some("2"), "{}", verified[1]);
    // Another ledger's checkpoint does not fit.
    let other = user.path("latest");
    let note = std::fs::read_to_string(&other).unwrap();
    std::fs::write(user.path("false"), note.replacen("\n4\n", "\n3\n", 1)).unwrap();
    let wrong = ["receipt", "d", "r", "0", "--checkpoint", "false", "-o", "x", "--json"];
    assert!(error(&user.run(&wrong), 2).contains("does not fit"));
}
