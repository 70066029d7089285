//! Somebody looks for what was shredded, however it had come into the vault and
//! whatever went on meanwhile.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::attacker::{Evidence, attack};
use super::deeds::{library, put_down, record, shred};
use super::facts::{Clip, What, card_of};
use super::full_reader;
use super::look::{Harm, look};
use super::returning::was_never_here;
use super::rounds::Outcome;
use super::stage::{DIR, QUICK, Stage, Told, secret, site};
use super::table::TABLE;
use crate::recording::{RecordingId, SEGMENT_SAMPLES};
use crate::vault::ground::disk;
use crate::vault::ground::sim_disk::{Cut, SimDisk};
use crate::vault::ground::site::{Observer, Step};
use crate::vault::keys::root::generation_of_bag_file;
use crate::vault::tests::{inbox_file, packets, transcript};
use crate::vault::{Error, RecordingWriter, Result, ShredScope, Vault};

/// A library that somebody works in.
fn stage() -> Stage {
    let stage = Stage::new(SimDisk::default(), super::facts::Facts::default());
    library(&stage);
    stage
}

/// Looks at the disk as it is with every reader there is.
fn examine(name: &str, stage: &Stage, outcome: &mut Outcome) {
    let (disk, told) = (stage.disk.fork(), stage.last());
    let evidence = Evidence::of(&disk);
    outcome.tally.images += 1;
    let full = full_reader::attack(&disk, &told.now);
    let full = full.map_err(super::look::Wrong::Unshredded);
    outcome.note(|| format!("{name}, every stanza"), full);
    let answer = look(&disk, &told, &evidence, Harm::Fault);
    outcome.note(|| name.to_owned(), answer);
}

#[test]
fn whatever_was_shredded_is_found_before_and_not_after() {
    let mut outcome = Outcome::of("shreds");
    let mut shreds = 0;
    for operation in TABLE {
        let stage = operation.prepare();
        let (before, gone) = (stage.disk.fork(), stage.facts().gone.len());
        (operation.work)(&stage).unwrap();
        let facts = stage.facts();
        if facts.gone.len() == gone {
            continue;
        }
        // The control: before, it could be found; but what was never here could not.
        if facts.gone[gone..]
            .iter()
            .any(|gone| !was_never_here(gone.id))
        {
            shreds += 1;
            let control = attack(&before, &Evidence::of(&before), &facts);
            assert!(control.is_err(), "{}: found nothing before", operation.name);
            if facts.gone.iter().all(|gone| gone.what == What::All) {
                assert!(full_reader::attack(&before, &facts).is_err());
            }
        }
        examine(operation.name, &stage, &mut outcome);
    }
    assert!(shreds >= 6, "{shreds}");
    outcome.conclude();
}

/// Lets something happen when a rotation has done a step.
struct Meanwhile {
    at: Step,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {:?}", self.at)
    }
}

impl Observer for Meanwhile {
    fn reached(&self, step: Step) -> Result<()> {
        if step == self.at
            && let Some(act) = self.act.lock().unwrap().take()
        {
            act();
        }
        Ok(())
    }
}

/// Shreds recording 2 while something else happens at a step of it.
fn shred_while(stage: Stage, at: Step, act: impl FnOnce() + Send + 'static) -> Stage {
    let act: Box<dyn FnOnce() + Send> = Box::new(act);
    let stage = stage.watched_by(Arc::new(Meanwhile {
        at,
        act: Mutex::new(Some(act)),
    }));
    shred(&stage, &[2], ShredScope::Everything).unwrap();
    stage
}

fn promised(stage: &Stage, id: RecordingId, clip: Clip) {
    stage.will(|facts| drop(facts.clips.insert(id, clip)));
    stage.did();
}

/// Another process that records.
fn begin(disk: &SimDisk, number: u8) -> Result<RecordingWriter> {
    Vault::open_at(site(disk))?.begin(&card_of(number, 0))
}

fn go_on(mut writer: RecordingWriter, number: u8, from: u32) -> RecordingId {
    for segment in from..3 {
        let sound = packets(number, segment);
        writer.push(&sound, SEGMENT_SAMPLES).unwrap();
    }
    writer.finish(&card_of(number, 3)).unwrap()
}

