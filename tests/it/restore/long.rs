//! Recordings that are too long for one segment of a backup: in stretches, of which each
//! plays by itself, and all are one recording again in a vault.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use voxvault::backup::layout::Lengths;
use voxvault::backup::write::{Order, Outcome, Watch, repack, to_folder, to_stream};
use voxvault::backup::{Error, Member, Result};
use voxvault::recording::{Moment, RecordingId, SoundLeft};
use voxvault::vault::ShredScope;

use super::repacked::lies_in;
use super::{Owner, assert_heard, ids, segments};
use crate::support::{PASSPHRASE, library};

/// What a person waits hours for, in seconds.
const SHORT: Lengths = Lengths {
    whole: 9,
    stretch: 4,
};

const NOW: Moment = Moment {
    unix_ms: 1_795_335_120_042,
    offset_s: 0,
};

fn order() -> Order<'static> {
    Order {
        lengths: SHORT,
        ..Order::at(&|| NOW)
    }
}

/// Calls a backup off after so many pieces of it.
struct Until(Cell<usize>);

impl Until {
    const THE_END: usize = usize::MAX;

    fn pieces(many: usize) -> Self {
        Self(Cell::new(many))
    }
}

impl Watch for Until {
    fn done(&self, _bytes: u64, _of_bytes: u64) {}

    fn damaged(&self, error: Error) {
        panic!("{error}");
    }

    fn note(&self, _message: &str) {}

    fn cancelled(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left == 0
    }
}

fn back_up(owner: &Owner, until: usize) -> Result<Outcome> {
    let dir = owner.home.path("backup");
    to_folder(&owner.open, &dir, order(), &Until::pieces(until))
}

/// The files of each segment, in order.
fn files(owner: &Owner) -> Vec<Vec<Member>> {
    let manifests = crate::backup::manifests(&owner.open, &owner.home.path("backup"));
    let files = manifests.iter().map(|manifest| {
        let paths = manifest.files.iter();
        paths
            .map(|file| Member::parse(&file.path).unwrap())
            .collect()
    });
    files.collect()
}

fn words(id: RecordingId) -> [Member; 2] {
    [Member::Text(id), Member::Subtitles(id)]
}

/// A vault elsewhere has all of it.
fn assert_restored(owner: &Owner, but: &[RecordingId]) {
    let verify = ["backup", "verify", "backup", "--json"];
    let verified = owner.home.voxvault(verify).run().ok().json();
    assert_eq!(verified["damage"], serde_json::json!([]));
    let dir = owner.other_vault("other");
    let restore = ["--vault", "other", "restore", "backup"];
    owner.home.voxvault(restore).run().ok();
    owner.assert_held(&library::unlock(&dir, PASSPHRASE), but);
    let test = ["restore", "--test", "backup"];
    owner.home.voxvault(test).run().ok();
}

#[test]
fn a_long_recording_is_written_in_stretches_and_comes_back_as_one() {
    let mut owner = Owner::new();
    let short = owner.record("short", 9);
    owner.merge();
    back_up(&owner, Until::THE_END).unwrap();
    let long = owner.record("long", 11);
    owner.merge();
    owner.say(long, "at length");
    let outcome = back_up(&owner, Until::THE_END).unwrap();
    assert_eq!((outcome.recordings, outcome.added.len()), (1, 3));
    let [text, subtitles] = words(short);
    let first = vec![Member::Meta(short), Member::Audio(short), text, subtitles];
    let [text, subtitles] = words(long);
    let last = Member::Stretch(long, 3);
    let due = [
        first,
        vec![Member::Audio(long)],
        vec![Member::Stretch(long, 2)],
        vec![Member::Meta(long), last, text, subtitles],
    ];
    assert_eq!(files(&owner), due);
    assert_restored(&owner, &[]);
    // Nothing is new; and another title does not write the sound again.
    let again = back_up(&owner, Until::THE_END).unwrap();
    assert_eq!((again.added.len(), again.holds), (0, 2));
    let edit = ["edit", &long.to_string(), "--title", "renamed"];
    owner.home.voxvault(edit).run().ok();
    owner.held.get_mut(&long).unwrap().0 = "long".to_owned();
    back_up(&owner, Until::THE_END).unwrap();
    assert_eq!(files(&owner)[4].len(), 3);
    let dir = owner.other_vault("renamed");
    let restore = ["--vault", "renamed", "restore", "backup"];
    owner.home.voxvault(restore).run().ok();
    let open = library::unlock(&dir, PASSPHRASE);
    assert_eq!(open.recording(long).unwrap().card.title, "renamed");
    assert_eq!(open.transcript(long, 1).unwrap().text(), "at length");
    // As one stream it is one file.
    let mut stream = Vec::new();
    to_stream(
        &owner.open,
        &mut stream,
        order(),
        &Until::pieces(Until::THE_END),
    )
    .unwrap();
    fs::write(owner.home.path("stream"), stream).unwrap();
    let manifest = crate::backup::manifest(&owner.open, &owner.home.path("stream"));
    assert!(manifest.stretches.is_empty());
    let paths: Vec<_> = manifest.files.iter().map(|file| &*file.path).collect();
    assert!(!paths.iter().any(|path| path.contains("audio.2")));
}

