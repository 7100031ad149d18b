//! The verifier's side of the program: every verdict with its exit code, and what is printed.

#[allow(dead_code)] // each test uses its part
mod receipts;
#[allow(dead_code)] // each test uses its part
mod support;

use receipts::*;
use serde_json::{Value, json};
use support::{Ran, User};

fn verifier() -> User {
    User::new(&[], &[])
}

/// A policy about the document's ledger, with its table.
fn policy(user: &User, name: &str, more: &str) {
    user.write(name, &format!("ledger = \"{LEDGER}\"\ntable = 1\n{more}"));
}

fn state_key_toml(seed: u8, database: &str) -> String {
    format!("[[state_keys]]\ndatabase = \"{database}\"\npem = '''{}'''\n", pem(seed))
}

fn log_toml(quorum: &str, needs: &str) -> String {
    let witness =
        |seed| format!("[[witnesses]]\nname = \"w{seed}\"\nkey = \"{}\"\n", witness_vkey(seed));
    format!(
        "quorum = \"{quorum}\"\n[[logs]]\nkey = \"{}\"\n{}{}{}[[groups]]\nname = \"g\"\n\
         needs = {needs}\nmembers = [\"w11\", \"w12\", \"w13\"]\n",
        log_vkey(1),
        witness(11),
        witness(12),
        witness(13)
    )
}

fn author_key(seed: u8) -> String {
    hex::encode(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key().as_bytes())
}

fn author_toml() -> String {
    format!("require_author = true\n[[authors]]\nname = \"A\"\nkey = \"{}\"\n", author_key(1))
}

