//! What a configuration says, wherever it lies and whoever reads it.

#[allow(dead_code)] // each test uses its part
mod support;

use support::User;

/// Names in a file are relative to the file, as in every other tool's project file.
#[test]
fn names_in_a_configuration_are_relative_to_its_folder() {
    let user = User::new(&[], &[]);
    for folder in ["project", "elsewhere"] {
        std::fs::create_dir(user.path(folder)).unwrap();
    }
    let config = "[storage.embedded]\npath = \"goods.ledger\"\n[trust]\nfile = \"goods.trust\"\n\
        [signing]\nkey = \"anna.key\"\n";
    user.write("project/counterfoil.toml", config);
    user.json(&["checkpoint", "keygen", "project/anna.key", "--origin", "Anna"]);
    user.json(&["init", "--config", "project/counterfoil.toml"]);
    user.json(&["append", "d", "r", "T", "x", "--config", "project/counterfoil.toml"]);
    for name in ["project/goods.ledger", "project/goods.trust", "project/goods.trust.pin"] {
        assert!(user.path(name).exists(), "{name}");
    }
    // From anywhere, by any of its names, and from its own folder without one.
    let run = |folder: &str, arguments: &[&str]| {
        let mut command = user.command(&[arguments, &["--json"]].concat());
        let ran = support::Ran::of(command.current_dir(user.path(folder)).output().unwrap());
        assert_eq!((ran.code, ran.lines().len()), (0, 1), "{folder}: {}", ran.err);
    };
    run("elsewhere", &["read", "d", "r", "--config", "../project/counterfoil.toml"]);
    let absolute = user.path("project/counterfoil.toml");
    run("elsewhere", &["read", "d", "r", "--config", absolute.to_str().unwrap()]);
    run("project", &["read", "d", "r"]);
    // A name that is not written there is beside it, too.
    user.write("elsewhere/counterfoil.toml", "");
    user.json(&["init", "--config", "elsewhere/counterfoil.toml"]);
    assert!(user.path("elsewhere/counterfoil.ledger").exists());
    // A flag's is the caller's.
    user.json(&[
        "init",
        "--config",
        "project/counterfoil.toml",
        "--ledger",
        "own.ledger",
        "--trust",
        "own.trust",
    ]);
    assert!(user.path("own.ledger").exists() && user.path("own.trust").exists());
    assert!(!user.path("project/own.ledger").exists());
}

