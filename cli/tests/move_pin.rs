//! Pins that move, and what does not move them.

#[allow(dead_code)] // each test uses its part
mod receipts;
#[allow(dead_code)] // each test uses its part
mod support;

use std::time::Duration;

use receipts::*;
use serde_json::{Value, json};
use support::User;

const KEY: u8 = 7;

/// A ledger with so many events of one stream, and whoever verifies its receipts.
struct World {
    owner: User,
    verifier: User,
    ledger: String,
}

impl World {
    fn new(events: usize) -> Self {
        let owner = User::new(&["--ledger", "goods.ledger", "--trust", "goods.trust"], &[]);
        owner.json(&["init"]);
        let ledger = owner.json(&["state"])[0]["pin"]["ledger"].as_str().unwrap().to_owned();
        let world = Self { owner, verifier: User::new(&[], &[]), ledger };
        for number in 0..events {
            world.append(&number.to_string());
        }
        world
    }

    /// The state with the event in it.
    fn append(&self, content: &str) -> String {
        self.owner.json(&["append", "d", "r", "T", content]);
        self.owner.state()
    }

    /// A receipt of an event, since a state.
    fn receipt(&self, sequence: usize, since: &str) -> Vec<u8> {
        let _ = std::fs::remove_file(self.owner.path("made"));
        self.owner.json(&[
            "receipt",
            "d",
            "r",
            &sequence.to_string(),
            "--since",
            since,
            "-o",
            "made",
        ]);
        std::fs::read(self.owner.path("made")).unwrap()
    }

    fn policy(&self, pins: &[&str], more: &str) {
        let pins: Vec<_> = pins.iter().map(|pin| format!("\"{pin}\"")).collect();
        let pins = pins.join(", ");
        let text = format!("ledger = \"{}\"\npins = [{pins}]\n{more}", self.ledger);
        self.verifier.write("policy", &text);
    }

    /// Gives receipts to the verifier, who would move his pin: exit code and lines.
    fn shown(&self, receipts: &[&[u8]]) -> (i32, Vec<Value>) {
        let names: Vec<_> = (0..receipts.len()).map(|number| number.to_string()).collect();
        for (name, bytes) in names.iter().zip(receipts) {
            std::fs::write(self.verifier.path(name), bytes).unwrap();
        }
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let arguments = ["verify", "--policy", "policy", "--move-pin", "--json"];
        let ran = self.verifier.run(&[&arguments[..], &names].concat());
        // Where it did not move, and only there, it is said of each receipt why.
        let lines = ran.lines();
        let moved = lines.iter().any(|line| line["moved"].is_object());
        let said = ran.said();
        assert_eq!(said.len(), if moved { 0 } else { receipts.len() }, "{}", ran.err);
        for note in said {
            let note = note["note"]["message"].as_str().unwrap();
            assert!(note.contains(": the pin did not move: "), "{note}");
        }
        (ran.code, lines)
    }

    fn moved(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.verifier.path("policy.pin")).ok()?;
        let line = text.lines().find(|line| line.starts_with("pin = "));
        Some(line.expect("a whole file")[7..].trim_matches('"').to_owned())
    }

    /// A world that was the same up to here. What it goes on with is its own.
    fn fork(&self) -> Self {
        let owner = User::new(&["--ledger", "goods.ledger", "--trust", "goods.trust"], &[]);
        for name in ["goods.ledger", "goods.trust", "goods.trust.pin"] {
            std::fs::copy(self.owner.path(name), owner.path(name)).unwrap();
        }
        Self { owner, verifier: User::new(&[], &[]), ledger: self.ledger.clone() }
    }
}

fn key(seed: u8) -> String {
    format!("[[state_keys]]\ndatabase = \"{DATABASE}\"\npem = '''{}'''\n", pem(seed))
}