#[test]
fn recorders_that_run_begin_or_wait_while_another_process_shreds_keep_all_and_it_stays_final() {
    let mut outcome = Outcome::of("recorders and shreds");
    for step in Step::ALL {
        let stage = stage();
        let disk = stage.disk.clone();
        let mut running = begin(&disk, 7).unwrap();
        running.push(&packets(7, 0), SEGMENT_SAMPLES).unwrap();
        let begun = Arc::new(Mutex::new(Vec::<JoinHandle<RecordingId>>::new()));
        let mut ended = Vec::new();
        let (handles, other) = (Arc::clone(&begun), disk.clone());
        let stage = shred_while(stage, step, move || {
            // One goes on and ends right here; one begins, or waits for the gate.
            let first = thread::spawn(move || go_on(running, 7, 1));
            let id = first.join().unwrap();
            let second = thread::spawn(move || go_on(begin(&other, 8).unwrap(), 8, 0));
            let waiting = thread::spawn(move || id);
            handles.lock().unwrap().extend([waiting, second]);
        });
        for handle in begun.lock().unwrap().drain(..) {
            ended.push(handle.join().unwrap());
        }
        promised(&stage, ended[0], Clip::ended(7, 3));
        promised(&stage, ended[1], Clip::ended(8, 3));
        // One more begins after it, and is there when the next is shredded.
        let id = record(&stage, 9).unwrap();
        examine(&format!("recorders, {step:?}"), &stage, &mut outcome);
        let later = Stage::new(stage.disk.fork(), stage.facts());
        shred(&later, &[9, 7], ShredScope::Everything).unwrap();
        assert!(later.facts().gone.iter().any(|gone| gone.id == id));
        examine(&format!("their shred, {step:?}"), &later, &mut outcome);
    }
    outcome.conclude();
}

#[test]
fn a_transcription_that_ends_while_or_after_its_recording_was_shredded_leaves_nothing() {
    let mut outcome = Outcome::of("transcriptions and shreds");
    for step in Step::ALL {
        let stage = stage();
        let id = stage.facts().id(2);
        let other = stage.open().unwrap();
        let answer = Arc::new(Mutex::new(None));
        let handle = Arc::clone(&answer);
        let stage = shred_while(stage, step, move || {
            let ends = move || other.add_transcript(id, 0, &transcript("too late"));
            *handle.lock().unwrap() = Some(thread::spawn(ends));
        });
        let thread = answer.lock().unwrap().take().unwrap();
        let refused = thread.join().unwrap();
        assert!(matches!(refused, Err(Error::Outdated { .. })), "{step:?}");
        let after = stage.open().unwrap();
        let late = after.add_transcript(id, 0, &transcript("too late"));
        assert!(matches!(late, Err(Error::Outdated { .. })), "{step:?}");
        drop(after);
        examine(&format!("a transcription, {step:?}"), &stage, &mut outcome);
    }
    outcome.conclude();
}

#[derive(Debug)]
pub(super) struct StopAfter(pub(super) Step);

impl Observer for StopAfter {
    fn reached(&self, step: Step) -> Result<()> {
        match step == self.0 {
            true => Err(Error::damaged("a test", "stopped here")),
            false => Ok(()),
        }
    }
}

#[test]
fn a_shred_after_one_that_was_stopped_at_any_step_makes_both_final() {
    let mut outcome = Outcome::of("stopped shreds");
    for step in Step::ALL {
        let stage = stage().watched_by(Arc::new(StopAfter(step)));
        let stopped = shred(&stage, &[2], ShredScope::Everything);
        assert!(stopped.is_err(), "{step:?}");
        let told = stage.last();
        let doomed = stage.facts().id(2);
        for cut in [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(step as u64)] {
            let image = stage.disk.after(cut);
            let when = format!("stopped at {step:?}, {cut:?}");
            let answer = look(&image, &told, &Evidence::of(&stage.disk), Harm::Fault);
            let Some(found) = outcome.note(|| when.clone(), answer) else {
                continue;
            };
            let is_there = found.clips.contains_key(&doomed);
            assert_eq!(is_there, step < Step::Committed, "{when}");
            let numbers: &[u8] = if is_there { &[2, 3] } else { &[3] };
            let later = Stage::new(image, found);
            shred(&later, numbers, ShredScope::Everything).unwrap();
            examine(&when, &later, &mut outcome);
        }
    }
    outcome.conclude();
}

