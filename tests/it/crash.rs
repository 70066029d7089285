//! Killed in the middle of anything that changes keys: what was acknowledged is
//! there, what was reported shredded stays shredded, and nothing is left between.
//!
//! The vault is killed inside every single operation on its disk (half of a
//! write is done, nothing after it), then something is recorded while locked,
//! then it is unlocked. The program itself is killed in `torture`.

use std::path::Path;

use voxvault::crypto::WorkFactor;
use voxvault::recording::RecordingId;
use voxvault::vault::frame::Kind;
use voxvault::vault::{Error, OpenVault, ShredScope, Vault};

use crate::support::PASSPHRASE;
use crate::support::forensic::{Evidence, read_all};
use crate::support::library::{self, assert_whole, record, transcript};
use crate::support::prepared::{copy_dir, quick_folder};
use crate::support::spy::Spy;

const NEW_PASSPHRASE: &str = "another passphrase entirely";

/// A vault to be killed in: two merged recordings, one that waits in the inbox,
/// and one whose recorder was killed.
struct Scene {
    home: tempfile::TempDir,
    doomed: RecordingId,
    kept: RecordingId,
    waiting: RecordingId,
    interrupted: RecordingId,
}

impl Scene {
    fn new() -> Self {
        let home = quick_folder();
        let dir = home.path().join("vault");
        let open = library::init(library::site(&dir, Spy::watching()));
        let doomed = record(open.vault(), "doomed", 11);
        let kept = record(open.vault(), "kept", 2);
        open.merge().unwrap();
        open.add_transcript(doomed, 0, &transcript("the doomed words"))
            .unwrap();
        open.add_transcript(kept, 0, &transcript("the kept words"))
            .unwrap();
        let waiting = record(open.vault(), "waiting", 2);
        let interrupted = library::begin(open.vault(), "interrupted", 2);
        let interrupted = interrupted.id();
        Self {
            home,
            doomed,
            kept,
            waiting,
            interrupted,
        }
    }

    /// A fresh copy of the vault, under a name of its own.
    fn copy(&self, name: &str) -> std::path::PathBuf {
        let to = self.home.path().join(name);
        copy_dir(&self.home.path().join("vault"), &to);
        to
    }

    /// Everything but the doomed one is there, whatever happened.
    fn assert_rest(&self, open: &OpenVault, what: &str) {
        for (id, title) in [
            (self.kept, "kept"),
            (self.waiting, "waiting"),
            (self.interrupted, "interrupted"),
        ] {
            eprintln!("{what}: {title}");
            assert_whole(open, id, title, 2);
        }
        assert_eq!(
            open.transcript(self.kept, 1).unwrap().text(),
            "the kept words"
        );
    }

    /// Does something on a disk that dies at every change in turn, and hands
    /// what is left to `check`, with whether the deed was reported as done.
    /// Answers how many places to die there were.
    fn die_everywhere(
        &self,
        deed: impl Fn(&OpenVault) -> Result<(), Error>,
        check: impl Fn(&Path, &Spy, bool, &str),
    ) -> usize {
        for change in 0.. {
            let name = format!("dies-at-{change}");
            let dir = self.copy(&name);
            let spy = Spy::dying_at(change);
            let reported = {
                let site = library::site(&dir, spy.clone());
                let opened = Vault::open_at(site)
                    .and_then(|vault| vault.unlock(&library::passphrase(PASSPHRASE)));
                opened.and_then(|open| deed(&open)).is_ok()
            };
            check(&dir, &spy, reported, &name);
            std::fs::remove_dir_all(&dir).unwrap();
            if !spy.is_dead() {
                assert!(reported, "nothing stood in its way");
                return change;
            }
        }
        unreachable!("it ends when nothing dies any more")
    }
}

/// Records while locked, as the next start does, and unlocks after that.
fn restart(dir: &Path, passphrase: &str) -> (OpenVault, RecordingId) {
    let locked = Vault::open(dir).unwrap_or_else(|error| panic!("can't be opened: {error}"));
    let after = record(&locked, "after", 2);
    drop(locked);
    let vault = Vault::open(dir).unwrap();
    let open = vault
        .unlock(&library::passphrase(passphrase))
        .unwrap_or_else(|error| panic!("can't be unlocked: {error}"));
    let report = open.merge().unwrap();
    assert!(report.refused.is_empty(), "{report:?}");
    assert!(report.running.is_empty(), "{report:?}");
    (open, after)
}