/// Design rule 1: whoever knows the pinned state can continue it as he likes, as often as he likes.
#[test]
fn a_forged_but_consistent_extension_is_never_pinned() {
    let world = World::new(2);
    let pinned = world.owner.state();
    let forger = world.fork();
    world.append("what happened");
    forger.append("what did not");
    let forged = forger.receipt(2, &pinned);
    let keys = [
        String::new(),
        key(KEY),
        format!("quorum = \"none\"\n[[logs]]\nkey = \"{}\"\n", log_vkey(1)),
        format!(
            "quorum = \"w\"\n[[logs]]\nkey = \"{}\"\n[[witnesses]]\nname = \"w\"\nkey = \"{}\"\n",
            log_vkey(1),
            witness_vkey(11)
        ),
    ];
    for key in keys {
        world.policy(&[&pinned], &key);
        for _ in 0..2 {
            let (code, lines) = world.shown(&[&forged, &forged]);
            assert_eq!((code, lines.len()), (3, 2));
            assert!(lines.iter().all(|line| line["verdict"] == "extends_pin_unconfirmed"));
            assert_eq!(world.moved(), None);
        }
    }
    // Signed by whomever he likes: by another's key, for another database, as another log.
    world.policy(&[&pinned], &key(KEY));
    let other = signed(&forged, KEY + 1, DATABASE);
    let (code, lines) = world.shown(&[&other, &other]);
    assert_eq!((code, &lines[0]["verdict"]), (3, &json!("extends_pin_unconfirmed")));
    assert_eq!(lines[0]["state_signature"]["in_policy"], false);
    assert_eq!(world.moved(), None);
    let named = signed_as(&forged, key_id(KEY), KEY + 1, DATABASE);
    for signed in [named, signed(&forged, KEY, "other")] {
        let (code, lines) = world.shown(&[&signed, &signed]);
        assert_eq!((code, &lines[0]["reason"]), (1, &json!("signature")));
        assert_eq!(world.moved(), None);
    }
    world.policy(&[&pinned], &format!("quorum = \"none\"\n[[logs]]\nkey = \"{}\"\n", log_vkey(1)));
    let (code, _) = world.shown(&[&logged(&forged, 2, &[])]);
    assert_eq!((code, world.moved()), (3, None));
    // The true one, which the key signed, moves it; then the forged one contradicts what is pinned.
    world.policy(&[&pinned], &key(KEY));
    let (code, lines) = world.shown(&[&signed(&world.receipt(2, &pinned), KEY, DATABASE)]);
    let state = world.owner.state();
    assert_eq!((code, &lines[1]["moved"]["pin"]), (0, &json!(state)));
    assert_eq!((&lines[1]["moved"]["from"], world.moved()), (&json!(pinned), Some(state.clone())));
    let (code, lines) = world.shown(&[&forged, &signed(&forged, KEY, DATABASE)]);
    assert_eq!((code, &lines[0]["reason"]), (1, &json!("contradicts_policy")));
    assert_eq!(lines[1]["reason"], "contradicts_policy");
    assert_eq!(world.moved(), Some(state));
}

/// The signature alone is not enough either: it has to continue what is pinned.
#[test]
fn what_is_signed_has_to_continue_the_pin() {
    let world = World::new(2);
    let pinned = world.owner.state();
    world.append("2");
    let state = world.owner.state();
    let unlinked = {
        let _ = std::fs::remove_file(world.owner.path("made"));
        world.owner.json(&["receipt", "d", "r", "2", "-o", "made"]);
        signed(&std::fs::read(world.owner.path("made")).unwrap(), KEY, DATABASE)
    };
    world.policy(&[&pinned], &key(KEY));
    let (code, lines) = world.shown(&[&unlinked]);
    // Verified, by the signature; and the pin stays.
    let text = world.verifier.run(&["verify", "0", "--policy", "policy", "--move-pin"]);
    let why =
        format!("no link shows that what is signed continues the pinned state {}", &pinned[..1]);
    assert_eq!(text.err, format!("note: 0: the pin did not move: {why}\n"));
    assert_eq!((code, &lines[0]["verdict"]), (0, &json!("verified_by_signature")));
    assert_eq!((lines.len(), world.moved()), (1, None));
    // Without a pin it is the ledger's id that is to be continued.
    world.policy(&[], &key(KEY));
    world.shown(&[&unlinked]);
    assert_eq!(world.moved(), None);
    let born = format!("1:{}", world.ledger);
    let (code, _) = world.shown(&[&signed(&world.receipt(2, &born), KEY, DATABASE)]);
    assert_eq!((code, world.moved()), (0, Some(state)));
}