/// Puts files back that were there before.
fn put_back(disk: &SimDisk, files: impl Iterator<Item = (PathBuf, Vec<u8>)>) {
    for (path, bytes) in files {
        disk::write(disk, &path, &bytes).unwrap();
    }
}

#[test]
fn an_old_inbox_file_bag_or_key_slot_that_is_put_back_brings_nothing_back() {
    let mut outcome = Outcome::of("things put back");
    for merged in [false, true] {
        let stage = stage();
        let id = put_down(&stage, 7, 2);
        let path = inbox_file(DIR.as_ref(), id);
        let file = stage.disk.files()[&path].clone();
        if merged {
            stage.open().unwrap().merge().unwrap();
        }
        shred(&stage, &[7], ShredScope::Everything).unwrap();
        put_back(&stage.disk, [(path, file)].into_iter());
        examine("an inbox file put back", &stage, &mut outcome);
    }

    let stage = stage();
    let before = stage.disk.files();
    shred(&stage, &[2], ShredScope::Everything).unwrap();
    let is_bag = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        generation_of_bag_file(&name).is_some()
    };
    let bags = before.iter().filter(|(path, _)| is_bag(path));
    put_back(
        &stage.disk,
        bags.map(|(path, bytes)| (path.clone(), bytes.clone())),
    );
    examine("bags put back", &stage, &mut outcome);

    let new = "a passphrase of its own";
    stage.will(|facts| {
        facts.former.extend(facts.passphrase);
        facts.passphrase = Some(new);
    });
    let open = Stage::new(stage.disk.clone(), stage.facts())
        .open()
        .unwrap();
    open.change_passphrase_with(&secret(new), QUICK.work)
        .unwrap();
    drop(open);
    stage.did();
    examine("after a new passphrase", &stage, &mut outcome);
    let is_slot = |path: &PathBuf| path.parent().is_some_and(|dir| dir.ends_with("keys"));
    let slots = before.into_iter().filter(|(path, _)| is_slot(path));
    // Both of the twins would leave no way in, as a thief might want.
    put_back(&stage.disk, slots.take(1));
    examine("a key slot put back", &stage, &mut outcome);
    shred(&stage, &[1], ShredScope::Everything).unwrap();
    examine("a shred after a new passphrase", &stage, &mut outcome);
    outcome.conclude();
}

#[test]
fn a_shred_of_which_an_old_generation_could_not_be_overwritten_promises_nothing() {
    let mut outcome = Outcome::of("shreds that are not final");
    for file in ["root.a", "root.b"] {
        let stage = stage();
        let open = stage.open().unwrap();
        let id = stage.facts().id(2);
        stage.will(|facts| facts.destroy(id, What::All));
        let path = PathBuf::from(DIR).join(file);
        // Everything after the commit fails for this file.
        let broken = (stage.disk.clone(), path.clone());
        let watched = stage.site();
        drop((open, watched));
        let stage = stage.watched_by(Arc::new(Meanwhile {
            at: Step::Doubled,
            act: Mutex::new(Some(Box::new(move || {
                broken.0.break_writes(Some(&broken.1))
            }))),
        }));
        let open = stage.open().unwrap();
        let receipt = open.shred(&[id], ShredScope::Everything, &mut |_, _| ());
        assert!(receipt.unwrap().not_final.is_some(), "{file}");
        drop(open);
        let told: Told = stage.last();
        let next = told.next.clone().unwrap();
        let disk = stage.disk.fork();
        // The receipt is right: it can still be got at.
        assert!(
            attack(&disk, &Evidence::of(&disk), &next).is_err(),
            "{file}"
        );
        // Once the disk is sound again, unlocking brings it to its end.
        let answer = look(&disk, &told, &Evidence::of(&disk), Harm::Fault);
        outcome.note(|| file.to_owned(), answer);
        let stage = Stage::new(disk, next);
        examine(file, &stage, &mut outcome);
    }
    outcome.conclude();
}
