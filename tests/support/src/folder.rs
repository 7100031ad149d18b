//! Folders for one test's files, under the target folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

/// A folder for one test, removed when dropped. What a dying process leaves
/// behind, the next test process removes.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
    // Held for life: a folder whose lock is free has no owner any more.
    _lock: File,
}

/// An empty folder `target/tmp/NAME-…`, never the same one twice.
///
/// # Panics
/// When it cannot be made.
pub fn temp_dir(name: &str) -> TempDir {
    static SWEEP: Once = Once::new();
    let parent = target_dir().join("tmp");
    let make = || -> io::Result<TempDir> {
        fs::create_dir_all(&parent)?;
        SWEEP.call_once(|| sweep(&parent));
        let path = parent.join(format!("{name}-{}", unique()));
        let lock = File::create(lock_of(&path))?;
        lock.lock()?;
        fs::create_dir(&path)?;
        Ok(TempDir { path, _lock: lock })
    };
    make().unwrap_or_else(|e| panic!("cannot make a folder in {}: {e}", parent.display()))
}

impl TempDir {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }
}

impl AsRef<Path> for TempDir {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(lock_of(&self.path));
    }
}

/// Copies a folder and all in it to a place that does not exist yet.
///
/// # Errors
/// Whatever the file system answers.
pub fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn lock_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Removes the folders whose owners are gone.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        if path.extension().is_some_and(|e| e == "lock")
            && let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(path.with_extension(""));
            let _ = fs::remove_file(&path);
        }
    }
}

/// The target folder that this test runs from; the workspace's own for a
/// doctest, which runs from elsewhere.
pub fn target_dir() -> PathBuf {
    let marked = |dir: &&Path| dir.join("CACHEDIR.TAG").exists();
    let exe = std::env::current_exe().unwrap_or_default();
    match exe.ancestors().skip(1).find(marked) {
        Some(dir) => dir.to_path_buf(),
        None => workspace().join("target"),
    }
}

/// The workspace's root.
pub(crate) fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Thirteen lower-case letters and digits from 64 random bits.
pub(crate) fn unique() -> String {
    use std::hash::{BuildHasher, RandomState};
    let mut bits = RandomState::new().hash_one(std::process::id());
    let mut text = String::new();
    for _ in 0..13 {
        text.push(char::from_digit((bits % 36) as u32, 36).unwrap_or('0'));
        bits /= 36;
    }
    text
}

/// Waits until nobody in this process has the file open, nor what SQLite keeps
/// beside it: a connection that was dropped is closed a moment later by a
/// thread of its own, and until then would write over what a test puts there.
///
/// # Panics
/// When it stays open for ten seconds.
pub fn wait_until_closed(file: &Path) {
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let name = file.display().to_string();
    for _ in 0..1000 {
        // Each link names a file: as it is, or gone by now, " (deleted)".
        let open = fs::read_dir("/proc/self/fd").unwrap_or_else(|e| {
            panic!("which files are open is read from /proc/self/fd: {e}; these tests need Linux")
        });
        let mut links = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        if !links.any(|link| link.to_string_lossy().starts_with(&name)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("somebody has {name} open");
}