#[test]
fn a_pin_moves_forward_only_and_the_policy_stays_its_owners() {
    let world = World::new(2);
    let first = world.owner.state();
    world.policy(&[&first], &format!("# mine\n{}", key(KEY)));
    let text = std::fs::read_to_string(world.verifier.path("policy")).unwrap();
    let second = world.append("2");
    let to_second = signed(&world.receipt(2, &first), KEY, DATABASE);
    let third = world.append("3");
    let (to_third, from_second) = (
        signed(&world.receipt(3, &first), KEY, DATABASE),
        signed(&world.receipt(3, &second), KEY, DATABASE),
    );
    // One after the other, in one run.
    let (code, lines) = world.shown(&[&to_second, &from_second]);
    assert_eq!((code, lines.len(), world.moved()), (0, 3, Some(third.clone())));
    assert_eq!(lines[2]["moved"]["from"], json!(second));
    for back in [&to_second, &to_third, &from_second] {
        let (code, lines) = world.shown(&[back]);
        assert_eq!((code, lines.len(), world.moved()), (0, 1, Some(third.clone())));
    }
    assert_eq!(std::fs::read_to_string(world.verifier.path("policy")).unwrap(), text);
    // What has moved counts from then on, also where no pin is to move.
    let plain = world.receipt(3, &first);
    std::fs::write(world.verifier.path("plain"), &plain).unwrap();
    let verify = |policy| world.verifier.run(&["verify", "plain", "--policy", policy]).code;
    std::fs::copy(world.verifier.path("policy"), world.verifier.path("unmoved")).unwrap();
    assert_eq!((verify("policy"), verify("unmoved")), (0, 3));
    let shown = world.verifier.run(&["policy", "show", "policy"]);
    assert!(shown.out.contains(&third) && shown.out.contains(&first), "{}", shown.out);
    assert!(shown.err.contains("verified by the signature of state 5"), "{}", shown.err);
    // A file that is damaged or another ledger's is not taken for a pin that has not moved.
    let pin_file = world.verifier.path("policy.pin");
    let whole = std::fs::read_to_string(&pin_file).unwrap();
    for (wrong, words) in [
        (whole.replace(&world.ledger, &"1".repeat(64)), "the policy is about"),
        (whole.replace("pin = ", "pun = "), "unknown field `pun`"),
        (whole[..whole.len() / 2].to_owned(), "policy.pin: "),
        (whole.replace(&third, &format!("3:{}", "1".repeat(64))), "two pins of transaction 3"),
    ] {
        std::fs::write(&pin_file, wrong).unwrap();
        let ran = world.verifier.run(&["verify", "plain", "--policy", "policy"]);
        ran.fails(2, words);
        assert!(ran.err.contains("policy.pin"), "{}", ran.err);
    }
    std::fs::remove_file(&pin_file).unwrap();
    assert_eq!(verify("policy"), 3);
}

/// Several at once, some of which are killed: the pin is always whole, and never goes back.
#[test]
fn whatever_happens_to_a_run_the_pin_is_whole_and_never_goes_back() {
    let world = World::new(2);
    let first = world.owner.state();
    world.policy(&[&first], &key(KEY));
    let mut states = vec![first.clone()];
    let mut files = Vec::new();
    for number in 2..7 {
        states.push(world.append(&number.to_string()));
        for since in &states[..states.len() - 1] {
            let name = format!("{number}-{}", files.len());
            let bytes = signed(&world.receipt(number, since), KEY, DATABASE);
            std::fs::write(world.verifier.path(&name), bytes).unwrap();
            files.push(name);
        }
    }
    let number = |state: &str| state.split_once(':').unwrap().0.parse::<u64>().unwrap();
    let (mut highest, mut killed) = (0, 0);
    for round in 0..6 {
        let mut running: Vec<_> = files
            .iter()
            .map(|file| {
                let arguments = ["verify", file, "--policy", "policy", "--move-pin"];
                world.verifier.command(&arguments).spawn().unwrap()
            })
            .collect();
        std::thread::sleep(Duration::from_millis(3 * round));
        for child in running.iter_mut().step_by(2).take(usize::from(round < 5) * files.len()) {
            killed += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
        }
        while running.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
            let now = world.moved().map_or(0, |state| number(&state));
            assert!(now >= highest, "it went back from {highest} to {now}");
            highest = now;
        }
        for mut child in running {
            let code = child.wait().unwrap().code();
            assert!(matches!(code, None | Some(0)), "{code:?}");
        }
    }
    assert!(killed > 0, "none was killed in time");
    // Whoever comes later goes on where it is.
    let newest = world.moved().unwrap_or(first);
    let last = world.append("7");
    let (code, _) = world.shown(&[&signed(&world.receipt(7, &newest), KEY, DATABASE)]);
    assert_eq!((code, world.moved()), (0, Some(last)));
}

