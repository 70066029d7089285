//! A transcription at work on what is shredded meanwhile: its words come too late.

use std::fs;

use voxvault::recording::RecordingId;
use voxvault::vault::frame::Kind;

use super::chance::Chance;
use super::stopped::{Stopped, places};
use super::watched::{Watched, assert_gone, id_of};
use crate::support::needles::holds;
use crate::support::prepared::copy_dir;
use crate::support::tally::{Begun, Budget, of_the_shredded};
use crate::support::{clip, require_model, require_tool};

#[test]
fn a_transcription_of_what_is_shredded_meanwhile_leaves_no_word() {
    if !require_model() || !require_tool("strace") {
        return;
    }
    let mut tally = Begun::new("shredded while transcribed");
    let budget = Budget::begin();
    let mut chance = Chance::new("shredded while transcribed");
    let watched = Watched::new().unwrap();
    let home = &watched.home;
    let import = |name: &str| -> RecordingId {
        let file = clip(name);
        let args = ["import", "--no-transcribe", file.to_str().unwrap()];
        id_of(&watched.run(args).ok())
    };
    let kept = import("train");
    watched.run(["transcribe", &kept.to_string()]).ok();
    let found = watched.attack();
    assert_eq!(found.count(kept, Kind::Words), 1, "the words are found");

    // In front of the very last time that it takes the lock, which is to put the
    // words down; and at any other.
    let before = home.path("before");
    copy_dir(&home.vault(), &before);
    let counted = import("standup");
    let run = home.voxvault(["transcribe", &counted.to_string()]);
    let lock = format!("{}/lock", home.vault().display());
    let (locks, _) = places(home, run, &["flock"], &[&lock]);
    fs::remove_dir_all(home.vault()).unwrap();
    copy_dir(&before, &home.vault());

    for round in 0.. {
        if round > 0 && !budget.more() {
            break;
        }
        let back = if round == 0 {
            0
        } else {
            chance.below(locks.len().min(6))
        };
        let place = locks[locks.len() - 1 - back];
        let doomed = import("standup");
        let transcribe = home.voxvault(["transcribe", &doomed.to_string()]);
        let transcriber = {
            let mut trace = watched.trace.lock().unwrap();
            Stopped::before(place, &mut trace, transcribe)
        };
        transcriber.wait_until_stopped();
        let shred = watched.shred(doomed);
        assert!(matches!(shred.code(), Some(0 | 6)), "{shred}");
        let ended = transcriber.go_on();
        assert!(ended.code().is_some_and(|code| code < 10), "{ended}");
        assert!(!ended.stderr.contains("panicked"), "{ended}");
        if shred.code() == Some(6) {
            watched.shred(doomed).ok();
        }
        let listed = watched.listed();
        assert_eq!(listed.keys().collect::<Vec<_>>(), [&kept], "{place:?}");
        let found = watched.attack();
        assert_gone(&found, doomed, &format!("{place:?}"));
        let said = |word: &[u8]| {
            let mut plaintexts = found.plaintexts.iter();
            plaintexts.any(|text| holds(&text.to_ascii_lowercase(), word))
        };
        of_the_shredded(|| assert!(!said(b"migration"), "its words are there: {place:?}"));
        assert!(said(b"platform"), "the other's words are found");
    }
    tally.report();
}
