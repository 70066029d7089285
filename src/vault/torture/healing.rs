//! What the table does with what was lost to damage: it comes back in its place, and what
//! was shredded does not.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::attacker::Evidence;
use super::deeds::{library, put_down, shred};
use super::facts::{Clip, Facts, card_of};
use super::look::{Harm, look};
use super::returning::{Packets, id_of};
use super::rounds::Outcome;
use super::shredding::StopAfter;
use super::stage::Stage;
use crate::recording::{Ending, RECOVERED_NOTE, RecordingId};
use crate::vault::ground::sim_disk::{Cut, SimDisk};
use crate::vault::ground::site::Step;
use crate::vault::sealed::frame::Kind;
use crate::vault::tests::mended::tear_out;
use crate::vault::tests::transcript;
use crate::vault::{Error, Fate, Mending, Restoring, Result, ReturnedSound, Returning, ShredScope};

/// Lost is the card of the first; of the second a transcript and these segments.
const CARD: u8 = 1;
const SOUND: u8 = 2;
pub(super) const LOST: [Range<u64>; 2] = [3..4, 7..11];
const LOST_WORDS: u32 = 2;

/// All sound of this one is lost.
const SOUNDLESS: u8 = 7;
const SEGMENTS: u32 = 12;

/// Of these the sound and all was shredded.
const SILENCED: u8 = 3;
const SHREDDED: u8 = 4;

fn numbers(spans: &[Range<u64>]) -> Vec<u32> {
    let all = spans.iter().cloned().flatten();
    all.map(|one| one as u32).collect()
}

/// A library that lost some of what it held, and knows.
pub(super) fn torn(stage: &Stage) {
    library(stage);
    put_down(stage, SHREDDED, 2);
    shred(stage, &[SHREDDED], ShredScope::Everything).unwrap();
    shred(stage, &[SILENCED], ShredScope::Sound).unwrap();
    let (open, facts) = (stage.open().unwrap(), stage.facts());
    let mut restoring = open.begin_restore().unwrap();
    let returning = Returning {
        id: id_of(SOUNDLESS),
        epoch: 0,
        card: card_of(SOUNDLESS, SEGMENTS),
        words: Some(BTreeMap::new()),
        numbered: 0,
    };
    let put = restoring.put(&returning, ReturnedSound::Lost).unwrap();
    assert_eq!(put, Fate::Waits);
    restoring.commit().unwrap();
    let (card, sound) = (facts.id(CARD), facts.id(SOUND));
    tear_out(&open, |facts| match facts.kind {
        Kind::Card => facts.id == card,
        Kind::Sound => facts.id == sound && numbers(&LOST).contains(&facts.number),
        Kind::Words => facts.id == sound && facts.number == LOST_WORDS,
        _ => false,
    });
    stage.will(|facts| {
        let all: Vec<u32> = (0..SEGMENTS).collect();
        let soundless = Clip {
            lost: all.clone(),
            noted: all,
            ..Clip::ended(SOUNDLESS, SEGMENTS)
        };
        facts.clips.insert(returning.id, soundless);
        let torn = facts.clip(sound);
        torn.words.truncate(1);
        torn.lost = numbers(&LOST);
        torn.noted = numbers(&LOST);
        let anew = facts.clip(card);
        anew.is_recovered = true;
        RECOVERED_NOTE.clone_into(&mut anew.note);
        anew.ending = Ending::Interrupted;
    });
    stage.did();
}

