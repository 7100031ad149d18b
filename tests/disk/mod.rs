//! A small disk of a test's own, and bytes that change on it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{env, process, thread};

use counterfoil_test_support::temp_dir;

/// Set for the process that has the disk: where it is.
const DISK: &str = "COUNTERFOIL_TEST_DISK";
/// What makes it: nobody else sees it, and it is gone with the process.
const MOUNT: &str = "mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$@\"";

/// A file system of two megabytes.
pub(crate) struct Disk(PathBuf);

/// Runs the test `name`, which does nothing but call this, in a process that
/// has a small disk to itself.
pub(crate) fn on_a_small_disk(name: &str, test: impl AsyncFn(Disk)) {
    if let Some(disk) = env::var_os(DISK) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(test(Disk(disk.into())));
    }
    let folder = temp_dir("disk");
    // Root needs no namespace of users, and may not be allowed one.
    let ways: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];
    let may = |way: &&&[&str]| {
        let tried = Command::new("unshare").args(**way).arg("true").output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let way = ways.iter().find(may).expect(
        "this test mounts a small disk for itself: it needs Linux's `unshare` (package \
         util-linux) and either root or user namespaces (sysctl kernel.unprivileged_userns_clone=1)",
    );
    let status = Command::new("unshare")
        .args(*way)
        .args(["sh", "-c", MOUNT])
        .arg(folder.path())
        .arg(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(DISK, folder.path())
        .status()
        .unwrap();
    assert!(status.success(), "on the small disk it failed: {status}");
}

impl Disk {
    /// A new folder on it.
    pub(crate) fn folder(&self) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let folder = self.0.join(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Half of it, taken until this is dropped.
    pub(crate) fn ballast(&self) -> Ballast {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = self.0.join(format!("ballast-{}-{count}", process::id()));
        let mut file = File::create(&path).unwrap();
        // As much of it as there is room for.
        for _ in 0..1024 {
            if file.write_all(&[0; 1024]).is_err() {
                break;
            }
        }
        Ballast(path)
    }

    /// Lets nobody write to it, or everybody again.
    pub(crate) fn read_only(&self, read_only: bool) {
        let how = if read_only { "remount,ro" } else { "remount,rw" };
        // A file that was dropped is closed in a thread of its own.
        let done = (0..100).any(|_| {
            let tried = Command::new("mount").args(["-o", how]).arg(&self.0).output().unwrap();
            if !tried.status.success() {
                thread::sleep(Duration::from_millis(50));
            }
            tried.status.success()
        });
        assert!(done, "mount -o {how}");
    }
}

/// Room that can be made.
pub(crate) struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Places in a file and bytes to put there, spread without an order.
pub(crate) fn places(count: u64) -> impl Iterator<Item = (u64, u8)> {
    // Knuth's multiplicative hashing: the same places every time.
    (1..=count).map(|n| {
        let spread = n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(23);
        (spread, (spread >> 40) as u8 | 1)
    })
}

/// Changes one byte of a file, wherever `at` falls when it is wrapped.
pub(crate) fn damage(path: &Path, at: u64, byte: u8) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let at = at % file.metadata().unwrap().len();
    let mut found = [0];
    file.read_exact_at(&mut found, at).unwrap();
    file.write_all_at(&[found[0] ^ byte], at).unwrap();
}
