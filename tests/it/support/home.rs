//! A home directory that is made for one test and removed with it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::program::Voxvault;
use super::{PASSPHRASE, tools};

/// A home with every folder of the XDG specification inside. Programs run in
/// it see nothing of the real one but the speech models.
pub(crate) struct Home {
    root: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::at(tempfile::Builder::new().prefix("vv").tempdir().unwrap())
    }

    /// A home in memory, where that can be had: for hundreds of runs that prove
    /// nothing by a sync.
    pub(crate) fn in_memory() -> Self {
        let root = tempfile::Builder::new().prefix("vv").tempdir_in("/dev/shm");
        root.map_or_else(|_| Self::new(), Self::at)
    }

    fn at(root: TempDir) -> Self {
        let home = Self { root };
        for folder in ["config", "data", "state", "cache", "run", "tmp"] {
            fs::create_dir(home.path(folder)).unwrap();
        }
        // Sound servers refuse a runtime folder that others can read.
        fs::set_permissions(home.path("run"), fs::Permissions::from_mode(0o700)).unwrap();
        home.write("passphrase", PASSPHRASE.as_bytes());
        home
    }

    /// A home whose vault is made already, with the passphrase [`PASSPHRASE`].
    pub(crate) fn with_vault() -> Self {
        let home = Self::new();
        home.voxvault(["init"]).run().ok();
        home
    }

    /// A path inside.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file inside, and says where it is.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Where the vault is, or will be.
    pub(crate) fn vault(&self) -> PathBuf {
        self.path("data/voxvault/vault")
    }

    /// The file that holds [`PASSPHRASE`].
    pub(crate) fn passphrase_file(&self) -> PathBuf {
        self.path("passphrase")
    }

    /// The program, to be run in this home with the vault's passphrase.
    pub(crate) fn voxvault<A: Into<OsString>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Voxvault {
        Voxvault::new(self, args)
    }

    /// All variables that a program in this home gets.
    pub(super) fn environment(&self) -> Vec<(OsString, OsString)> {
        let inside = [
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
        ];
        let mut all: Vec<(OsString, OsString)> = inside
            .iter()
            .map(|(name, folder)| (name.into(), self.path(folder).into()))
            .collect();
        all.push(("VOXVAULT_MODELS".into(), tools::models_dir().into()));
        all.push(("PATH".into(), std::env::var_os("PATH").unwrap_or_default()));
        all.push(("LANG".into(), "C.UTF-8".into()));
        all.push(("TZ".into(), "UTC".into()));
        all
    }
}

#[test]
fn a_home_is_gone_when_it_is_dropped() {
    let home = Home::new();
    let root = home.path("");
    assert_eq!(
        fs::read(home.passphrase_file()).unwrap(),
        PASSPHRASE.as_bytes()
    );
    drop(home);
    assert!(!root.exists());
}
