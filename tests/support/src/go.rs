//! Builds the commands in `tests/immudb` and `tests/transparency`, each once.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::folder::{target_dir, workspace};

/// From 1.21 on, Go fetches the newer toolchain that a module asks for.
const OLDEST_GO: u32 = 21;

/// A command of a Go module.
struct Program {
    /// The binary's name.
    name: &'static str,
    /// The module's folder.
    module: &'static str,
    /// Its folder in the module.
    package: &'static str,
    /// What people are told it is.
    what: &'static str,
}

/// The one that imports immudb.
const IMMUDB: &str = "tests/immudb";

/// The real immudb.
pub(crate) fn server_binary() -> Result<PathBuf, String> {
    binary(&Program {
        name: "immudb-server",
        module: IMMUDB,
        package: ".",
        what: "the immudb test server",
    })
}

/// immudb's own verifiers, asked over standard input: see `tests/immudb/oracle`.
///
/// # Errors
///
/// A sentence that says what is missing and how to get it.
pub fn oracle_binary() -> Result<PathBuf, String> {
    let what = "immudb's verifiers as an oracle";
    binary(&Program { name: "immudb-oracle", module: IMMUDB, package: "oracle", what }).map_err(|why| {
        format!("{why}\nThe tests against immudb's own verifiers need Go: `scripts/test` installs it, or see https://go.dev/dl")
    })
}

/// immudb's official Go client, to be measured against: see
/// `tests/immudb/official`.
///
/// # Errors
///
/// A sentence that says what is missing and how to get it.
pub fn official_client_binary() -> Result<PathBuf, String> {
    let what = "immudb's official client";
    binary(&Program { name: "immudb-official", module: IMMUDB, package: "official", what }).map_err(|why| {
        format!("{why}\nComparing with the official client needs Go: `scripts/test` installs it, or see https://go.dev/dl")
    })
}

/// The notes, checkpoints and proofs of logs' and witnesses' own Go packages, asked over standard input:
/// see `tests/immudb/notes`.
///
/// # Errors
///
/// A sentence that says what is missing and how to get it.
pub fn notes_binary() -> Result<PathBuf, String> {
    let what = "Go's packages for notes and checkpoints";
    binary(&Program { name: "notes", module: IMMUDB, package: "notes", what }).map_err(|why| {
        format!("{why}\nThe tests of notes against Go's packages need Go: `scripts/test` installs it, or see https://go.dev/dl")
    })
}

/// An operator with the official client: see `tests/immudb/operator`.
pub(crate) fn operator_binary() -> Result<PathBuf, String> {
    let what = "an operator with immudb's official client";
    binary(&Program { name: "immudb-operator", module: IMMUDB, package: "operator", what })
}

/// What other people's tools make of checkpoints: Go's `sumdb/note` and transparency-dev's witness.
/// See `tests/transparency`.
///
/// # Errors
///
/// A sentence that says what is missing and how to get it.
pub fn transparency_binary() -> Result<PathBuf, String> {
    let (name, module) = ("transparency", "tests/transparency");
    let what = "other people's tools for transparency logs";
    binary(&Program { name, module, package: ".", what }).map_err(|why| {
        format!("{why}\nThe tests of checkpoints need Go: `scripts/test` installs it, or see https://go.dev/dl")
    })
}

/// The program's binary, built if it is not there or its sources changed.
/// Processes that ask at the same time wait for the one that builds.
fn binary(program: &Program) -> Result<PathBuf, String> {
    let folder = target_dir().join("immudb");
    let fail = |e: std::io::Error| format!("cannot write to {}: {e}", folder.display());
    fs::create_dir_all(&folder).map_err(fail)?;
    let lock = File::create(folder.join("lock")).map_err(fail)?;
    lock.lock().map_err(fail)?;

    let binary = folder.join(program.name);
    // What the binary was built from, word for word: neither a checkout's
    // times nor a changed file can make it pass for current.
    let stamp = folder.join(format!("{}.built-from", program.name));
    let sources = sources(program)?;
    if binary.exists() && fs::read_to_string(&stamp).is_ok_and(|s| s == sources) {
        return Ok(binary);
    }
    let go = find_go()?;
    let _ = writeln!(
        std::io::stderr(),
        "building {} with {} (one to two minutes, once)",
        program.what,
        go.display()
    );
    let fresh = folder.join(format!("{}.new", program.name));
    let mut command = Command::new(&go);
    command
        .current_dir(module(program))
        .args(["build", "-trimpath", "-buildvcs=false", "-o"])
        .arg(&fresh);
    command.arg(format!("./{}", program.package));
    if std::env::var_os("GOTOOLCHAIN").is_none() {
        // Some distributions switch this off in their default.
        command.env("GOTOOLCHAIN", "auto");
    }
    let out = command.output().map_err(|e| format!("cannot run {}: {e}", go.display()))?;
    if !out.status.success() {
        return Err(format!(
            "`go build` failed in {} ({}):\n{}",
            module(program).display(),
            out.status,
            String::from_utf8_lossy(&out.stderr).trim_end()
        ));
    }
    fs::rename(&fresh, &binary).and_then(|()| fs::write(&stamp, sources)).map_err(fail)?;
    Ok(binary)
}

fn module(program: &Program) -> PathBuf {
    workspace().join(program.module)
}

fn sources(program: &Program) -> Result<String, String> {
    let mut files = vec![module(program).join("go.mod"), module(program).join("go.sum")];
    let folder = module(program).join(program.package);
    let fail = |e: std::io::Error| format!("cannot read {}: {e}", folder.display());
    let mut sources = Vec::new();
    for entry in fs::read_dir(&folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|extension| extension == "go") {
            sources.push(path);
        }
    }
    sources.sort();
    files.append(&mut sources);
    files.iter().try_fold(String::new(), |all, path| {
        let text =
            fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        Ok(all + &text)
    })
}

/// The first Go that is new enough: on the PATH, where `scripts/test` puts it,
/// or where installers and distributions put it without touching the PATH.
fn find_go() -> Result<PathBuf, String> {
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    folders.push(workspace().join("target/tools/go/bin"));
    folders.push(target_dir().join("tools/go/bin"));
    folders.extend(["/usr/local/go/bin", "/opt/homebrew/bin", "/snap/bin"].map(PathBuf::from));
    if let Ok(entries) = fs::read_dir("/usr/lib") {
        let mut found: Vec<PathBuf> =
            entries.flatten().map(|e| e.path()).filter(|p| is_go_root(p)).collect();
        found.sort();
        folders.extend(found.into_iter().rev().map(|p| p.join("bin")));
    }
    let mut too_old = String::new();
    for go in folders.iter().map(|f| f.join("go")).filter(|go| go.is_file()) {
        match minor_version(&go) {
            Some(minor) if minor >= OLDEST_GO => return Ok(go),
            Some(minor) => too_old = format!(" ({} is Go 1.{minor})", go.display()),
            None => {}
        }
    }
    Err(format!("no Go 1.{OLDEST_GO} or newer was found{too_old}"))
}

fn is_go_root(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|n| n.starts_with("go"))
}

/// 26 of `go version go1.26.8 linux/amd64`. Run outside the module, so that
/// nothing is fetched for the answer.
fn minor_version(go: &Path) -> Option<u32> {
    let out = Command::new(go).current_dir("/").arg("version").output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    let minor = text.split_once("go1.")?.1;
    minor.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
