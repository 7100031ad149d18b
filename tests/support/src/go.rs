//! Builds the server in `tests/immudb`, once.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::folder::{target_dir, workspace};

/// From 1.21 on, Go fetches the newer toolchain that a module asks for.
const OLDEST_GO: u32 = 21;

/// The server's binary, built if it is not there or its sources changed.
/// Processes that ask at the same time wait for the one that builds.
pub(crate) fn server_binary() -> Result<PathBuf, String> {
    let folder = target_dir().join("immudb");
    let fail = |e: std::io::Error| format!("cannot write to {}: {e}", folder.display());
    fs::create_dir_all(&folder).map_err(fail)?;
    let lock = File::create(folder.join("lock")).map_err(fail)?;
    lock.lock().map_err(fail)?;

    let binary = folder.join("immudb-server");
    // What the binary was built from, word for word: neither a checkout's
    // times nor a changed file can make it pass for current.
    let stamp = folder.join("built-from");
    let sources = sources()?;
    if binary.exists() && fs::read_to_string(&stamp).is_ok_and(|s| s == sources) {
        return Ok(binary);
    }
    let go = find_go()?;
    let _ = writeln!(
        std::io::stderr(),
        "building the immudb test server with {} (one to two minutes, once)",
        go.display()
    );
    let fresh = folder.join("immudb-server.new");
    let mut command = Command::new(&go);
    command.current_dir(module()).args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(&fresh);
    command.arg(".");
    if std::env::var_os("GOTOOLCHAIN").is_none() {
        // Some distributions switch this off in their default.
        command.env("GOTOOLCHAIN", "auto");
    }
    let out = command.output().map_err(|e| format!("cannot run {}: {e}", go.display()))?;
    if !out.status.success() {
        return Err(format!(
            "`go build` failed in {} ({}):\n{}",
            module().display(),
            out.status,
            String::from_utf8_lossy(&out.stderr).trim_end()
        ));
    }
    fs::rename(&fresh, &binary).and_then(|()| fs::write(&stamp, sources)).map_err(fail)?;
    Ok(binary)
}

fn module() -> PathBuf {
    workspace().join("tests/immudb")
}

fn sources() -> Result<String, String> {
    ["go.mod", "go.sum", "main.go"].iter().try_fold(String::new(), |all, name| {
        let path = module().join(name);
        let text = fs::read_to_string(&path)
            .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
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
