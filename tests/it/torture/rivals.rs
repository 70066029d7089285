//! Processes that want the same vault at the same time. Two recorders that start and
//! end in a loop against a loop of shreds, all of them killed at random: what was
//! acknowledged is there, and what was shredded is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use voxvault::crypto::WorkFactor;
use voxvault::recording::RecordingId;
use voxvault::vault::frame::Kind;
use voxvault::vault::{Error, Vault};

use super::chance::Chance;
use super::sound::{RATE_HZ, steps};
use super::stopped::child_of;
use super::watched::{Watched, assert_gone, id_of, segments_of_any};
use crate::support::prepared::{make_quick_vault, quick_folder};
use crate::support::tally::{Begun, Budget, of_the_shredded};
use crate::support::{PASSPHRASE, library};

/// What came of recorders and shreds that were killed at random.
#[derive(Default)]
struct Ledger {
    /// Recordings that were acknowledged by their id, and their seconds.
    acknowledged: BTreeMap<RecordingId, f64>,
    /// Reported as shredded.
    shredded: BTreeSet<RecordingId>,
    /// Named to a shred that was killed.
    attempted: BTreeSet<RecordingId>,
    kills: u64,
}

#[test]
fn recorders_and_shreds_that_are_killed_at_random_leave_all_that_lives_and_nothing_else() {
    let budget = Budget::begin();
    let mut chance = Chance::new("recorders against shreds");
    let mut watched = match Watched::new() {
        Some(first) => Some(first),
        None => return,
    };
    let mut tally = Begun::new("recorders against shreds");
    for round in 0.. {
        if round > 0 && !budget.more() {
            break;
        }
        let watched = watched.take().or_else(Watched::new).unwrap();
        tally.kills += recorders_against_shreds(&watched, &mut chance).kills;
    }
    tally.report();
    assert!(tally.kills > 0);
}

fn recorders_against_shreds(watched: &Watched, chance: &mut Chance) -> Ledger {
    const RECORDINGS: usize = 7;
    let ledger = Mutex::new(Ledger::default());
    let ended = AtomicBool::new(false);
    let seeds: [u64; 3] = std::array::from_fn(|_| chance.below(usize::MAX) as u64);
    thread::scope(|scope| {
        let recorders: Vec<_> = seeds[..2]
            .iter()
            .map(|seed| {
                let ledger = &ledger;
                scope.spawn(move || {
                    let mut chance = Chance::seeded(*seed);
                    for number in 0..RECORDINGS {
                        record_and_perhaps_die(watched, number, ledger, &mut chance);
                    }
                })
            })
            .collect();
        let shredder = scope.spawn(|| {
            let mut chance = Chance::seeded(seeds[2]);
            while !ended.load(Ordering::Relaxed) {
                shred_and_perhaps_die(watched, &ledger, &mut chance);
            }
        });
        let recorders: Vec<_> = recorders.into_iter().map(|lane| lane.join()).collect();
        ended.store(true, Ordering::Relaxed);
        shredder.join().unwrap();
        recorders.into_iter().for_each(|lane| lane.unwrap());
    });
    let ledger = ledger.into_inner().unwrap();

    let listed = watched.listed();
    for (id, seconds) in &ledger.acknowledged {
        let doubtful = ledger.shredded.contains(id) || ledger.attempted.contains(id);
        let kept = listed.get(id);
        let whole = kept.is_some_and(|kept| (kept - seconds).abs() < 0.001);
        assert!(whole || doubtful, "{id} had {seconds} s and has {kept:?}");
    }
    let mut gone = ledger.shredded.clone();
    for id in &ledger.attempted {
        // The start that did not list it has brought the shred to its end.
        if !listed.contains_key(id) {
            gone.insert(*id);
        }
    }
    let found = watched.attack();
    for id in &gone {
        of_the_shredded(|| assert!(!listed.contains_key(id), "{id} is listed"));
        assert_gone(&found, *id, "after a loop");
    }
    for (id, seconds) in &listed {
        let count = found.count(*id, Kind::Sound);
        assert!(
            segments_of_any(*seconds).contains(&count),
            "{id}, {seconds} s, {count} segments"
        );
    }
    assert!(
        !gone.is_empty() && !listed.is_empty(),
        "{gone:?} {listed:?}"
    );
    let (gone, live) = (gone.len(), listed.len());
    let kills = ledger.kills;
    eprintln!("{gone} shredded, {live} live, {kills} processes killed");
    ledger
}