/// What can be reached of the table in `docs/receipt.md` §6: all but `payload_erased`, which no
/// receipt shows yet.
#[test]
fn every_verdict_has_its_word_and_exit_code() {
    let user = verifier();
    let one = one();
    let four = four();
    let pins = |txs: &[u64]| {
        let pins: Vec<_> = txs.iter().map(|tx| format!("\"{}\"", pin(*tx))).collect();
        format!("pins = [{}]\n", pins.join(", "))
    };
    let alh = |tx: u64| hex::decode(&pin(tx)[pin(tx).len() - 64..]).unwrap();
    let with_signature = signed(&one, 7, DATABASE);
    // Transaction 2 is the state's own, which no checkpoint covers.
    let (unsigned_four, bare) = (unsigned(&four), String::new());
    let witnessed = |by: &[u8]| logged(&unsigned_four, 1, by);
    let broken_checkpoint = {
        let good = witnessed(&[11]);
        let mut changed = good.clone();
        let at = changed.len() - 9;
        changed[at] ^= 1;
        mended(&changed)
    };
    let version = {
        let mut changed = one.clone();
        changed[3] = 2;
        changed
    };
    let flipped = {
        let mut changed = one.clone();
        changed[200] ^= 1;
        changed
    };
    let key = state_key_toml(7, DATABASE);
    let witnesses = log_toml("g", "2");
    let pinned = ("verified_by_pinned_state", Value::Null, 0);
    let cases = [
        ("pinned", &one, pins(&[2]), pinned.clone()),
        ("pinned among others", &one, pins(&[9, 2, 3]), pinned),
        ("signed", &with_signature, key.clone(), ("verified_by_signature", Value::Null, 0)),
        ("logged", &witnessed(&[]), log_toml("none", "1"), ("payload_unavailable", Value::Null, 5)),
        (
            "witnessed",
            &witnessed(&[11, 13]),
            witnesses.clone(),
            ("payload_unavailable", Value::Null, 5),
        ),
        ("presence", &one, pins(&[2]) + &author_toml(), ("presence_only", Value::Null, 5)),
        ("unavailable", &four, pins(&[6]), ("payload_unavailable", Value::Null, 5)),
        ("extends", &four, pins(&[3]), ("extends_pin_unconfirmed", Value::Null, 3)),
        ("unanchored", &one, bare.clone(), ("intact_unanchored", Value::Null, 3)),
        ("unread", &with_signature, bare.clone(), ("intact_unanchored", Value::Null, 3)),
        ("link", &four, pins(&[8]), ("cannot_decide", json!("link"), 5)),
        ("version", &version, pins(&[2]), ("cannot_decide", json!("version"), 5)),
        ("witness", &witnessed(&[12]), witnesses.clone(), ("cannot_decide", json!("witnesses"), 5)),
        ("format", &flipped, pins(&[2]), ("broken", json!("format"), 1)),
        ("nothing", &Vec::new(), pins(&[2]), ("broken", json!("format"), 1)),
        ("state", &replaced(&one, &alh(2), &[1; 32]), pins(&[2]), ("broken", json!("state"), 1)),
        ("entry", &replaced(&one, b"Basel", b"Paris"), pins(&[2]), ("broken", json!("entry"), 1)),
        (
            "transaction",
            // The eh of transaction 2.
            &replaced(&four, b"\x47\x85\x83\xd7\x7f", b"\x47\x85\x83\xd7\x7e"),
            pins(&[6]),
            ("broken", json!("transaction"), 1),
        ),
        (
            "genesis",
            &replaced(&one, &[0xaa; 32], &[0xab; 32]),
            pins(&[2]),
            ("broken", json!("genesis"), 1),
        ),
        (
            "contradicts",
            &one,
            format!("pins = [\"2:{}\"]\n", "0".repeat(64)),
            ("broken", json!("contradicts_policy"), 1),
        ),
        (
            "earlier",
            &golden("receipt with another chain before an earlier state"),
            bare.clone(),
            ("broken", json!("earlier_state"), 1),
        ),
        (
            "later",
            &golden("receipt with another chain before a later state"),
            bare,
            ("broken", json!("later_state"), 1),
        ),
        // By a key that the policy has not, and by one that is said to be its own.
        (
            "other key",
            &signed(&one, 8, DATABASE),
            key.clone(),
            ("intact_unanchored", Value::Null, 3),
        ),
        (
            "key",
            &signed_as(&one, key_id(7), 8, DATABASE),
            key.clone(),
            ("broken", json!("signature"), 1),
        ),
        ("database", &signed(&one, 7, "other"), key, ("broken", json!("signature"), 1)),
        ("checkpoint", &broken_checkpoint, witnesses, ("broken", json!("checkpoint"), 1)),
    ];
    for (name, bytes, more, (word, reason, code)) in cases {
        std::fs::write(user.path("receipt"), bytes).unwrap();
        policy(&user, "policy", &more);
        let ran = user.run(&["verify", "receipt", "--policy", "policy", "--json"]);
        assert_eq!(ran.code, code, "{name}: {} {}", ran.out, ran.err);
        let line = &ran.lines()[0];
        assert_eq!((&line["verdict"], &line["reason"]), (&json!(word), &reason), "{name}: {line}");
        let text = user.run(&["verify", "receipt", "--policy", "policy"]);
        assert_eq!(text.code, code, "{name}");
        assert!(text.out.starts_with(&format!("{word}  receipt: ")), "{name}: {}", text.out);
        // Nothing is said of the events of what is broken.
        assert!(word != "broken" || line["events"] == json!([]), "{name}");
        assert!(word != "broken" || !text.out.contains("shipment"), "{name}");
    }
    // What is about another ledger, and which table it is.
    std::fs::write(user.path("receipt"), &four).unwrap();
    user.write("policy", &format!("ledger = \"{}\"\n", "1".repeat(64)));
    let other = user.run(&["verify", "receipt", "--policy", "policy", "--json"]);
    assert_eq!((other.code, &other.lines()[0]["reason"]), (5, &json!("policy")));
    user.write("policy", &format!("ledger = \"{LEDGER}\"\n{}", pins(&[6])));
    let table = user.run(&["verify", "receipt", "--policy", "policy", "--json"]);
    assert_eq!((table.code, &table.lines()[0]["reason"]), (5, &json!("table")));
    user.write("policy", &format!("ledger = \"{LEDGER}\"\ntable = 2\n{}", pins(&[6])));
    let table = user.run(&["verify", "receipt", "--policy", "policy", "--json"]);
    assert_eq!((table.code, &table.lines()[0]["reason"]), (1, &json!("table")));
}