/// Mends what was lost; of the sound of the second recording these segments, of the others
/// all. What of it is back before all is shows by and by.
pub(super) fn mend(stage: &Stage, wanted: &[Range<u64>]) -> Result<()> {
    let open = stage.open()?;
    let facts = stage.facts();
    let (card, sound) = (facts.id(CARD), facts.id(SOUND));
    let is_back = |segment: &u32| numbers(wanted).contains(segment);
    let noted = move |facts: &mut Facts| {
        let clip = facts.clip(sound);
        clip.noted.clone_from(&clip.lost);
    };
    let filled = move |facts: &mut Facts| facts.clip(sound).lost.retain(|one| !is_back(one));
    let all_filled = move |facts: &mut Facts| {
        filled(facts);
        facts.clip(id_of(SOUNDLESS)).lost.clear();
    };
    stage.will(|facts| {
        all_filled(facts);
        noted(facts);
        facts.clip(id_of(SOUNDLESS)).noted.clear();
        let torn = facts.clip(sound);
        torn.words = vec!["said first".to_owned(), "said again".to_owned()];
        *facts.clip(card) = Clip::ended(CARD, 3);
    });
    let nothing = |_: &mut Facts| ();
    let by_and_by: [&dyn Fn(&mut Facts); 3] = [&nothing, &filled, &all_filled];
    for fill in by_and_by {
        // The card may lag behind, or not, if an earlier one was cut short.
        stage.may(fill);
        stage.may(|facts| {
            noted(facts);
            fill(facts);
        });
    }
    let mut restoring = open.begin_restore()?;
    for number in [SILENCED, SHREDDED] {
        nothing_comes(&mut restoring, &facts, number)?;
    }
    fill(&mut restoring, sound, SOUND, 11, wanted)?;
    let all = 0..u64::from(SEGMENTS);
    fill(
        &mut restoring,
        id_of(SOUNDLESS),
        SOUNDLESS,
        SEGMENTS,
        &[all],
    )?;
    let words = [(1, "said otherwise"), (LOST_WORDS, "said again")];
    let words = words.map(|(number, text)| (number, transcript(text)));
    restoring.mend(
        sound,
        Mending {
            words: words.into(),
            ..Mending::default()
        },
    )?;
    let whole = Mending {
        card: Some(card_of(CARD, 3)),
        ..Mending::default()
    };
    restoring.mend(card, whole)?;
    let done = restoring.commit()?;
    match done.mended.len() {
        3 => stage.did(),
        _ => return Err(Error::damaged("what was mended", format!("{done:?}"))),
    }
    Ok(())
}

fn fill(
    restoring: &mut Restoring,
    id: RecordingId,
    number: u8,
    segments: u32,
    wanted: &[Range<u64>],
) -> Result<()> {
    let segments = 0..segments;
    let mut packets = Packets { number, segments };
    restoring.fill(
        id,
        &card_of(number, packets.segments.end),
        wanted,
        &mut packets,
    )
}

/// A backup of before has it, and it stays shredded.
fn nothing_comes(restoring: &mut Restoring, facts: &Facts, number: u8) -> Result<()> {
    let gone = if number == SILENCED {
        &facts.gone[1]
    } else {
        &facts.gone[0]
    };
    let filled = fill(restoring, gone.id, number, 2, &LOST);
    match filled {
        Err(Error::NoSound { .. } | Error::NoRecording { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => Err(Error::damaged(gone.id, "what was shredded was filled in")),
    }
}

/// Also where the first left the card behind the bag, or the rows before it.
#[test]
fn a_mend_that_is_stopped_anywhere_after_one_that_was_costs_nothing() {
    let mut outcome = Outcome::of("stopped mends");
    for first in [Step::BagWritten, Step::Committed] {
        let stage = Stage::new(SimDisk::default(), Facts::default());
        torn(&stage);
        let stage = stage.fork().watched_by(Arc::new(StopAfter(first)));
        assert!(mend(&stage, &LOST[..1]).is_err(), "{first:?}");
        for second in Step::ALL {
            let image = stage.disk.after(Cut::Kill);
            let evidence = Evidence::of(&stage.disk);
            let answer = look(&image, &stage.last(), &evidence, Harm::Fault);
            let Some(facts) = outcome.note(|| format!("stopped at {first:?}"), answer) else {
                break;
            };
            let again = Stage::new(image, facts).watched_by(Arc::new(StopAfter(second)));
            assert!(mend(&again, &LOST).is_err(), "{first:?}, {second:?}");
            let when = format!("stopped at {first:?}, then at {second:?}");
            let evidence = evidence.with(&again.disk);
            let answer = look(&again.disk.fork(), &again.last(), &evidence, Harm::Fault);
            outcome.tally.images += 1;
            outcome.note(|| when.clone(), answer);
            // Once more nothing stops it.
            let whole = Stage::new(again.disk.fork(), again.facts());
            mend(&whole, &LOST).unwrap();
            let evidence = evidence.with(&whole.disk);
            let answer = look(&whole.disk, &whole.last(), &evidence, Harm::Fault);
            outcome.note(|| format!("{when}, then to its end"), answer);
        }
    }
    outcome.conclude();
}
