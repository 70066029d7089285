//! Commands that change a vault, and what has to hold after each of them,
//! however it ended.

use std::fs;

use voxvault::vault::{OpenVault, Vault};

use super::scene::{NEW_PASSPHRASE, Scene};
use crate::support::sound::Pcm;
use crate::support::strace::Trace;
use crate::support::tally::of_the_shredded;
use crate::support::{Finished, Home, PASSPHRASE, Voxvault, library};

/// What is tried on the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    Init,
    Record,
    Import,
    Merge,
    Edit,
    Shred,
    Passwd,
}

impl Deed {
    pub(super) const ALL: [Self; 7] = [
        Self::Init,
        Self::Record,
        Self::Import,
        Self::Merge,
        Self::Edit,
        Self::Shred,
        Self::Passwd,
    ];

    /// The command, on a scene that was just set up.
    pub(super) fn run(self, scene: &Scene) -> Voxvault {
        let home = &scene.home;
        let doomed = scene.doomed.to_string();
        match self {
            Self::Init => home.voxvault(["init", "--vault", "made"]),
            Self::Record => home
                .voxvault(["record", "-", "--format", "s16le", "--title", "new"])
                .locked()
                .stdin(Pcm::tone(16_000, 3.0).raw()),
            Self::Import => home.voxvault(["import", "--no-transcribe", "tone.wav"]),
            Self::Merge => home.voxvault(["list"]),
            Self::Edit => home.voxvault(["edit", &doomed, "--title", "renamed"]),
            Self::Shred => home.voxvault(["shred", &doomed, "--yes"]),
            Self::Passwd => home.voxvault(["passwd", "--new-passphrase-file", "new-passphrase"]),
        }
    }

    /// Whether a try of it takes seconds: a passphrase is stretched.
    pub(super) fn is_slow(self) -> bool {
        matches!(self, Self::Init | Self::Passwd)
    }

    /// What has to hold after it, however it ended.
    pub(super) fn check(self, scene: &Scene, ended: &Finished, trace: Option<&Trace>, what: &str) {
        let reported = ended.code() == Some(0);
        if self == Self::Init {
            return check_made(&scene.home, reported, what);
        }
        let (open, with) = scene.restart(what);
        scene.assert_rest(&open, what);
        let changed = with == NEW_PASSPHRASE;
        assert!(!changed || self == Self::Passwd, "{what}");
        assert!(changed || !reported || self != Self::Passwd, "{what}");
        match self {
            Self::Init => {}
            Self::Record => check_new(&open, ended, "new", 3.0, what),
            Self::Import => check_new(&open, ended, "tone", 2.0, what),
            Self::Merge | Self::Passwd => {}
            Self::Edit if reported => {
                let title = open.recording(scene.doomed).unwrap().card.title;
                assert_eq!(title, "renamed", "{what}");
            }
            Self::Edit => {}
            Self::Shred => {
                let is_there = open.recording(scene.doomed).is_ok();
                of_the_shredded(|| {
                    assert!(!(reported && is_there), "{what}: reported, and it is there");
                });
                if reported {
                    scene.assert_gone(trace, what);
                }
                if is_there {
                    scene.assert_doomed(&open, &["doomed"], what);
                }
                if !reported {
                    scene.shred_again(&open, what);
                    scene.assert_gone(trace, what);
                }
                return;
            }
        }
        scene.assert_doomed(&open, &["doomed", "renamed"], what);
        if changed {
            let old = Vault::open(&scene.home.vault())
                .unwrap()
                .unlock(&library::passphrase(PASSPHRASE));
            assert!(old.is_err(), "{what}");
        }
    }
}

/// Either there is a vault that opens, or making one works now.
fn check_made(home: &Home, reported: bool, what: &str) {
    let dir = home.path("made");
    assert!(Vault::exists(&dir) || !reported, "{what}");
    let open = if Vault::exists(&dir) {
        library::unlock(&dir, PASSPHRASE)
    } else {
        let site = voxvault::vault::site::Site::new(&dir, None);
        library::init(site)
    };
    let id = library::record(open.vault(), "first", 1);
    open.merge().unwrap();
    library::assert_whole(&open, id, "first", 1);
    fs::remove_dir_all(dir).unwrap();
}

/// How much a recorder says that it kept, where it failed.
fn said_to_be_kept(ended: &Finished) -> Option<f64> {
    let hint = |line: &str| {
        let length = line
            .strip_prefix("hint: ")?
            .strip_suffix(" of sound are kept")?;
        let (minutes, seconds) = length.split_once(':')?;
        Some(60.0 * minutes.parse::<f64>().ok()? + seconds.parse::<f64>().ok()?)
    };
    ended
        .stderr
        .lines()
        .find_map(hint)
        .filter(|_| ended.code() == Some(1))
}

/// What was acknowledged by its id is there whole; and nothing is there that is
/// longer than what was said.
fn check_new(open: &OpenVault, ended: &Finished, title: &str, seconds: f64, what: &str) {
    let all = open.recordings().unwrap();
    let new: Vec<_> = all.iter().filter(|one| one.card.title == title).collect();
    let acknowledged = ended.text();
    if let Some(id) = acknowledged.lines().next() {
        let found = new.iter().find(|one| one.id.to_string() == id);
        let found = found.unwrap_or_else(|| panic!("{what}: {id} is not there"));
        let kept = found.card.duration().as_secs_f64();
        // A recorder that failed says how much it kept, in whole seconds.
        let least = said_to_be_kept(ended).unwrap_or(seconds);
        assert!(
            kept > least - 0.001 && kept < seconds + 0.001,
            "{what}: {kept} s of {seconds}"
        );
    }
    assert!(new.len() <= 1, "{what}");
    for one in new {
        assert!(
            one.card.duration().as_secs_f64() <= seconds + 0.001,
            "{what}"
        );
        let (mut samples, mut sound) = (0, open.sound(one.id).unwrap());
        while let Some(segment) = sound.next_segment().unwrap() {
            samples += u64::from(segment.samples);
        }
        assert_eq!(samples, one.card.samples, "{what}");
    }
}
