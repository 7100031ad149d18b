//! One schema in two forms, and every contradiction refused with its reason.

use counterfoil_core::checkpoint::{KeyName, LogKey, WitnessKey};
use counterfoil_core::{Ed25519Key, TrustedState, TxId};
use ed25519_dalek::SigningKey;

use super::*;

const LEDGER: &str = "12dc849900379fe3dd4b4d00e99cdba2cc5050d0ea9b3309493a201fce96c406";
const ANNA: &str = "1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6";
const ALH: &str = "8b62ffcfd649be15aefc2c6ef7be57affd8300949d138d027ff018d5e9cf55b5";
const OTHER: &str = "70988fbac6115eef1fa021b9fc89f79925ab25ee5d2ce003d526801ea97c7f41";

fn key(seed: u8) -> Ed25519Key {
    let key = SigningKey::from_bytes(&[seed; 32]).verifying_key();
    Ed25519Key::from_bytes(key.as_bytes()).unwrap()
}

fn log(seed: u8) -> String {
    LogKey::new(KeyName::new("example.com/goods").unwrap(), key(seed)).to_string()
}

/// The key of a log that is named by a ledger's id.
fn log_of(ledger: &str) -> String {
    let name = format!("counterfoil/{ledger}");
    LogKey::new(KeyName::new(&name).unwrap(), key(1)).to_string()
}

fn witness(seed: u8) -> String {
    let name = format!("w{seed}.example");
    WitnessKey::new(KeyName::new(&name).unwrap(), key(seed)).to_string()
}

fn author_key(seed: u8) -> String {
    hex::encode(key(seed).as_bytes())
}

/// That of `docs/receipt.md`.
pub(super) fn pem() -> String {
    let point = "041e18532fd4754c02f3041d9c75ceb33b83ffd81ac7ce4fe882ccb1c98bc5896ea46c311c4e2ff40dd\
                 96a3653e6e45445d32dfe486eced75c7a90c6a18881c0a3";
    let spki = format!("3059301306072a8648ce3d020106082a8648ce3d030107034200{point}");
    let der = hex::decode(spki).unwrap();
    pem_rfc7468::encode_string("PUBLIC KEY", pem_rfc7468::LineEnding::LF, &der).unwrap()
}

/// Everything that a policy may say.
fn whole() -> String {
    format!(
        r#"
        ledger = "{LEDGER}"
        table = 1
        pins = ["2:{ALH}", {{ tx = 3, alh = "{OTHER}" }}]
        quorum = "both"
        require_author = true

        [[logs]]
        key = "{}"
        url = "https://log.example"

        [[witnesses]]
        name = "X1"
        key = "{}"
        [[witnesses]]
        name = "X2"
        key = "{}"
        [[witnesses]]
        name = "Y"
        key = "{}"
        url = "https://y.example"

        [[groups]]
        name = "X"
        needs = "any"
        members = ["X1", "X2"]
        [[groups]]
        name = "both"
        needs = 2
        members = ["X", "Y"]

        [[state_keys]]
        database = "defaultdb"
        pem = """{}"""

        [[authors]]
        name = "Alice"
        key = "{}"
        domains = ["shipment"]
        "#,
        log(1),
        witness(11),
        witness(12),
        witness(13),
        pem(),
        author_key(21),
    )
}

/// Why it is refused.
#[track_caller]
fn refused(toml: &str) -> String {
    TrustPolicy::from_toml(toml).unwrap_err().to_string()
}