#[test]
fn a_shred_that_was_killed_anywhere_is_done_or_not_done_and_never_half() {
    let scene = Scene::new();
    let doomed = scene.doomed;
    let shred = |open: &OpenVault| -> Result<(), Error> {
        let receipt = open.shred(&[doomed], ShredScope::Everything, &mut |_, _| {})?;
        match receipt.not_final {
            None => Ok(()),
            Some(why) => Err(Error::Damaged {
                which: "the shred".into(),
                why,
            }),
        }
    };
    let (mut done, mut undone) = (0, 0);
    let counts = std::cell::RefCell::new((&mut done, &mut undone));
    let places = scene.die_everywhere(shred, |dir, spy, reported, name| {
        let (open, after) = restart(dir, PASSPHRASE);
        scene.assert_rest(&open, name);
        assert_whole(&open, after, "after", 2);
        let is_there = open.recording(doomed).is_ok();
        if is_there {
            assert!(!reported, "{name}: reported as shredded, and it is there");
            assert_whole(&open, doomed, "doomed", 11);
            assert_eq!(
                open.transcript(doomed, 1).unwrap().text(),
                "the doomed words"
            );
            *counts.borrow_mut().1 += 1;
            // Asked again, it is done.
            shred(&open).unwrap();
        } else {
            *counts.borrow_mut().0 += 1;
        }
        let mut evidence = Evidence::of_directory(dir);
        spy.testify(&mut evidence);
        let found = read_all(&evidence, &[PASSPHRASE]);
        assert!(
            !found.reaches(doomed),
            "{name}: {:?}",
            found.records.get(&doomed)
        );
        for (id, title) in [
            (scene.kept, "kept"),
            (scene.waiting, "waiting"),
            (after, "after"),
        ] {
            assert_eq!(found.count(id, Kind::Sound), 2, "{name}: {title}");
        }
    });
    eprintln!("killed in {places} places: {done} times it was shredded, {undone} times not");
    assert!(
        places > 20 && done > 5 && undone > 5,
        "{places} places, {done}, {undone}"
    );
}

#[test]
fn a_merge_that_was_killed_anywhere_loses_nothing() {
    let scene = Scene::new();
    let places = scene.die_everywhere(
        |open| open.merge().map(drop),
        |dir, _, _, name| {
            let (open, after) = restart(dir, PASSPHRASE);
            scene.assert_rest(&open, name);
            assert_whole(&open, scene.doomed, "doomed", 11);
            assert_whole(&open, after, "after", 2);
            assert_eq!(open.recordings().unwrap().len(), 5, "{name}");
            assert!(open.vault().inbox().unwrap().is_empty(), "{name}");
        },
    );
    assert!(places > 20, "{places} places");
}

#[test]
fn a_passphrase_change_that_was_killed_anywhere_leaves_exactly_one_that_opens() {
    let scene = Scene::new();
    let new = |open: &OpenVault| {
        open.change_passphrase_with(&library::passphrase(NEW_PASSPHRASE), WorkFactor::NONE)
    };
    let places = scene.die_everywhere(new, |dir, _, reported, name| {
        let vault = Vault::open(dir).unwrap_or_else(|error| panic!("{name}: {error}"));
        let opens = |with: &str| match vault.unlock(&library::passphrase(with)) {
            Ok(_) => true,
            Err(Error::WrongPassphrase { .. }) => false,
            Err(error) => panic!("{name}: {error}"),
        };
        let (old, new) = (opens(PASSPHRASE), opens(NEW_PASSPHRASE));
        assert!(
            old != new,
            "{name}: the old one opens: {old}, the new one: {new}"
        );
        assert!(new || !reported, "{name}: reported, and the old one opens");
        let (open, after) = restart(dir, if new { NEW_PASSPHRASE } else { PASSPHRASE });
        scene.assert_rest(&open, name);
        assert_whole(&open, scene.doomed, "doomed", 11);
        assert_whole(&open, after, "after", 2);
        if new {
            let found = read_all(&Evidence::of_directory(dir), &[PASSPHRASE]);
            assert_eq!(
                found.opened, 0,
                "{name}: the old passphrase still opens something"
            );
        }
    });
    assert!(places > 20, "{places} places");
}

#[test]
fn the_making_of_a_vault_that_was_killed_anywhere_can_be_done_again() {
    let home = quick_folder();
    let mut places = 0;
    for change in 0.. {
        let dir = home.path().join(format!("dies-at-{change}"));
        let spy = Spy::dying_at(change);
        let options = voxvault::vault::InitOptions {
            work: WorkFactor::NONE,
            ..voxvault::vault::InitOptions::default()
        };
        let with = library::passphrase(PASSPHRASE);
        let made = Vault::init_at(library::site(&dir, spy.clone()), &with, options).is_ok();
        // Either there is a vault that opens, or making it works now.
        let open = if Vault::exists(&dir) {
            library::unlock(&dir, PASSPHRASE)
        } else {
            assert!(!made, "it was reported as made at {change}");
            library::init(library::site(&dir, Spy::watching()))
        };
        let id = record(open.vault(), "first", 1);
        open.merge().unwrap();
        assert_whole(&open, id, "first", 1);
        if !spy.is_dead() {
            assert!(made);
            places = change;
            break;
        }
    }
    assert!(places > 10, "{places} places");
}
