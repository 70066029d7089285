//! What can't be done in the inbox costs nothing that lies elsewhere.

use std::io;
use std::path::{Path, PathBuf};

use super::crash::{fresh, reopen};
use super::*;
use crate::error::{Exit, Failure};
use crate::vault::disk::{Access, Disk};
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::inbox;
use crate::vault::{Error, MergeReport, ShredScope};

fn file_of(id: RecordingId) -> PathBuf {
    inbox_file(Path::new("/vault"), id)
}

/// A vault whose only recording was merged, and its file, which is back: as after a power
/// cut that came before the names in the inbox were durable.
fn with_a_file_that_is_back() -> (SimDisk, OpenVault, RecordingId) {
    let (disk, open) = fresh();
    let id = record(open.vault(), 1, 3);
    let bytes = disk.files()[&file_of(id)].clone();
    open.merge().unwrap();
    let file = disk.open(&file_of(id), Access::Create).unwrap();
    file.write_at(0, &bytes).unwrap();
    file.sync().unwrap();
    (disk, open, id)
}

fn assert_left(report: &MergeReport, path: &Path) {
    let [left] = report.left.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(left.which, Some(path.display().to_string()));
    assert_eq!(left.exit, Exit::Failed);
}

#[test]
fn a_file_that_can_not_be_taken_away_is_named_and_costs_no_other() {
    let (disk, open, id) = with_a_file_that_is_back();
    disk.break_writes(Some(&file_of(id)));
    let other = record(open.vault(), 2, 2);
    let report = open.merge().unwrap();
    assert_eq!(report.merged, [other]);
    assert_left(&report, &file_of(id));
    assert_sound(&open, id, 1, 3);
    assert_sound(&open, other, 2, 2);
    assert_left(&open.merge().unwrap(), &file_of(id));

    let repaired = open.repair(moment(RECORDED_MS), &|_, _| ()).unwrap();
    let place = file_of(id).display().to_string();
    let is_named = |flaw: &crate::vault::Flaw| flaw.place == place && !flaw.mended;
    assert!(repaired.flaws.iter().any(is_named), "{repaired:?}");

    disk.break_writes(None);
    assert_eq!(open.merge().unwrap(), MergeReport::default());
    assert!(!disk.files().contains_key(&file_of(id)));
}

#[test]
fn an_inbox_whose_names_can_not_be_made_durable_costs_no_merge() {
    let (disk, open) = fresh();
    let id = record(open.vault(), 1, 3);
    let inbox = Path::new("/vault").join(inbox::DIR);
    disk.break_writes(Some(&inbox));
    let report = open.merge().unwrap();
    assert_eq!(report.merged, [id]);
    assert_left(&report, &inbox);
    assert_sound(&open, id, 1, 3);
    drop(open);
    // What is not durable comes back, and is known.
    let after = reopen(&disk.after(crate::vault::ground::sim_disk::Cut::LoseUnsynced));
    assert_eq!(after.merge().unwrap(), MergeReport::default());
    assert_sound(&after, id, 1, 3);
}

#[test]
fn a_shred_that_leaves_a_file_of_the_inbox_says_so() {
    for scope in [ShredScope::Everything, ShredScope::Sound] {
        let (disk, open, id) = with_a_file_that_is_back();
        disk.break_writes(Some(&file_of(id)));
        let receipt = open.shred(&[id], scope, &mut |_, _| ()).unwrap();
        assert_eq!(receipt.not_final, None, "no key is left");
        let failure = receipt.failure().expect("a failure");
        assert_eq!(failure.exit, Exit::Failed);
        assert_eq!(failure.which, Some(file_of(id).display().to_string()));

        disk.break_writes(None);
        let receipt = open.shred(&[id], scope, &mut |_, _| ()).unwrap();
        assert_eq!(receipt.failure(), None);
        assert!(!disk.files().contains_key(&file_of(id)));
    }
}

/// The keys of a waiting recording are in its first sector, and in no bag yet.
#[test]
fn a_recording_whose_keys_can_not_be_read_is_never_passed_over_and_can_be_given_up() {
    let (disk, open) = fresh();
    let kept = record(open.vault(), 1, 3);
    open.merge().unwrap();
    let bad = record(open.vault(), 2, 3);
    let waits = record(open.vault(), 3, 3);
    disk.break_reads(&file_of(bad), 0..4096);

    let assert_held_up = |error: Error, what: &str| {
        assert!(error.spares_reading(), "{what}: {error}");
        let failure = Failure::from(error);
        assert_eq!(failure.exit, Exit::Failed, "{what}");
        assert_eq!(failure.which, Some(file_of(bad).display().to_string()));
        let hint = failure.hint.expect("a hint");
        assert!(hint.contains(&format!("voxvault shred {bad}")), "{hint}");
    };
    let shred = |id| open.shred(&[id], ShredScope::Everything, &mut |_, _| ());
    assert_held_up(open.merge().unwrap_err(), "merge");
    assert_held_up(shred(kept).unwrap_err(), "shred");
    assert_held_up(open.forget_revisions(kept).unwrap_err(), "forget");
    assert_eq!(open.recordings().unwrap().len(), 1);
    assert_sound(&open, kept, 1, 3);

    // Once it can be read again, nothing of it is lost.
    let well = reopen(&disk.fork());
    disk.break_reads(Path::new("/nothing"), 0..0);
    let healed = reopen(&disk.fork());
    assert!(well.merge().is_err(), "the control");
    assert_eq!(healed.merge().unwrap().merged.len(), 2);
    assert_sound(&healed, bad, 2, 3);

    disk.break_reads(&file_of(bad), 0..4096);
    assert_eq!(shred(bad).unwrap().failure(), None);
    assert_eq!(open.merge().unwrap().merged, [waits]);
    assert_sound(&open, waits, 3, 3);
    assert_eq!(shred(kept).unwrap().failure(), None);
}

#[test]
fn what_holds_up_the_keys_has_a_hint_that_destroys_only_where_waiting_is_in_vain() {
    let hint = |kind: io::Error| {
        let error = Error::HoldsUp {
            id: RecordingId::from_bytes([7; 16]),
            path: "/vault/inbox/07.rec".into(),
            source: kind,
        };
        Failure::from(error).hint.unwrap_or_default()
    };
    let errno = |errno: rustix::io::Errno| hint(errno.into());
    assert!(errno(rustix::io::Errno::IO).contains("voxvault shred"));
    assert!(errno(rustix::io::Errno::ACCESS).contains("owner of the vault"));
    for passing in [rustix::io::Errno::MFILE, rustix::io::Errno::NOMEM] {
        assert!(!errno(passing).contains("shred"), "{passing}");
    }
}