#[test]
fn an_error_in_it_names_file_line_and_key() {
    let user = User::new(&[], &[]);
    std::fs::create_dir(user.path("etc")).unwrap();
    let said = |text: &str| {
        user.write("etc/a.toml", text);
        let ran = user.run(&["read", "d", "r", "--config", "etc/a.toml"]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        ran.err
    };
    assert_eq!(
        said("[storage]\n\nbackends = \"immudb\"\n"),
        "error: configuration: etc/a.toml, line 3: storage.backends: there is no such key; did you \
         mean storage.backend?\n"
    );
    assert_eq!(
        said("[storage.immudb]\nport = \"many\"\n"),
        "error: configuration: etc/a.toml, line 2: storage.immudb.port: invalid type: string \
         \"many\", expected u16\n"
    );
    assert_eq!(
        said("[storage.immudb]\nconnections = 0\n"),
        "error: configuration: etc/a.toml, line 2: storage.immudb.connections: it must be 1 to 16\n"
    );
    let said = said("[storage.immudb]\npassword = 7654321\n");
    assert!(said.contains("line 2: storage.immudb.password: ") && !said.contains("765"), "{said}");
}

/// A ledger with an event of Anna's, one of Ben's, one of nobody's, and one of Anna's elsewhere.
struct Authors {
    user: User,
    anna: String,
}

impl Authors {
    fn new() -> Self {
        let user = User::new(&["--ledger", "goods.ledger", "--trust", "goods.trust"], &[]);
        let key = |name: &str, file: &str| {
            let made = user.json(&["checkpoint", "keygen", file, "--origin", name]);
            user.write(&format!("{name}.toml"), &format!("[signing]\nkey = \"{file}\"\n"));
            made[0]["public_key"].as_str().unwrap().to_owned()
        };
        let (anna, _) = (key("Anna", "anna.key"), key("Ben", "ben.key"));
        user.json(&["init"]);
        for (domain, config) in
            [("d", Some("Anna")), ("d", Some("Ben")), ("d", None), ("e", Some("Anna"))]
        {
            let config = config.map(|name| format!("{name}.toml"));
            let config = config.as_deref().map_or(vec![], |name| vec!["--config", name]);
            user.json(&[&["append", domain, "r", "T", "x"], &config[..]].concat());
        }
        let trusts =
            format!("[[trust.author]]\nname = \"Anna\"\nkey = \"{anna}\"\ndomains = [\"d\"]\n");
        user.write("trusts.toml", &trusts);
        Self { user, anna }
    }

    /// The lines about authors.
    fn told(&self, arguments: &[&str]) -> Vec<String> {
        let ran = self.user.run(arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines = ran.out.lines().filter(|line| line.contains("author"));
        lines.map(|line| line.trim().to_owned()).collect()
    }
}

#[test]
fn who_signed_is_shown_and_what_the_configuration_says_of_it() {
    let authors = Authors::new();
    let anna = &authors.anna;
    let trusts = ["--config", "trusts.toml"];
    let log = authors.told(&[&["log"], &trusts[..]].concat());
    assert_eq!(log.len(), 4, "{log:?}");
    assert_eq!(log[0], format!("author: signed_by_author  Anna  {anna}"));
    assert!(log[1].starts_with("author: unknown_author  ") && !log[1].contains("Ben"), "{log:?}");
    assert_eq!(log[2], "author: unsigned");
    assert_eq!(log[3], format!("author: author_not_allowed  Anna  {anna}"));
    assert_eq!(authors.told(&[&["read", "d", "r"], &trusts[..]].concat()), log[..3]);
    let follow = ["follow", "--after", "1", "--limit", "4"];
    assert_eq!(authors.told(&[&follow[..], &trusts].concat()), log);
    // Where nobody is trusted it is told who signed, and nothing of those that nobody did.
    let plain = authors.told(&["log"]);
    assert_eq!(plain.len(), 3, "{plain:?}");
    assert_eq!(plain[0], format!("author: unknown_author  {anna}"));
    assert_eq!(
        authors.told(&[&["audit"], &trusts[..]].concat()),
        ["events by author: 1 signed_by_author, 1 author_not_allowed, 1 unknown_author, 1 \
          unsigned, 0 author_signature_broken"]
    );
    assert_eq!(authors.told(&["audit"]), [""; 0]);
    // What an event says stands behind it.
    let read = authors.user.run(&["read", "d", "r", "--limit", "1"]).out;
    assert!(read.lines().nth(1).unwrap().starts_with("    author: "), "{read}");
    assert_eq!(read.lines().nth(2), Some("    | x"));
}

/// As under a policy that names the same authors.
#[test]
fn receipts_are_verified_under_the_authors_of_a_configuration() {
    let authors = Authors::new();
    let user = &authors.user;
    for (domain, sequences, file) in
        [("d", &["0", "1", "2"][..], "d.receipt"), ("e", &["0"], "e.receipt")]
    {
        user.json(&[&["receipt", domain, "r"], sequences, &["-o", file]].concat());
    }
    user.run(&["policy", "init", "-o", "goods.policy"]);
    let policy = std::fs::read_to_string(user.path("goods.policy")).unwrap();
    let named =
        format!("\n[[authors]]\nname = \"Anna\"\nkey = \"{}\"\ndomains = [\"d\"]\n", authors.anna);
    user.write("goods.policy", &format!("{policy}{named}"));
    let trusted = std::fs::read_to_string(user.path("trusts.toml")).unwrap();
    let pin = user.run(&["state", "pin"]).out;
    user.write("trusts.toml", &format!("{pin}{trusted}"));
    let words = |under: [&str; 2]| {
        let ran = user.run(&[&["verify", "d.receipt", "e.receipt", "--json"], &under[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines = ran.lines();
        let events = lines.iter().flat_map(|line| line["events"].as_array().unwrap().clone());
        events.map(|event| event["author"].clone()).collect::<Vec<_>>()
    };
    let found = words(["--config", "trusts.toml"]);
    assert_eq!(found, words(["--policy", "goods.policy"]));
    assert_eq!(found[0]["authorship"], "signed_by_author");
    assert_eq!(found[0]["name"], "Anna");
    assert_eq!(found[3]["authorship"], "author_not_allowed");
    // Inspected, it is shown who signed, and what the policy says of that.
    let text = user.run(&["inspect", "d.receipt", "--policy", "goods.policy"]).out;
    let digits = &authors.anna[..12];
    assert!(text.contains(&format!("  author   {digits}…  signed it\n")), "{text}");
    assert!(text.contains("  author   nobody signed it\n"), "{text}");
    let verdict = format!(
        "d/r 0: verified_by_pinned_state, author: signed_by_author  Anna  {}",
        authors.anna
    );
    assert!(text.contains(&verdict), "{text}");
}

/// It is the configuration that is wrong, and what is to be done has a name.
#[test]
fn a_signing_key_that_is_not_there_is_told_of_the_configuration() {
    let user = User::new(&[], &[]);
    user.write("counterfoil.toml", "[signing]\nkey = \"an author.key\"\n");
    let refused = user.run(&["init"]);
    refused.fails(2, "configuration: counterfoil.toml: signing.key: an author.key: no such file");
    let (_, told) = refused.err.split_once("checkpoint keygen ").expect(&refused.err);
    assert!(told.starts_with("'an author.key' --origin NAME`"), "{told}");
    assert_eq!(user.names(), ["counterfoil.toml"]);
    user.json(&["checkpoint", "keygen", "an author.key", "--origin", "Anna"]);
    user.json(&["init"]);
}
