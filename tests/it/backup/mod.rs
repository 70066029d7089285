//! Backups: they open with stock `age` and `tar`, hold what the vault holds and
//! nothing that was destroyed, and survive being killed.

mod beside;
mod coverage;
mod during;
mod folder;
mod forgotten;
mod killed;
mod lost;
mod outlived;
mod refused;
mod screen;
mod strange;
mod stock;
mod traced;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use voxvault::backup::layout::Found;
use voxvault::backup::{Manifest, segment};
use voxvault::crypto::BackupIdentity;
use voxvault::recording::RecordingId;
use voxvault::vault::OpenVault;

use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::{Finished, Home, PASSPHRASE, clip, library};

/// A vault with recordings, and a folder for backups.
struct Scene {
    home: Home,
}

impl Scene {
    fn new() -> Self {
        Self { home: quick_home() }
    }

    /// Takes in one of the example recordings, under a title.
    fn import(&self, name: &str, title: &str) -> RecordingId {
        let file = format!("{name}.wav");
        let sound = Pcm::decode(&clip(name)).at(16_000);
        self.home.write(&file, &sound.wav());
        let import = ["import", "--no-transcribe", "--title", title, &file];
        let ended = self.run(import).ok();
        ended.text().trim().parse().unwrap()
    }

    fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Finished {
        self.home.voxvault(args).run()
    }

    fn backup(&self) -> Finished {
        self.run(["backup", "bk"])
    }

    fn dir(&self) -> PathBuf {
        self.home.path("bk")
    }

    fn open(&self) -> OpenVault {
        library::unlock(&self.home.vault(), PASSPHRASE)
    }

    /// The identity of the vault's backups, as a file.
    fn identity(&self) -> PathBuf {
        let text = self.open().backup_identity().unwrap().to_text();
        self.home.write("identity", text.as_bytes())
    }

    /// The manifests of the folder's segments, in order.
    fn manifests(&self) -> Vec<Manifest> {
        manifests(&self.open(), &self.dir())
    }
}

/// The names in a folder, sorted.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let is_segment = |name: &String| matches!(Found::parse(name), Found::Segment(_));
    let names = names(dir).into_iter().filter(is_segment);
    names.map(|name| dir.join(name)).collect()
}

pub(crate) fn manifests(vault: &OpenVault, dir: &Path) -> Vec<Manifest> {
    segments(dir)
        .iter()
        .map(|path| manifest(vault, path))
        .collect()
}

pub(crate) fn manifest(vault: &OpenVault, path: &Path) -> Manifest {
    let keys = vault.backup_keys().unwrap().identities;
    let keys: Vec<_> = keys.iter().map(BackupIdentity::to_age).collect();
    let keys = keys.iter().map(|key| &**key);
    let file = File::open(path).unwrap();
    segment::manifest("the segment", file, keys)
        .unwrap()
        .manifest
}

/// Has `age` and `tar` unpack a segment, and says whether they could.
fn unpack(identity: &Path, segment: &Path, into: &Path) -> bool {
    fs::create_dir_all(into).unwrap();
    let tar = into.with_extension("tar");
    let opened = Command::new("age")
        .arg("-d")
        .arg("-i")
        .args([identity, segment])
        .stdout(File::create(&tar).unwrap())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    let unpacked = Command::new("tar")
        .arg("xf")
        .arg(&tar)
        .arg("-C")
        .arg(into)
        .status()
        .unwrap();
    opened.success() && unpacked.success()
}