#[test]
fn what_is_cut_short_between_stretches_goes_on_there() {
    let mut owner = Owner::new();
    let long = owner.record("long", 14);
    owner.merge();
    let mut runs = 0;
    // Called off a little later each time; what is whole is not written again.
    while back_up(&owner, 3).is_err() {
        runs += 1;
        assert!(runs < 9, "it does not get on");
        let there = files(&owner);
        assert_eq!(there.len(), runs.min(3));
        let verify = ["backup", "verify", "backup"];
        owner.home.voxvault(verify).run().ok();
    }
    assert_eq!(files(&owner).len(), 4);
    assert_restored(&owner, &[]);
    let all = files(&owner).concat();
    assert_eq!(all.iter().filter(|one| one.id() == Some(long)).count(), 7);
}

#[test]
fn a_long_recording_that_was_shredded_leaves_the_backup_with_all_of_its_stretches() {
    let mut owner = Owner::new();
    let [doomed, kept, silent] = ["doomed", "kept", "silent"].map(|title| owner.record(title, 11));
    let beside = owner.record("beside", 2);
    owner.merge();
    back_up(&owner, Until::THE_END).unwrap();
    owner.shred(&[doomed]);
    let sound = ShredScope::Sound;
    owner.open.shred(&[silent], sound, &mut |_, _| ()).unwrap();
    assert!(lies_in(&owner).contains(&doomed), "the control");
    let dir = owner.home.path("backup");
    let watch = Until::pieces(Until::THE_END);
    repack(&owner.open, &dir, order(), &watch).unwrap();
    let all = files(&owner).concat();
    assert!(!lies_in(&owner).contains(&doomed));
    let is_sound = |one: &&Member| matches!(one, Member::Audio(_) | Member::Stretch(..));
    let sounds: Vec<_> = all.iter().filter(is_sound).collect();
    assert!(sounds.iter().all(|one| one.id() != Some(silent)));
    assert_eq!(
        sounds.iter().filter(|one| one.id() == Some(kept)).count(),
        3
    );
    // The next run finds nothing that it lacks.
    back_up(&owner, Until::THE_END).unwrap();
    let verify = ["backup", "verify", "backup"];
    owner.home.voxvault(verify).run().ok();
    let other = owner.other_vault("other");
    let restore = ["--vault", "other", "restore", "backup"];
    owner.home.voxvault(restore).run().ok();
    let open = library::unlock(&other, PASSPHRASE);
    assert_heard(&open, kept, "kept", 11);
    assert_heard(&open, beside, "beside", 2);
    assert!(open.recording(silent).is_ok() && open.sound(silent).is_err());
    assert!(open.recording(doomed).is_err());
}

#[test]
fn a_stretch_that_is_missing_or_another_is_named_and_costs_that_sound_alone() {
    let mut owner = Owner::new();
    let long = owner.record("long", 11);
    owner.merge();
    owner.say(long, "at length");
    let short = owner.record("short", 1);
    owner.merge();
    back_up(&owner, Until::THE_END).unwrap();
    let at = files(&owner)
        .iter()
        .position(|files| files.contains(&Member::Stretch(long, 2)));
    let of_second = segments(&owner.home.path("backup")).remove(at.unwrap());
    let sealed = fs::read(&of_second).unwrap();
    let damaged = |how: &dyn Fn(&Path)| {
        how(&of_second);
        let verify = ["backup", "verify", "backup"];
        owner.home.voxvault(verify).run().ended_with(5);
        let dir = owner.other_vault("other");
        let restore = ["--vault", "other", "restore", "backup", "--json"];
        let restored = owner.home.voxvault(restore).run().ended_with(5).json();
        assert_eq!(ids(&restored["restored"]).len(), 2);
        let open = library::unlock(&dir, PASSPHRASE);
        let left = open.recording(long).unwrap().sound_left();
        assert_eq!(left, SoundLeft::Lost);
        assert_eq!(open.transcript(long, 1).unwrap().text(), "at length");
        assert_heard(&open, short, "short", 1);
        fs::write(&of_second, &sealed).unwrap();
    };
    damaged(&|path| fs::remove_file(path).unwrap());
    damaged(&|path| {
        let mut bytes = sealed.clone();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    });
    // What is gone, the next backup writes again, and names that it is.
    fs::remove_file(&of_second).unwrap();
    let told = Told::default();
    let dir = owner.home.path("backup");
    to_folder(&owner.open, &dir, order(), &told).unwrap();
    assert!(told.0.take().concat().contains("missing"));
    let other = owner.other_vault("again");
    let restore = ["--vault", "again", "restore", "backup"];
    owner.home.voxvault(restore).run().ended_with(5);
    owner.assert_held(&library::unlock(&other, PASSPHRASE), &[]);
}

/// Keeps what it is told of damage.
#[derive(Default)]
struct Told(Cell<Vec<String>>);

impl Watch for Told {
    fn done(&self, _bytes: u64, _of_bytes: u64) {}

    fn damaged(&self, error: Error) {
        let mut told = self.0.take();
        told.push(error.to_string());
        self.0.set(told);
    }

    fn note(&self, _message: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}