#[test]
fn both_forms_say_the_same() {
    let policy = TrustPolicy::from_toml(&whole()).unwrap();
    assert_eq!(TrustPolicy::from_toml(&policy.to_toml()).unwrap(), policy);
    assert_eq!(TrustPolicy::from_json(&policy.to_json()).unwrap(), policy);
    let value: toml::Value = toml::from_str(&whole()).unwrap();
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(TrustPolicy::from_json(&json).unwrap(), policy);
    // The smallest one.
    let least = TrustPolicy::from_toml(&format!("ledger = \"{LEDGER}\"")).unwrap();
    assert_eq!(least, TrustPolicy::new(LEDGER.parse().unwrap()));
    assert_eq!(least.to_toml().trim(), format!("ledger = \"{LEDGER}\""));
    assert_eq!(
        policy.summary().to_string(),
        format!(
            "ledger {LEDGER}, table 1, 2 pins (newest 3), 1 state key, 1 log, 3 witnesses, quorum \
             both, 1 author, who must have signed"
        )
    );
}

#[test]
fn a_key_that_there_is_not_is_an_error_that_names_it() {
    for (addition, words) in [
        ("pinz = []", "unknown field `pinz`"),
        ("[[logs]]\nkye = \"x\"", "unknown field `kye`"),
        ("[[witnesses]]\nname = \"x\"\nkey = \"y\"\nweight = 2", "unknown field `weight`"),
        ("[[groups]]\nname = \"x\"\nneeds = 1\nmembers = []\nk = 1", "unknown field `k`"),
        ("[[state_keys]]\ndatabase = \"x\"\nder = \"y\"", "unknown field `der`"),
        ("[[authors]]\nname = \"x\"\nkey = \"y\"\ndomain = \"z\"", "unknown field `domain`"),
        ("pins = [{ tx = 2, hash = \"x\" }]", "unknown field `hash`"),
        ("pins = [2]", "\"TX:ALH\", or a table"),
        ("pins = [\"02:x\"]", "not a transaction number"),
        ("table = -1", "-1"),
        ("table = 1\ntable = 1", "duplicate key"),
    ] {
        let error = refused(&format!("ledger = \"{LEDGER}\"\n{addition}"));
        assert!(error.contains(words) && error.contains("docs/policy.md"), "{error}");
    }
    let json = format!(r#"{{"ledger": "{LEDGER}", "pinz": []}}"#);
    let error = TrustPolicy::from_json(&json).unwrap_err().to_string();
    assert!(error.contains("unknown field `pinz`") && error.contains("line 1"), "{error}");
    let twice = format!(r#"{{"ledger": "{LEDGER}", "table": 1, "table": 2}}"#);
    let error = TrustPolicy::from_json(&twice).unwrap_err().to_string();
    assert!(error.contains("duplicate field `table`"), "{error}");
    assert!(refused("table = 1").contains("missing field `ledger`"));
}

#[test]
fn what_contradicts_itself_is_no_policy() {
    let (log_key, w1, w2) = (log(1), witness(11), witness(12));
    let witness_of =
        |name: &str, key: &str| format!("[[witnesses]]\nname = \"{name}\"\nkey = \"{key}\"\n");
    let logs = format!("[[logs]]\nkey = \"{log_key}\"\n");
    let (a, b) = (witness_of("a", &w1), witness_of("b", &w2));
    let group = |name: &str, needs: &str, members: &str| {
        format!("[[groups]]\nname = \"{name}\"\nneeds = {needs}\nmembers = [{members}]\n")
    };
    let author = |name: &str, seed| {
        format!("[[authors]]\nname = \"{name}\"\nkey = \"{}\"\n", author_key(seed))
    };
    let state_key = format!("[[state_keys]]\ndatabase = \"d\"\npem = \"\"\"{}\"\"\"\n", pem());
    let not_p256 = pem().replace("PUBLIC", "PRIVATE");
    let quorum =
        |name: &str, rest: &[&str]| format!("quorum = \"{name}\"\n{logs}{}", rest.concat());
    let cases = [
        ("table = 0".into(), "table: no table has the number 0"),
        (format!("pins = [\"0:{ALH}\"]"), "pins[0]: transactions count from 1"),
        (format!("pins = [\"1:{ALH}\"]"), "pins[0]: a pin of transaction 1 is not the ledger's id"),
        (
            format!("pins = [\"2:{ALH}\", \"2:{OTHER}\"]"),
            "pins[1]: two pins of transaction 2 have two hashes",
        ),
        (format!("pins = [\"2:{ALH}\", \"2:{ALH}\"]"), "pins[1]: transaction 2 is pinned twice"),
        (state_key.repeat(2), "state_keys[1]: the same key a second time"),
        ("[[state_keys]]\ndatabase = \"d\"".into(), "state_keys[0]: the key is to be in"),
        (state_key.replace("\"d\"", "\"\""), "state_keys[0].database: a database without a name"),
        (state_key.replace(&pem(), "x"), "state_keys[0].pem: "),
        (state_key.replace(&pem(), &not_p256), "a PEM block \"PRIVATE KEY\""),
        (
            "[[state_keys]]\ndatabase = \"d\"\nfile = \"k.pem\"".into(),
            "state_keys[0].file: it names the file k.pem",
        ),
        ("tlog_policy = \"f\"".into(), "tlog_policy: it names the file f"),
        (format!("tlog_policy = \"f\"\n{logs}"), "named in two places"),
        (logs.clone(), "quorum: it is not said which witnesses it takes"),
        (quorum("x", &[&a]), "quorum: \"x\" is no witness and no group"),
        (format!("quorum = \"a\"\n{a}"), "logs: there are witnesses or a quorum, and no log"),
        ("quorum = \"none\"".into(), "logs: there are witnesses or a quorum, and no log"),
        (quorum("none", &[&logs]), "logs[1]: the same key a second time"),
        (quorum("a", &[&a, &witness_of("b", &w1)]), "witnesses[1]: the same key a second time"),
        (quorum("a", &[&a, &witness_of("a", &w2)]), "witnesses[1]: the name \"a\" is taken"),
        (quorum("a", &[&witness_of("none", &w1)]), "witnesses[0]: \"none\" can be nobody's name"),
        (quorum("a", &[&witness_of("a", &log_key)]), "witnesses[0]: "),
        (quorum("none", &[]).replace(&log_key, &w1), "logs[0]: "),
        (quorum("g", &[&a, &group("g", "2", "\"a\"")]), "needs 2 of its 1 members"),
        (quorum("g", &[&a, &group("g", "0", "\"a\"")]), "needs 0 of its 1 members"),
        (quorum("g", &[&a, &group("g", "\"all\"", "")]), "groups[0]: group \"g\" has no members"),
        (quorum("g", &[&a, &group("g", "1", "\"c\"")]), "groups[0]: \"c\" is no witness"),
        (quorum("g", &[&a, &group("g", "1", "\"g\"")]), "groups[0]: \"g\" is no witness"),
        (quorum("g", &[&a, &group("g", "1", "\"none\"")]), "groups[0]: \"none\" is no witness"),
        (quorum("g", &[&a, &group("g", "1", "\"a\", \"a\"")]), "\"a\" is in a group already"),
        (
            quorum("h", &[&a, &b, &group("g", "1", "\"a\""), &group("h", "1", "\"b\", \"a\"")]),
            "groups[1]: \"a\" is in a group already",
        ),
        (quorum("a", &[&a, &group("a", "1", "\"a\"")]), "groups[0]: the name \"a\" is taken"),
        (quorum("g", &[&a, &group("g", "\"some\"", "\"a\"")]), "a number, \"any\" or \"all\""),
        (quorum("g", &[&a, &group("g", "-1", "\"a\"")]), "-1"),
        (author("A", 21) + &author("B", 21), "authors[1].key: the same key a second time"),
        (author("A", 21) + &author("A", 22), "authors[1].name: \"A\" does not name one author"),
        (author("A", 21) + "domains = []", "authors[0].domains: "),
        (author("A", 21).replace(&author_key(21), &"0".repeat(63)), "not 64 lower-case hex digits"),
        (author("A", 21).replace(&author_key(21), &"0".repeat(64)), "authors[0].key: "),
        (quorum("none", &[]).replace(&log_key, &log_of(OTHER)), "names another ledger than 12dc"),
        ("require_author = true".into(), "require_author: an author is required"),
    ];
    for (addition, words) in cases {
        let error = refused(&format!("ledger = \"{LEDGER}\"\n{addition}"));
        assert!(error.contains(words), "{words:?} is not in {error:?}");
        assert!(error.contains("; "), "no remedy: {error}");
    }
}

fn tlog(lines: &[&str]) -> String {
    let keys = [("LOG", log(1)), ("KX1", witness(11)), ("KX2", witness(12)), ("KY", witness(13))];
    let text = lines.iter().map(|line| format!("{line}\n")).collect();
    keys.iter().fold(text, |text: String, (name, key)| text.replace(name, key))
}

#[test]
fn a_tlog_policy_says_the_same_as_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let text = tlog(&[
        "# our log",
        "log LOG\thttps://log.example",
        "",
        "  witness X1 KX1",
        "witness X2 KX2  ",
        "\t# of another house",
        "witness Y KY https://y.example",
        "group X any X1 X2",
        "group both 2 X Y",
        "quorum both",
    ]);
    std::fs::write(folder.path().join("witnesses"), text).unwrap();
    std::fs::write(folder.path().join("state.pem"), pem()).unwrap();
    let inline = TrustPolicy::from_toml(&whole()).unwrap();
    let document: toml::Table = toml::from_str(&whole()).unwrap();
    let mut referring = document;
    for moved in ["logs", "witnesses", "groups", "quorum"] {
        referring.remove(moved).unwrap();
    }
    referring.insert("tlog_policy".into(), "witnesses".into());
    let keys: toml::Value =
        toml::from_str::<toml::Table>("k = [{ database = \"defaultdb\", file = \"state.pem\" }]")
            .unwrap()
            .remove("k")
            .unwrap();
    referring.insert("state_keys".into(), keys);
    for (name, text) in [
        ("policy.toml", toml::to_string(&referring).unwrap()),
        ("policy.json", serde_json::to_string(&referring).unwrap()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        assert_eq!(TrustPolicy::load(&path).unwrap(), inline);
    }
    // What is wrong there is told with its file and line.
    std::fs::write(folder.path().join("witnesses"), tlog(&["log LOG", "quorum X"])).unwrap();
    let error = TrustPolicy::load(folder.path().join("policy.toml")).unwrap_err().to_string();
    assert!(error.contains("witnesses: line 2: \"X\" is no witness"), "{error}");
    std::fs::remove_file(folder.path().join("state.pem")).unwrap();
    std::fs::write(folder.path().join("witnesses"), tlog(&["log LOG", "quorum none"])).unwrap();
    let error = TrustPolicy::load(folder.path().join("policy.toml")).unwrap_err();
    assert!(matches!(error, PolicyError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("state.pem"), "{error}");
}

#[test]
fn a_tlog_policy_is_read_strictly() {
    let good = ["log LOG", "witness a KX1", "witness b KX2", "group g 1 a b", "quorum g"];
    assert!(tlog_policy::read(&tlog(&good)).is_ok());
    assert!(tlog_policy::read(&tlog(&["quorum none"])).is_ok());
    let cases: &[(usize, &str, &str)] = &[
        (0, "Log LOG", "line 1: \"Log\" with 1 items"),
        (0, "log", "line 1: \"log\" with 0 items"),
        (0, "log LOG url more", "line 1: \"log\" with 3 items"),
        (0, "log KX1", "line 1: "),
        (1, "witness a LOG", "line 2: "),
        (2, "witness b KX1", "line 3: the same key a second time"),
        (2, "witness a KX2", "line 3: the name \"a\" is taken"),
        (2, "witness none KX2", "line 3: \"none\" can be nobody's name"),
        (2, "witness b\u{a0}KX2", "line 3: \"witness\" with 1 items"),
        (2, "witness b KX2\r", "line 3: the control character 0x0d"),
        (2, "witness b \u{b}KX2", "line 3: the control character 0x0b"),
        (3, "group g 01 a b", "line 4: \"01\" is not a number"),
        (3, "group g +1 a b", "line 4: \"+1\" is not a number"),
        (3, "group g 3 a b", "line 4: group \"g\" needs 3 of its 2 members"),
        (3, "group g 0 a b", "line 4: group \"g\" needs 0 of its 2 members"),
        (3, "group g any", "line 4: group \"g\" has no members"),
        (3, "group g ANY a b", "line 4: \"ANY\" is not a number"),
        (3, "group g all a a", "line 4: \"a\" is in a group already"),
        (3, "group g all a c", "line 4: \"c\" is no witness"),
        (4, "quorum c", "line 5: \"c\" is no witness"),
        (4, "quorum g g", "line 5: \"quorum\" with 2 items"),
        (4, "quorum g\nquorum g", "line 6: a second quorum"),
        (4, "# quorum g", "quorum: it is not said"),
    ];
    for &(at, line, words) in cases {
        let mut lines = good;
        lines[at] = line;
        let error = tlog_policy::read(&tlog(&lines)).unwrap_err().to_string();
        assert!(error.contains(words), "{words:?} is not in {error:?}");
    }
    // Only what was named before can be meant.
    let early = ["log LOG", "quorum a", "witness a KX1"];
    assert!(tlog_policy::read(&tlog(&early)).unwrap_err().to_string().contains("line 2"));
    let cut = tlog(&good);
    let error = tlog_policy::read(cut.trim_end()).unwrap_err().to_string();
    assert!(error.contains("line 5: the last line has no end"), "{error}");
    assert!(tlog_policy::read("").is_err());
}

#[test]
fn a_policy_for_hand_is_checked_alike() {
    let ledger: Alh = LEDGER.parse().unwrap();
    let pin = state;
    let policy = TrustPolicy::new(ledger).with_pin(pin(2, ALH)).unwrap();
    assert!(policy.clone().with_table(0).is_err());
    for wrong in [pin(0, ALH), pin(1, ALH), pin(2, OTHER)] {
        assert!(policy.clone().with_pin(wrong).is_err(), "{wrong}");
    }
    assert!(policy.with_pin(pin(1, LEDGER)).is_ok());
}

/// Every form in `docs/policy.md` is one policy.
#[test]
fn the_documented_policies_are_one() {
    let document = include_str!("../../../docs/policy.md");
    let block = |fence: &str| {
        let (_, rest) = document.split_once(&format!("\n```{fence}\n")).expect("a block");
        rest.split_once("```").expect("its end").0.to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("immudb.pem"), pem()).unwrap();
    let tlog: String = document
        .lines()
        .skip_while(|line| *line != "    # comments and empty lines are passed over")
        .map_while(|line| line.strip_prefix("    "))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(path("witnesses.txt"), tlog).unwrap();
    std::fs::write(path("toml"), block("toml")).unwrap();
    std::fs::write(path("json"), block("json")).unwrap();
    let policy = TrustPolicy::load(path("toml")).unwrap();
    assert_eq!(TrustPolicy::load(path("json")).unwrap(), policy);
    let mut table: toml::Table = toml::from_str(&block("toml")).unwrap();
    for inline in ["logs", "witnesses", "groups", "quorum"] {
        table.remove(inline).unwrap();
    }
    table.insert("tlog_policy".into(), "witnesses.txt".into());
    std::fs::write(path("tlog"), toml::to_string(&table).unwrap()).unwrap();
    assert_eq!(TrustPolicy::load(path("tlog")).unwrap(), policy);
    let summary = policy.summary();
    assert_eq!((summary.witnesses, summary.quorum.as_deref()), (3, Some("two")));
    assert_eq!(policy.author_name(key(21).as_bytes()), Some("Anna"));
}

fn state(tx: u64, alh: &str) -> TrustedState {
    TrustedState { tx: TxId::new(tx), alh: alh.parse().unwrap() }
}

fn step(from: TrustedState, pin: TrustedState) -> PinMove {
    let (ledger, by) = (LEDGER.parse().unwrap(), "a test".to_owned());
    PinMove(MovedPin { ledger, pin, from, by })
}

fn pinned_file() -> (tempfile::TempDir, PinFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy");
    std::fs::write(&path, format!("ledger = \"{LEDGER}\"\npins = [\"2:{ALH}\"]")).unwrap();
    let pins = PinFile::beside(&path);
    (folder, pins)
}

/// Whatever step it is given: a step may have been taken long ago, under an older pin.
#[test]
fn a_pin_is_never_written_back() {
    let (_folder, pins) = pinned_file();
    let advance = |to| pins.advance(|policy| (Some(step(policy.pins[0], to)), ()));
    let at = || pins.read().unwrap().map(|moved| moved.pin);
    assert_eq!(advance(state(2, ALH)).unwrap().0, Some(Moved::NotNewer));
    assert_eq!(at(), None);
    assert_eq!(advance(state(9, ALH)).unwrap().0, Some(Moved::Forward));
    assert_eq!(at(), Some(state(9, ALH)));
    for back in [state(9, ALH), state(8, OTHER), state(3, OTHER)] {
        assert_eq!(advance(back).unwrap().0, Some(Moved::NotNewer));
    }
    for other in [state(9, OTHER), state(2, OTHER), state(1, OTHER)] {
        assert!(matches!(advance(other), Err(PolicyError::Problem(_))), "{other}");
    }
    assert_eq!(at(), Some(state(9, ALH)));
    assert_eq!(pins.advance(|_| (None, ())).unwrap().0, None);
    assert_eq!(advance(state(10, OTHER)).unwrap().0, Some(Moved::Forward));
    assert_eq!(at(), Some(state(10, OTHER)));
}

/// Who comes second judges by what the first has written.
#[test]
fn one_at_a_time_moves_a_pin() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (_folder, pins) = pinned_file();
    let (begun, decided) = (std::sync::Barrier::new(2), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pins.advance(|policy| {
                begun.wait();
                std::thread::sleep(std::time::Duration::from_millis(300));
                decided.store(true, Ordering::SeqCst);
                (Some(step(policy.pins[0], state(5, OTHER))), ())
            })
            .unwrap();
        });
        begun.wait();
        pins.advance(|policy| {
            assert!(decided.load(Ordering::SeqCst), "it did not wait");
            assert_eq!(policy.moved().unwrap().pin, state(5, OTHER));
            (None, ())
        })
        .unwrap();
    });
}