fn record_and_perhaps_die(
    watched: &Watched,
    number: usize,
    ledger: &Mutex<Ledger>,
    chance: &mut Chance,
) {
    let mut recorder = watched.begin(&format!("number {number}"));
    let seconds = chance.between(0.3, 2.0);
    let sound = steps(seconds);
    recorder.write(&sound.raw());
    if chance.below(3) == 0 {
        let pid = child_of(recorder.pid());
        thread::sleep(Duration::from_secs_f64(chance.between(0.0, 0.3)));
        kill_process(pid, Signal::KILL).unwrap();
        recorder.wait();
        ledger.lock().unwrap().kills += 1;
    } else {
        let ended = recorder.wait();
        // Sent away by a shred that holds the gate, or done.
        assert!(matches!(ended.code(), Some(0 | 6)), "{ended}");
        if ended.code() == Some(0) {
            let seconds = sound.samples.len() as f64 / f64::from(RATE_HZ);
            let mut ledger = ledger.lock().unwrap();
            ledger.acknowledged.insert(id_of(&ended), seconds);
        }
    }
}

fn shred_and_perhaps_die(watched: &Watched, ledger: &Mutex<Ledger>, chance: &mut Chance) {
    let listed = watched.home.voxvault(["list", "--json"]).run().ok().json();
    let listed = listed["recordings"].as_array().unwrap();
    let done: Vec<RecordingId> = listed
        .iter()
        .filter(|one| one["state"] != "recording")
        .map(|one| one["id"].as_str().unwrap().parse().unwrap())
        .collect();
    if done.len() < 2 {
        thread::sleep(Duration::from_millis(50));
        return;
    }
    let id = done[chance.below(done.len())];
    let shred = ["shred", &id.to_string(), "--yes"];
    let shred = watched.watch(watched.home.voxvault(shred)).spawn();
    // The first comes to its end, so that there is one that does.
    let is_first = ledger.lock().unwrap().shredded.is_empty();
    if !is_first && chance.below(2) == 0 {
        let pid = child_of(shred.pid());
        thread::sleep(Duration::from_secs_f64(chance.between(0.0, 0.5)));
        // It may have ended by now.
        let killed = kill_process(pid, Signal::KILL).is_ok();
        ledger.lock().unwrap().kills += u64::from(killed);
    }
    let ended = shred.wait();
    let mut ledger = ledger.lock().unwrap();
    match ended.code() {
        Some(0) => ledger.shredded.insert(id),
        None | Some(137) => ledger.attempted.insert(id),
        _ => panic!("{ended}"),
    };
}

#[test]
fn a_vault_opens_at_any_moment_of_another_process_changing_its_keys() {
    let mut tally = Begun::new("starts beside changes");
    let budget = Budget::begin();
    let folder = quick_folder();
    let dir = folder.path().join("vault");
    let open = make_quick_vault(&dir);
    library::record(open.vault(), "kept", 1);
    open.merge().unwrap();
    let ended = AtomicBool::new(false);
    let mut starts = 0;
    thread::scope(|scope| {
        let changes = scope.spawn(|| {
            let mut changes = 0;
            while !ended.load(Ordering::Relaxed) {
                open.change_settings(&mut |_| {}).unwrap();
                changes += 1;
                // Now and then the master key as well; every way in stays one.
                if changes % 5 == 0 {
                    let same = library::passphrase(PASSPHRASE);
                    open.change_passphrase_with(&same, WorkFactor::NONE)
                        .unwrap();
                }
                // The others want the lock as well.
                thread::sleep(Duration::from_millis(1));
            }
            changes
        });
        let vault =
            || Vault::open(&dir).and_then(|vault| vault.unlock(&library::passphrase(PASSPHRASE)));
        let trouble = (0..).find_map(|start| {
            starts = start;
            let found = vault().map(|open| open.recordings());
            let ends = start >= 100 && !budget.more();
            match found {
                Ok(Ok(all)) if all.len() == 1 => ends.then(String::new),
                // Replaced since it was unlocked: to be unlocked once more.
                Ok(Err(Error::KeysReplaced { .. })) => None,
                other => Some(format!("start {start}: {other:?}")),
            }
        });
        ended.store(true, Ordering::Relaxed);
        let changes: usize = changes.join().unwrap();
        eprintln!("{starts} starts beside {changes} changes");
        assert_eq!(trouble.as_deref(), Some(""));
        assert!(changes > 10, "{changes} changes");
    });
    tally.report();
}
