//! Vaults that are ready to be worked with. Making one costs a scrypt of a
//! second and transcribing costs more, so what many tests need is made once per
//! build of the program and copied.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;
use voxvault::vault::OpenVault;
use voxvault::vault::site::Site;

pub(crate) use super::files::files_below;
use super::{Home, bin, clip, library, require_model};

/// The example recordings, by their file names without extension.
pub(crate) const CLIPS: [&str; 8] = [
    "chapter-three",
    "dentist",
    "dream",
    "garden-sensor",
    "interview",
    "shopping",
    "standup",
    "train",
];

/// Makes a vault that opens at once: its passphrase is not stretched. All else
/// is as the program makes it.
pub(crate) fn make_quick_vault(dir: &Path) -> OpenVault {
    library::init(Site::new(dir, None))
}

/// A folder in memory, where that can be had: for hundreds of vaults that are
/// killed by the library, for which a sync has nothing to prove.
pub(crate) fn quick_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A home with an empty vault that opens at once.
pub(crate) fn quick_home() -> Home {
    let home = Home::new();
    make_quick_vault(&home.vault());
    home
}

/// A home whose vault opens at once and holds all the example recordings with
/// their transcripts. `None`, after saying so, without a speech model.
pub(crate) fn home_with_examples() -> Option<Home> {
    if !require_model() {
        return None;
    }
    let home = Home::new();
    copy_dir(&examples(), &home.vault());
    Some(home)
}

/// Where the vault of this build of the program lies, made if need be.
fn examples() -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(cache).unwrap();
    // Tests run in processes of their own: the first one makes it.
    let lock = File::create(cache.join("examples.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let built = bin().metadata().unwrap();
    let modified = built
        .modified()
        .unwrap()
        .duration_since(UNIX_EPOCH)
        .unwrap();
    let name = format!("examples-{}-{}", modified.as_nanos(), built.len());
    let vault = cache.join(&name);
    if vault.exists() {
        return vault;
    }
    for old in cache.read_dir().unwrap().flatten() {
        if old.file_name().to_string_lossy().starts_with("examples-") {
            fs::remove_dir_all(old.path()).ok();
        }
    }
    let home = quick_home();
    let mut args = vec!["import".into()];
    args.extend(CLIPS.map(|name| clip(name).into_os_string()));
    home.voxvault(args).run().ok();
    let unfinished = cache.join("examples-unfinished");
    copy_dir(&home.vault(), &unfinished);
    fs::rename(unfinished, &vault).unwrap();
    vault
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(to)
        .unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Home {
    /// All recordings, as `list --json` tells of them.
    pub(crate) fn list(&self) -> Vec<serde_json::Value> {
        let listed = self.voxvault(["list", "--json"]).run().ok().json();
        listed["recordings"].as_array().expect("recordings").clone()
    }

    /// The id of the only recording with this title.
    pub(crate) fn id_of(&self, title: &str) -> String {
        let list = self.list();
        let mut found = list.iter().filter(|one| one["title"] == title);
        let id = found
            .next()
            .unwrap_or_else(|| panic!("no recording {title:?}"))["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(found.next().is_none(), "two recordings {title:?}");
        id
    }

    /// What was said in a recording.
    pub(crate) fn text_of(&self, id: &str) -> String {
        self.voxvault(["show", id]).run().ok().text()
    }
}