/// The salt and content of `docs/format.md` §5.
const CONTENT: &str = "content";
const SALT: &str = "4444444444444444444444444444444444444444444444444444444444444444";

/// With its content shown, an event that has a commitment is verified by whatever verifies it.
#[test]
fn content_that_is_kept_elsewhere_can_be_shown() {
    let user = verifier();
    let four = unsigned(&four());
    let witnessed = logged(&four, 1, &[11, 12]);
    std::fs::write(user.path("four"), &four).unwrap();
    std::fs::write(user.path("witnessed"), witnessed).unwrap();
    std::fs::write(user.path("logged"), logged(&four, 1, &[])).unwrap();
    std::fs::write(user.path("one"), one()).unwrap();
    user.write("content", CONTENT);
    user.write("other", "other");
    policy(&user, "pinned", &format!("pins = [\"{}\", \"{}\"]", pin(6), pin(2)));
    policy(&user, "log", &log_toml("none", "1"));
    policy(&user, "witnesses", &log_toml("g", "2"));
    let shown = ["--payload", "content", "--salt", SALT, "--json"];
    for (file, policy, word, anchor) in [
        (
            "four",
            "pinned",
            "verified_by_pinned_state",
            json!({ "by": "pinned_state", "state": pin(6) }),
        ),
        ("witnessed", "witnesses", "witnessed", json!({ "by": "witnesses", "signed": 2, "of": 3 })),
        ("logged", "log", "verified_by_signature", json!({ "by": "log", "size": 5 })),
    ] {
        let ran = user.run(&[&["verify", file, "--policy", policy], &shown[..]].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let line = &ran.lines()[0];
        assert_eq!(line["verdict"], word);
        let last = &line["events"][3];
        assert_eq!((&last["anchor"], &last["shown"]), (&anchor, &json!(CONTENT)), "{last}");
        assert_eq!(line["events"][0]["shown"], Value::Null);
    }
    let verify = |arguments: &[&str]| {
        user.run(&[&["verify", "--policy", "pinned", "--json"], arguments].concat())
    };
    // Of another content and of another salt, where there is one event that can be meant.
    let other_salt = "5".repeat(64);
    for arguments in [
        ["four", "--payload", "other", "--salt", SALT],
        ["four", "--payload", "content", "--salt", &other_salt],
    ] {
        let ran = verify(&arguments);
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{}", ran.out);
        assert_eq!(ran.lines()[0]["reason"], "payload");
    }
    // Of several receipts it is another's, and of one that holds its content itself nobody's.
    let word = |ran: &Ran, at: usize| ran.lines()[at]["verdict"].clone();
    let shown = verify(&["one", "four", "one", "--payload", "content", "--salt", SALT]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""), "{}", shown.out);
    assert_eq!(shown.lines()[1]["events"][3]["shown"], CONTENT);
    for (files, exit) in [(&["one"][..], 0), (&["one", "four"], 5)] {
        let ran = verify(&[files, &["--payload", "other", "--salt", SALT]].concat());
        assert_eq!(ran.code, exit, "{}", ran.out);
        assert_eq!(word(&ran, 0), "verified_by_pinned_state");
        if files.len() > 1 {
            assert_eq!(word(&ran, 1), "payload_unavailable");
        }
        assert!(ran.err.contains("other: no event of these receipts commits to it"), "{}", ran.err);
    }
    let both = ["--payload", "other", "--salt", SALT, "--payload", "content", "--salt", SALT];
    let ran = verify(&[&["four"], &both[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert_eq!(ran.lines()[0]["events"][3]["shown"], CONTENT);
    assert!(ran.err.contains("other: ") && !ran.err.contains("content: "), "{}", ran.err);
    verify(&["four", "--payload", "content"]).fails(2, "--salt");
    verify(&["four", "--payload", "content", "--salt", "44"]).fails(2, "64 lower-case hex");
    verify(&["four", "--payload", "absent", "--salt", SALT]).fails(4, "absent");
}

/// One bad file among many.
#[test]
fn files_are_told_one_by_one_and_the_worst_decides() {
    let user = verifier();
    std::fs::write(user.path("one"), one()).unwrap();
    std::fs::write(user.path("four"), four()).unwrap();
    user.write("broken", "no receipt");
    policy(&user, "policy", &format!("pins = [\"{}\", \"{}\"]", pin(2), pin(3)));
    let verify = |files: &[&str]| {
        let ran = user.run(&[&["verify", "--policy", "policy", "--json"], files].concat());
        let words: Vec<_> = ran
            .lines()
            .iter()
            .map(|line| (line["file"].as_str().unwrap().to_owned(), line["code"].clone()))
            .collect();
        (ran.code, words, ran.err)
    };
    let told = |file: &str, code: &str| (file.to_owned(), json!(code));
    let (good, extends) = (told("one", "5a"), told("four", "96"));
    assert_eq!(verify(&["one", "one"]), (0, vec![good.clone(), good.clone()], String::new()));
    let (code, words, err) = verify(&["absent", "one", "four"]);
    assert_eq!((code, words), (4, vec![good.clone(), extends.clone()]));
    let error: Value = serde_json::from_str(&err).unwrap();
    assert_eq!(error["error"]["exit"], 4);
    assert!(error["error"]["message"].as_str().unwrap().starts_with("absent: "), "{err}");
    let (code, words, _) = verify(&["one", "absent", "broken", "four", "."]);
    assert_eq!((code, words), (1, vec![good, told("broken", "f0"), extends]));
    // Nothing is verified under a policy that is none.
    for (text, words) in [("ledger = 1", "ledger"), ("pins = []", "missing field `ledger`")] {
        user.write("policy", text);
        let ran = user.run(&["verify", "one", "--policy", "policy"]);
        ran.fails(2, words);
        assert!(ran.err.contains("policy: ") && ran.out.is_empty(), "{}{}", ran.out, ran.err);
    }
    user.run(&["verify", "one", "--policy", "absent"]).fails(2, "absent: no such file");
    policy(&user, "key", "[[state_keys]]\ndatabase = \"d\"\nfile = \"absent.pem\"\n");
    user.run(&["verify", "one", "--policy", "key"]).fails(2, "absent.pem: no such file");
    let both = ["verify", "one", "--policy", "policy", "--ledger-id", LEDGER];
    user.run(&both).fails(2, "--ledger-id");
    user.run(&["verify", "one", "--policy", "policy", "--pin", &pin(2)]).fails(2, "--pin");
    user.run(&["verify", "one", "--move-pin"]).fails(2, "--policy");
}

/// What is trusted comes from one place: the one that is named, and never from two.
#[test]
fn a_policy_is_all_that_is_trusted() {
    let user = User::new(&[], &[("COUNTERFOIL_CONFIG", "trusts.toml")]);
    std::fs::write(user.path("one"), one()).unwrap();
    let trust = format!("[trust]\nledger = \"{LEDGER}\"\npin = \"{}\"\n", pin(2));
    user.write("trusts.toml", &trust);
    // Never read, whatever is in it.
    user.write("counterfoil.toml", "no configuration");
    policy(&user, "policy", "");
    let verify = |arguments: &[&str]| {
        let ran = user.run(&[&["verify", "one", "--table", "1", "--json"], arguments].concat());
        (ran.code, ran.lines()[0]["verdict"].as_str().unwrap().to_owned())
    };
    let pinned = (0, "verified_by_pinned_state".to_owned());
    assert_eq!(verify(&[]), pinned);
    assert_eq!(verify(&["--config", "trusts.toml"]), pinned);
    let ran = user.run(&["verify", "one", "--policy", "policy", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (3, ""));
    assert_eq!(ran.lines()[0]["verdict"], "intact_unanchored");

    let words = "--policy and --config both say what is trusted";
    let under = ["--policy", "policy", "--config", "trusts.toml"];
    for arguments in [
        &[&["verify", "one"], &under[..]].concat(),
        &[&under[2..], &["verify", "one"], &under[..2]].concat(),
        &vec!["verify", "one", "--policy", "policy", "--config", "absent.toml"],
    ] {
        let ran = user.run(arguments);
        ran.fails(2, words);
        assert_eq!(ran.out, "", "nothing is verified");
    }
}

/// Keys are rotated in the policy: the new one beside the old one, then without it.
#[test]
fn keys_count_as_long_as_the_policy_has_them() {
    let user = verifier();
    let one = one();
    std::fs::write(user.path("old"), signed(&one, 7, DATABASE)).unwrap();
    std::fs::write(user.path("new"), signed(&one, 8, DATABASE)).unwrap();
    let (old, new) = (state_key_toml(7, DATABASE), state_key_toml(8, DATABASE));
    for (keys, codes) in [
        (old.clone(), [0, 3]),
        (old.clone() + &new, [0, 0]),
        (new.clone() + &old, [0, 0]),
        (new.clone(), [3, 0]),
    ] {
        policy(&user, "policy", &keys);
        let code = |file| user.run(&["verify", file, "--policy", "policy"]).code;
        assert_eq!([code("old"), code("new")], codes, "{keys}");
    }
    // The policy has the new one alone: the old one's signature counts for nothing, and that is said.
    let ran = user.run(&["verify", "old", "--policy", "policy"]);
    assert!(ran.out.contains(&format!("not counted: its state is signed under key {}", key_id(7))));
    let told = &user.run(&["verify", "old", "--policy", "policy", "--json"]).lines()[0];
    let signature = json!({ "key": key_id(7).to_string(), "in_policy": false });
    assert_eq!(told["state_signature"], signature);
    policy(&user, "policy", &format!("pins = [\"{}\"]\n{new}", pin(2)));
    user.json(&["verify", "old", "--policy", "policy"]);
    // The same for a log. A key that is not known is passed over.
    let four = unsigned(&four());
    std::fs::write(user.path("old"), logged(&four, 1, &[])).unwrap();
    std::fs::write(user.path("new"), logged(&four, 2, &[])).unwrap();
    let log = |seed| format!("[[logs]]\nkey = \"{}\"\n", log_vkey(seed));
    for (logs, codes) in [(log(1), [5, 3]), (log(1) + &log(2), [5, 5]), (log(2), [3, 5])] {
        policy(&user, "policy", &format!("quorum = \"none\"\n{logs}"));
        let code = |file| user.run(&["verify", file, "--policy", "policy"]).code;
        assert_eq!([code("old"), code("new")], codes, "{logs}");
    }
}

const SIGNED: &str = "receipt of a signed event";
/// That of `docs/format.md` §11.
const AUTHOR: &str = "332ebe8d27cb7323b3a401c1c13b5dd64bccc0e10ecda1c2b5d11a03779a85e5";

/// The state of the signed event is pinned, and its author may write to these domains.
fn signed_toml(domains: &str) -> String {
    let alh = &documented()["alh of the signed event's transaction"];
    format!(
        "pins = [\"2:{alh}\"]\nrequire_author = true\n[[authors]]\nname = \"Anna\"\nkey = \
         \"{AUTHOR}\"\ndomains = {domains}\n"
    )
}

/// Where an author is required, what another one wrote is in the ledger and no more.
#[test]
fn who_wrote_an_event_is_told_beside_the_verdict() {
    let user = verifier();
    std::fs::write(user.path("signed"), golden(SIGNED)).unwrap();
    let verify = |text: &str| {
        policy(&user, "policy", text);
        let ran = user.run(&["verify", "signed", "--policy", "policy", "--json"]);
        let line = ran.lines()[0].clone();
        let author = line["events"][0]["author"].clone();
        (ran.code, line["verdict"].as_str().unwrap().to_owned(), author)
    };
    let allowed = signed_toml("[\"invoice\", \"shipment\"]");
    let author = |authorship: &str, name: Option<&str>| {
        let mut author = json!({ "authorship": authorship, "key": AUTHOR });
        if let Some(name) = name {
            author["name"] = name.into();
        }
        author
    };
    let verified = "verified_by_pinned_state".to_owned();
    let anna = author("signed_by_author", Some("Anna"));
    assert_eq!(verify(&allowed), (0, verified.clone(), anna));
    let presence = "presence_only".to_owned();
    let elsewhere = author("author_not_allowed", Some("Anna"));
    assert_eq!(verify(&signed_toml("[\"invoice\"]")), (5, presence.clone(), elsewhere.clone()));
    let unlisted = verify(&allowed.replace(AUTHOR, &author_key(1)));
    assert_eq!(unlisted, (5, presence, author("unknown_author", None)));
    // Not required, it is told all the same.
    let free = signed_toml("[\"invoice\"]").replace("require_author = true", "");
    assert_eq!(verify(&free), (0, verified, elsewhere));
}

/// The keys of the log and the witnesses of the document.
fn documented_keys() -> Vec<&'static str> {
    let document = include_str!("../../docs/receipt.md");
    let (_, rest) = document.split_once("```text\nexample.com/ledger+").expect("the keys");
    let end = rest.find("```").expect("their end");
    let start = document.len() - rest.len() - "example.com/ledger+".len();
    document[start..].lines().take(rest[..end].lines().count()).collect()
}

/// The printed text and JSON of the document's receipts. With UPDATE_GOLDEN they are written anew.
#[test]
fn what_is_printed_of_the_documented_receipts_stays() {
    let user = verifier();
    std::fs::write(user.path("one.receipt"), one()).unwrap();
    std::fs::write(user.path("four.receipt"), four()).unwrap();
    std::fs::write(user.path("entry.receipt"), replaced(&one(), b"Basel", b"Paris")).unwrap();
    let mut damaged = one();
    damaged[250] ^= 1;
    std::fs::write(user.path("damaged.receipt"), damaged).unwrap();
    let witnessed = logged(&unsigned(&four()), 1, &[11, 13]);
    std::fs::write(user.path("witnessed.receipt"), witnessed).unwrap();
    user.write("no.receipt", "no receipt");
    std::fs::write(user.path("signed.receipt"), golden(SIGNED)).unwrap();
    policy(&user, "signed.policy", &signed_toml("[\"shipment\"]"));
    std::fs::write(user.path("checkpoint.receipt"), golden("receipt with a checkpoint")).unwrap();
    let [log, witnesses @ ..] = &documented_keys()[..] else { panic!("no keys") };
    let witness =
        |(key, name): (&&str, char)| format!("[[witnesses]]\nname = \"{name}\"\nkey = \"{key}\"\n");
    let witnesses: String = witnesses.iter().zip('a'..).map(witness).collect();
    policy(
        &user,
        "checkpoint.policy",
        &format!("quorum = \"a\"\n[[logs]]\nkey = \"{log}\"\n{witnesses}"),
    );
    policy(
        &user,
        "goods.policy",
        &format!("pins = [\"{}\"]\n{}", pin(2), log_toml("g", "2") + &state_key_toml(7, DATABASE)),
    );
    let all = ["one.receipt", "four.receipt", "entry.receipt", "witnessed.receipt", "no.receipt"];
    let verify = [&["verify", "--policy", "goods.policy"], &all[..]].concat();
    let cases: [(&str, Vec<&str>); 15] = [
        ("verify.txt", verify.clone()),
        ("verify.json", [&verify[..], &["--json"]].concat()),
        (
            "verify-full.json",
            ["verify", "one.receipt", "--policy", "goods.policy", "--full", "--json"].into(),
        ),
        ("inspect-one.txt", ["inspect", "one.receipt"].into()),
        ("inspect-four.txt", ["inspect", "four.receipt", "--policy", "goods.policy"].into()),
        ("inspect-four.json", ["inspect", "four.receipt", "--json"].into()),
        ("inspect-full.txt", ["inspect", "one.receipt", "--full"].into()),
        ("inspect-entry.txt", ["inspect", "entry.receipt"].into()),
        ("inspect-damaged.txt", ["inspect", "damaged.receipt"].into()),
        ("inspect-witnessed.txt", ["inspect", "witnessed.receipt"].into()),
        ("verify-signed.txt", ["verify", "signed.receipt", "--policy", "signed.policy"].into()),
        ("inspect-signed.txt", ["inspect", "signed.receipt", "--policy", "signed.policy"].into()),
        (
            "verify-checkpoint.json",
            ["verify", "checkpoint.receipt", "--policy", "checkpoint.policy", "--json"].into(),
        ),
        ("inspect-checkpoint.txt", ["inspect", "checkpoint.receipt"].into()),
        ("policy-check.txt", ["policy", "check", "goods.policy"].into()),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut changed = Vec::new();
    for (name, arguments) in cases {
        let ran = user.run(&arguments);
        let text = format!("{}exit code {}\n", ran.out, ran.code);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(folder.join(name), text).unwrap();
        } else if std::fs::read_to_string(folder.join(name)).unwrap_or_default() != text {
            changed.push(format!("{name}:\n{text}"));
        }
    }
    assert!(changed.is_empty(), "set UPDATE_GOLDEN if these are right:\n{}", changed.join("\n"));
}

#[test]
fn inspect_says_where_a_receipt_stops_holding() {
    let user = verifier();
    let (one, four) = (one(), four());
    let inspect = |bytes: &[u8]| {
        std::fs::write(user.path("receipt"), bytes).unwrap();
        user.run(&["inspect", "receipt", "--json"])
    };
    let good = inspect(&four);
    assert_eq!((good.code, &good.lines()[0]["receipt"]["flaw"]), (0, &Value::Null));
    // An event that is another one: its path leads elsewhere, all above it holds.
    let entry = inspect(&replaced(&four, b"Moved 3.2", b"Moved 3.1"));
    assert_eq!(entry.code, 1);
    let receipt = entry.lines()[0]["receipt"].clone();
    assert_eq!(receipt["flaw"]["reason"], "entry");
    let holds = |receipt: &Value, tx: usize, event: usize| {
        receipt["transactions"][tx]["events"][event]["path"]["holds"].clone()
    };
    assert_eq!(holds(&receipt, 1, 0), json!(true));
    assert_eq!(holds(&receipt, 1, 1), json!(false));
    assert_eq!(receipt["transactions"][1]["path"]["holds"], json!(true));
    // A hash of a path that all transactions share.
    let b5fb =
        hex::decode("b5fb796898ddd25750def93ffaa9e8e5e784dd9c5f38899c787c9098fac9edd4").unwrap();
    let tree = inspect(&replaced(&four, &b5fb, &[9; 32]));
    let receipt = tree.lines()[0]["receipt"].clone();
    assert_eq!((tree.code, holds(&receipt, 0, 0)), (1, json!(true)));
    assert!((0..3).all(|tx| receipt["transactions"][tx]["path"]["holds"] == json!(false)));
    // One bit: as far as it can be read, it is drawn.
    let mut flipped = one.clone();
    flipped[250] ^= 1;
    let damaged = inspect(&flipped);
    assert_eq!(damaged.code, 1);
    let receipt = &damaged.lines()[0]["receipt"];
    assert_eq!((&receipt["damaged"], &receipt["flaw"]["reason"]), (&json!(true), &json!("format")));
    let cut = inspect(&one[..300]);
    assert_eq!(cut.code, 1);
    assert!(cut.lines()[0]["unreadable"].as_str().unwrap().contains("damaged"), "{}", cut.out);
    assert_eq!(inspect(b"CfR\x02").code, 5);
    assert_eq!(inspect(b"").code, 1);
    user.run(&["inspect", "absent"]).fails(4, "absent: ");
}