/// Whoever takes what is printed may be slow: the pin waits for nobody.
#[test]
fn nobody_waits_for_a_run_whose_output_is_not_read() {
    use std::io::Read as _;
    let world = World::new(1);
    world.policy(&[&world.owner.state()], &key(KEY));
    let receipt = world.receipt(0, &world.owner.state());
    std::fs::write(world.verifier.path("receipt"), receipt).unwrap();
    let verify = ["verify", "--policy", "policy", "--move-pin"];
    // More than a pipe holds.
    let many = [&verify[..], &["receipt"; 1000]].concat();
    let mut unread = world.verifier.command(&many).spawn().unwrap();
    unread.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    // Until the pipe is full.
    std::thread::sleep(Duration::from_secs(2));
    let mut other = world.verifier.command(&[&verify[..], &["receipt"]].concat()).spawn().unwrap();
    let begun = std::time::Instant::now();
    let ended = loop {
        match other.try_wait().unwrap() {
            Some(ended) => break ended.code(),
            None if begun.elapsed() > Duration::from_secs(60) => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    assert_eq!(unread.try_wait().unwrap(), None, "it has more to print");
    unread.kill().unwrap();
    unread.wait().unwrap();
    let _ = other.kill();
    assert_eq!(ended, Some(0), "it waits");
}

/// One ledger up to here, and then two: whoever has pinned the one refuses the other's receipts.
#[test]
fn of_two_ledgers_with_one_forked_event_the_pinned_one_counts() {
    let world = World::new(2);
    let common = world.owner.state();
    let other = world.fork();
    let (here, there) = (world.append("here"), other.append("there"));
    assert_eq!(here.split_once(':').unwrap().0, there.split_once(':').unwrap().0);
    let (of_here, of_there) = (world.receipt(2, &common), other.receipt(2, &common));
    let (old_here, old_there) = (world.receipt(0, &common), other.receipt(0, &common));
    let code = |pins: &[&str], bytes: &[u8]| {
        world.policy(pins, "");
        std::fs::write(world.verifier.path("receipt"), bytes).unwrap();
        let ran = world.verifier.run(&["verify", "receipt", "--policy", "policy", "--json"]);
        (ran.code, ran.lines()[0]["reason"].as_str().unwrap_or_default().to_owned())
    };
    let (good, parted) = ((0, String::new()), (1, "contradicts_policy".to_owned()));
    assert_eq!(code(&[&here], &of_here), good);
    assert_eq!(code(&[&here], &of_there), parted);
    assert_eq!(code(&[&there], &of_there), good);
    // What was before the fork is in both, under a pin that both have; under the later one only with
    // the state that is pinned.
    assert_eq!(code(&[&common], &old_there), good);
    assert_eq!(code(&[&common, &here], &old_here), good);
    assert_eq!(code(&[&common, &here], &old_there), parted);
    // Before anything is pinned behind the fork, neither is confirmed.
    assert_eq!(code(&[&common], &of_here).0, 3);
    assert_eq!(code(&[&common], &of_there).0, 3);
    // One pin of each is no policy.
    world.policy(&[&here, &there], "");
    let ran = world.verifier.run(&["verify", "receipt", "--policy", "policy"]);
    ran.fails(2, "pins[1]: two pins of transaction 4 have two hashes");
}

#[test]
fn a_store_makes_the_policy_for_its_receipts() {
    let world = World::new(1);
    let state = world.owner.state();
    for (name, more) in [("goods.toml", &[][..]), ("goods.json", &["--json"])] {
        let made = world.owner.run(&[&["policy", "init", "-o", name], more].concat());
        assert_eq!(made.code, 0, "{}", made.err);
        std::fs::copy(world.owner.path(name), world.verifier.path(name)).unwrap();
        let checked = &world.verifier.json(&["policy", "check", name])[0];
        assert_eq!(
            (&checked["ledger"], &checked["newest_pin"]),
            (&json!(world.ledger), &json!(state))
        );
        let receipt = world.receipt(0, &state);
        std::fs::write(world.verifier.path("receipt"), receipt).unwrap();
        assert_eq!(world.verifier.run(&["verify", "receipt", "--policy", name]).code, 0);
        world.owner.run(&["policy", "init", "-o", name]).fails(2, "is there already");
    }
    let printed = world.owner.run(&["policy", "init"]).out;
    assert_eq!(world.owner.run(&["policy", "init", "-o", "-"]).out, printed);
    assert!(!world.owner.path("-").exists());
    assert_eq!(printed, std::fs::read_to_string(world.owner.path("goods.toml")).unwrap());
    let shown = world.verifier.run(&["policy", "show", "goods.json"]).out;
    assert_eq!(shown, printed);
    let shown = world.verifier.json(&["policy", "show", "goods.json"]);
    let file = std::fs::read_to_string(world.owner.path("goods.json")).unwrap();
    assert_eq!(shown, [serde_json::from_str::<Value>(&file).unwrap()]);
    assert_eq!(world.owner.json(&["policy", "init"]), shown);
    world.verifier.write("none", "ledger = \"x\"");
    world.verifier.run(&["policy", "check", "none"]).fails(2, "a hash has exactly 64 digits");
    world.verifier.run(&["policy", "check", "absent"]).fails(2, "absent: no such file");
}