/// However the policy is spelled, its pin is one.
#[cfg(unix)]
#[test]
fn a_pin_moves_under_every_name_of_its_policy() {
    let (folder, pins) = pinned_file();
    let names = ["link", "folder/policy", "./policy"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink("policy", &names[0]).unwrap();
    std::os::unix::fs::symlink(".", folder.path().join("folder")).unwrap();
    for (name, tx) in names.iter().zip(3..) {
        let moved = PinFile::beside(name);
        assert_eq!(moved, pins);
        moved.advance(|policy| (Some(step(policy.pins[0], state(tx, OTHER))), ())).unwrap();
        for name in &names {
            let policy = TrustPolicy::load(name).unwrap();
            assert_eq!(policy.moved().map(|moved| moved.pin), Some(state(tx, OTHER)), "{name:?}");
        }
    }
}

/// What only JSON can say, or only a parser would take, is said in no policy.
#[test]
fn no_list_stands_for_a_table_and_no_null_for_what_is_left_out() {
    let json = |rest: &str| TrustPolicy::from_json(&format!("{{\"ledger\":\"{LEDGER}\"{rest}}}"));
    let toml = |rest: &str| TrustPolicy::from_toml(&format!("ledger = \"{LEDGER}\"\n{rest}"));
    let alice = author_key(1);
    json(&format!(r#","authors":[{{"name":"A","key":"{alice}","domains":["d"]}}]"#)).unwrap();
    for rest in [
        format!(r#","authors":[{{"name":"A","key":"{alice}","domains":null}}]"#),
        format!(r#","authors":[["A","{alice}",["d"]]]"#),
        format!(r#","logs":[["{}",null]]"#, log(1)),
        format!(r#","logs":[{{"key":"{}","url":null}}]"#, log(1)),
        r#","groups":[["g","any",[]]]"#.into(),
        format!(r#","pins":[[2,"{ALH}"]]"#),
        r#","table":null"#.into(),
        r#","quorum":null"#.into(),
        r#","tlog_policy":null"#.into(),
        r#","authors":null"#.into(),
        r#","pins":null"#.into(),
        r#","require_author":null"#.into(),
    ] {
        assert!(json(&rest).is_err(), "{rest}");
    }
    assert!(TrustPolicy::from_json(&format!("[\"{LEDGER}\"]")).is_err());
    for rest in [
        format!("authors = [[\"A\", \"{alice}\", [\"d\"]]]"),
        format!("logs = [[\"{}\", \"https://log.example\"]]", log(1)),
        format!("pins = [[2, \"{ALH}\"]]"),
    ] {
        assert!(toml(&rest).is_err(), "{rest}");
    }
}

/// Else the pin of one user would lock out all others who verify by the policy.
#[cfg(unix)]
#[test]
fn who_may_read_the_policy_may_read_where_its_pin_moved() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, pins) = pinned_file();
    for (mode, wanted, tx) in [(0o644, 0o644, 3), (0o600, 0o600, 4), (0o464, 0o644, 5)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path().join("policy"), permissions).unwrap();
        pins.advance(|policy| (Some(step(policy.pins[0], state(tx, OTHER))), ())).unwrap();
        let found = std::fs::metadata(pins.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, wanted, "{mode:o}");
    }
}

/// As a configuration names them: a key in several entries, with a name or without.
#[test]
fn a_policy_takes_the_authors_of_a_configuration() {
    let config = |rest: &str| {
        let text = format!("[[trust.author]]\nkey = \"{ANNA}\"\ndomains = [\"a\"]\n{rest}");
        crate::Config::from_toml(&text).unwrap().trust.author
    };
    let policy = |rest: &str| {
        let policy = TrustPolicy::from_toml(&format!("ledger = \"{LEDGER}\"")).unwrap();
        config(rest).iter().try_fold(policy, TrustPolicy::with_author)
    };
    let also = |what: &str| format!("[[trust.author]]\nkey = \"{ANNA}\"\n{what}");
    let anna = *config("")[0].key.as_bytes();
    assert_eq!(policy("").unwrap().author_name(&anna), Some(ANNA));
    let both = policy(&also("name = \"Anna\"\ndomains = [\"b\"]")).unwrap();
    assert_eq!(both.author_name(&anna), Some("Anna"));
    assert!(both.to_toml().contains("domains = [\"a\", \"b\"]"), "{}", both.to_toml());
    let named = [also("name = \"Anna\"\ndomains = [\"b\"]"), also("domains = [\"c\"]")].join("\n");
    assert_eq!(policy(&named).unwrap().author_name(&anna), Some("Anna"));
    let all = policy(&also("name = \"Anna\"")).unwrap();
    assert!(!all.to_toml().contains("domains"), "{}", all.to_toml());
    assert_eq!(TrustPolicy::from_toml(&all.to_toml()).unwrap(), all);
}
