//! The operations of the vault. A new one is one entry here: everything that is
//! done to the others is then done to it.

use std::sync::Arc;

use super::facts::{Clip, Facts, SILENCE, What, card_of};
use super::healing::{LOST, mend, torn};
use super::keeping::{ruled, sweep};
use super::returning::{Known, restore};
use super::stage::{QUICK, Stage, secret};
use crate::crypto::recovery::Typed;
use crate::crypto::{Asker, Nobody, RecoveryKey, WayKey};
use crate::recording::{Card, RecordingId, SEGMENT_SAMPLES, Source};
use crate::transcript::Transcript;
use crate::vault::bag::WayKind;
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::tests::{PASSPHRASE, packets, transcript};
use crate::vault::{
    Deed, Error, NewWay, OpenVault, Receipt, Redaction, Rekeying, Result, ShredScope, Vault,
};

/// What passwd sets.
const OTHER_PASSPHRASE: &str = "six other words by now";

/// A recovery key, as it is typed.
const RECOVERY: &str = "gq97-78vq-xmmj-ve8s-k7j6-vt8u-j4hd-qaju-vsfc-wcm0-2d8g-ewq7-2pvq-2y5j-33";

/// An operation, with what it needs to find.
pub(super) struct Operation {
    pub(super) name: &'static str,
    /// Makes what it works on, on a disk that loses nothing.
    before: fn(&Stage),
    /// Does it, and says what it has promised by when. An error says that it
    /// promised no more.
    pub(super) work: fn(&Stage) -> Result<()>,
}

impl Operation {
    /// A vault for it to work on.
    pub(super) fn prepare(&self) -> Stage {
        let stage = Stage::new(SimDisk::default(), Facts::default());
        (self.before)(&stage);
        // As after a clean shutdown: nothing is pending.
        let disk = stage.disk.after(crate::vault::ground::sim_disk::Cut::Kill);
        Stage::new(disk, stage.facts())
    }
}

/// All of them.
pub(super) const TABLE: &[Operation] = &[
    Operation {
        name: "init",
        before: |_| (),
        work: init,
    },
    Operation {
        name: "record",
        before: library,
        work: |stage| record(stage, 7).map(drop),
    },
    Operation {
        name: "record and merge",
        before: library,
        work: |stage| {
            record(stage, 7)?;
            stage.open()?.merge().map(drop)
        },
    },
    Operation {
        name: "merge of several",
        before: |stage| {
            library(stage);
            put_down(stage, 7, 13);
            put_down(stage, 8, 1);
            interrupted(stage, 9, 2);
        },
        work: |stage| stage.open()?.merge().map(drop),
    },
    Operation {
        name: "import",
        before: library,
        work: import,
    },
    Operation {
        name: "transcribe",
        before: library,
        work: |stage| {
            let (open, id) = (stage.open()?, stage.facts().id(1));
            stage.will(|facts| facts.clip(id).words.push("said just now".to_owned()));
            open.add_transcript(id, 0, &transcript("said just now"))?;
            stage.did();
            Ok(())
        },
    },
    Operation {
        name: "edit",
        before: library,
        work: |stage| {
            let (open, id) = (stage.open()?, stage.facts().id(2));
            edit(stage, &open, id, "edited")?;
            edit(stage, &open, id, "edited twice")
        },
    },
    Operation {
        name: "forget",
        before: |stage| {
            library(stage);
            let (open, id) = (stage.open().unwrap(), stage.facts().id(2));
            for note in ["first", "second", "third"] {
                edit(stage, &open, id, note).unwrap();
            }
        },
        work: |stage| {
            let (open, id) = (stage.open()?, stage.facts().id(2));
            // One note of the library, and three.
            stage.will(|facts| facts.destroy(id, What::CardsBefore(5)));
            open.forget_revisions(id)?;
            stage.did();
            edit(stage, &open, id, "after")
        },
    },
    Operation {
        name: "redact",
        before: library,
        work: |stage| {
            let (open, id) = (stage.open()?, stage.facts().id(2));
            stage.will(|facts| {
                facts.clip(id).silenced = SPAN.collect();
                for words in &mut facts.clip(id).words {
                    *words = blanked(words).expect("something to blank");
                }
                facts.destroy(id, What::Epoch(0));
            });
            finally(open.redact(id, &Span, &mut |_, _| ())?.receipt)?;
            stage.did();
            Ok(())
        },
    },
    Operation {
        name: "scrub",
        before: |stage| {
            library(stage);
            shred(stage, &[1], ShredScope::Everything).unwrap();
        },
        work: |stage| stage.open()?.scrub(&mut |_, _| ()).map(drop),
    },
    Operation {
        name: "rebuilding the store",
        before: |stage| {
            library(stage);
            shred(stage, &[1], ShredScope::Everything).unwrap();
        },
        work: |stage| stage.open()?.rebuild_store().map(drop),
    },
    Operation {
        name: "restore",
        before: |stage| {
            library(stage);
            shred(stage, &[1], ShredScope::Everything).unwrap();
        },
        work: |stage| restore(stage, Known::First),
    },
    Operation {
        name: "restore of a stream",
        before: library,
        work: |stage| restore(stage, Known::Last),
    },
    Operation {
        name: "mending what was lost",
        before: torn,
        work: |stage| mend(stage, &LOST),
    },
    Operation {
        name: "settings",
        before: library,
        work: |stage| {
            let open = stage.open()?;
            open.change_settings(&mut |settings| {
                settings
                    .searches
                    .insert("weekly".to_owned(), "tag:minutes".to_owned());
            })
        },
    },
    Operation {
        name: "log",
        before: library,
        work: |stage| {
            let (open, id) = (stage.open()?, stage.facts().id(2));
            for _ in 0..2 {
                play(stage, &open, id)?;
            }
            // What was said to have been played stays so, behind what rotates too.
            open.change_settings(&mut |_| ())
        },
    },
    Operation {
        name: "log and shred",
        before: |stage| {
            library(stage);
            let open = stage.open().unwrap();
            let (two, three) = (stage.facts().id(2), stage.facts().id(3));
            play(stage, &open, two).unwrap();
            // One entry that came with a rotation, and is still carried.
            stage.will(|facts| facts.destroy(three, What::CardsBefore(1)));
            open.forget_revisions(three).unwrap();
            stage.did();
        },
        work: |stage| {
            let (open, id) = (stage.open()?, stage.facts().id(2));
            play(stage, &open, id)?;
            shred(stage, &[2], ShredScope::Everything)
        },
    },
    Operation {
        name: "passwd",
        before: library,
        work: |stage| {
            let open = stage.open()?;
            stage.will(|facts| {
                facts.former.extend(facts.passphrase);
                facts.passphrase = Some(OTHER_PASSPHRASE);
            });
            open.change_passphrase_with(&secret(OTHER_PASSPHRASE), QUICK.work)?;
            stage.did();
            Ok(())
        },
    },
    Operation {
        name: "key add",
        before: library,
        work: |stage| {
            let open = stage.open()?;
            stage.will(|facts| facts.passphrase = Some(RECOVERY));
            add_recovery(&open)?;
            stage.did();
            Ok(())
        },
    },
    Operation {
        name: "key remove",
        before: |stage| {
            library(stage);
            add_recovery(&stage.open().unwrap()).unwrap();
        },
        work: |stage| {
            let open = stage.open()?;
            stage.will(|facts| {
                facts.former.extend(facts.passphrase);
                facts.passphrase = Some(RECOVERY);
            });
            open.rekey(&Rekeying {
                dropped: open
                    .ways()?
                    .into_keys()
                    .filter(|name| name != "recovery")
                    .collect(),
                ..Rekeying::default()
            })?;
            stage.did();
            Ok(())
        },
    },
    Operation {
        name: "shred",
        before: library,
        work: |stage| shred(stage, &[2], ShredScope::Everything),
    },
    Operation {
        name: "shred of the sound",
        before: library,
        work: |stage| shred(stage, &[2], ShredScope::Sound),
    },
    Operation {
        name: "shred of several",
        before: |stage| {
            library(stage);
            put_down(stage, 7, 2);
        },
        work: |stage| shred(stage, &[2, 7, 1], ShredScope::Everything),
    },
    Operation {
        name: "retention",
        before: ruled,
        work: sweep,
    },
    Operation {
        name: "shred in the inbox",
        before: |stage| {
            library(stage);
            put_down(stage, 7, 2);
        },
        work: |stage| shred(stage, &[7], ShredScope::Everything),
    },
    Operation {
        name: "shred of an adopted one",
        before: |stage| {
            library(stage);
            let vault = stage.vault().unwrap();
            let mut running = vault.begin(&card_of(7, 2)).unwrap();
            running.push(&packets(7, 0), SEGMENT_SAMPLES).unwrap();
            let open = stage.open().unwrap();
            open.change_settings(&mut |settings| {
                settings.searches.insert("a".to_owned(), "b".to_owned());
            })
            .unwrap();
            running.push(&packets(7, 1), SEGMENT_SAMPLES).unwrap();
            let id = running.finish(&card_of(7, 2)).unwrap();
            told(stage, id, Clip::ended(7, 2));
        },
        work: |stage| shred(stage, &[7], ShredScope::Everything),
    },
];

/// Silences a few segments, and blanks every first word.
struct Span;

const SPAN: std::ops::Range<u32> = 3..5;

impl Redaction for Span {
    fn silence(&self, segment: u32, packets: &mut [u8]) {
        if SPAN.contains(&segment) {
            packets.copy_from_slice(&SILENCE);
        }
    }

    fn blank(&self, _number: u32, transcript: &Transcript) -> Option<Transcript> {
        let mut blank = transcript.clone();
        blank.segments[0].text = blanked(&transcript.text())?;
        Some(blank)
    }

    fn trim(&self, _card: &mut Card) {}
}

fn blanked(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(' ')?;
    Some(format!("[redacted] {rest}"))
}

/// Adds it as a way in.
fn add_recovery(open: &OpenVault) -> Result<()> {
    let Typed::Key(key) = RecoveryKey::read(RECOVERY) else {
        panic!("it is one");
    };
    let nobody: Arc<dyn Asker> = Arc::new(Nobody);
    open.add_way(&NewWay {
        name: "recovery",
        kind: WayKind::Recovery,
        key: WayKey::Recipient(&key.recipient(), &nobody),
        now_ms: 7,
    })
}

fn init(stage: &Stage) -> Result<()> {
    stage.will(|facts| facts.passphrase = Some(PASSPHRASE));
    Vault::init_at(stage.site(), &secret(PASSPHRASE), QUICK)?;
    stage.did();
    Ok(())
}

/// A vault with recordings 1 to 3, of which 2 has all that a recording can have.
pub(super) fn library(stage: &Stage) {
    init(stage).unwrap();
    for (number, segments) in [(1, 3), (2, 11), (3, 1)] {
        put_down(stage, number, segments);
    }
    let open = stage.open().unwrap();
    open.merge().unwrap();
    let id = stage.facts().id(2);
    for words in ["said first", "said again"] {
        open.add_transcript(id, 0, &transcript(words)).unwrap();
        stage.will(|facts| facts.clip(id).words.push(words.to_owned()));
        stage.did();
    }
    edit(stage, &open, id, "a note").unwrap();
}

fn told(stage: &Stage, id: RecordingId, clip: Clip) {
    stage.will(|facts| drop(facts.clips.insert(id, clip)));
    stage.did();
}

/// A recording that waits in the inbox.
pub(super) fn put_down(stage: &Stage, number: u8, segments: u32) -> RecordingId {
    let vault = stage.vault().unwrap();
    let id = crate::vault::tests::record(&vault, number, segments);
    told(stage, id, Clip::ended(number, segments));
    id
}

/// One whose recorder was killed.
fn interrupted(stage: &Stage, number: u8, segments: u32) {
    let vault = stage.vault().unwrap();
    let mut writer = vault.begin(&card_of(number, 0)).unwrap();
    for segment in 0..segments {
        let sound = packets(number, segment);
        writer.push(&sound, SEGMENT_SAMPLES).unwrap();
    }
    told(stage, writer.id(), Clip::running(number, segments));
}

/// Records three segments while the vault is locked. Each is promised as soon as
/// it has been pushed.
pub(super) fn record(stage: &Stage, number: u8) -> Result<RecordingId> {
    const SEGMENTS: u32 = 3;
    let mut writer = stage.vault()?.begin(&card_of(number, 0))?;
    let id = writer.id();
    for segment in 0..SEGMENTS {
        let clip = Clip::running(number, segment + 1);
        stage.will(|facts| drop(facts.clips.insert(id, clip)));
        writer.push(&packets(number, segment), SEGMENT_SAMPLES)?;
        stage.did();
    }
    writer.checkpoint(&card_of(number, SEGMENTS))?;
    let clip = Clip::ended(number, SEGMENTS);
    stage.will(|facts| drop(facts.clips.insert(id, clip)));
    writer.finish(&card_of(number, SEGMENTS))?;
    stage.did();
    Ok(id)
}

fn import(stage: &Stage) -> Result<()> {
    const SEGMENTS: u32 = 12;
    let card = Card {
        source: Source::Import,
        content_hash: Some([7; 32]),
        ..card_of(7, SEGMENTS)
    };
    let mut writer = stage.vault()?.begin_copy(&card)?;
    for segment in 0..SEGMENTS {
        writer.push(&packets(7, segment), SEGMENT_SAMPLES)?;
    }
    writer.add_transcript(&transcript("said elsewhere"))?;
    let (id, mut clip) = (writer.id(), Clip::ended(7, SEGMENTS));
    clip.words.push("said elsewhere".to_owned());
    stage.will(|facts| drop(facts.clips.insert(id, clip)));
    writer.finish(&card)?;
    stage.did();
    let open = stage.open()?;
    open.merge()?;
    // The same sound once more, later, with words that are known and words that are not.
    // All of it: where the first could not be merged yet, both wait.
    let mut card = card;
    card.added_at.unix_ms += 1;
    let mut double = stage.vault()?.begin_copy(&card)?;
    for segment in 0..SEGMENTS {
        double.push(&packets(7, segment), SEGMENT_SAMPLES)?;
    }
    double.add_transcript(&transcript("said elsewhere"))?;
    double.add_transcript(&transcript("said again elsewhere"))?;
    stage.will(|facts| facts.clip(id).words.push("said again elsewhere".to_owned()));
    double.finish(&card)?;
    open.merge()?;
    stage.did();
    Ok(())
}

pub(super) fn edit(stage: &Stage, open: &OpenVault, id: RecordingId, note: &str) -> Result<()> {
    stage.will(|facts| facts.clip(id).note = note.to_owned());
    open.update_card(id, &mut |card| card.note = note.to_owned())?;
    stage.did();
    Ok(())
}

/// Says in the log that a recording is about to be played.
pub(super) fn play(stage: &Stage, open: &OpenVault, id: RecordingId) -> Result<()> {
    stage.will(|facts| facts.plays += 1);
    open.log(Deed::Play, &[id], "from 0:00")?;
    stage.did();
    Ok(())
}

/// Shreds recordings by their numbers. One that is not final promises nothing.
pub(super) fn shred(stage: &Stage, numbers: &[u8], scope: ShredScope) -> Result<()> {
    let ids: Vec<RecordingId> = numbers.iter().map(|one| stage.facts().id(*one)).collect();
    let open = stage.open()?;
    let what = match scope {
        ShredScope::Everything => What::All,
        ShredScope::Sound => What::Sound,
    };
    stage.will(|facts| ids.iter().for_each(|id| facts.destroy(*id, what)));
    finally(open.shred(&ids, scope, &mut |_, _| ())?)?;
    stage.did();
    Ok(())
}

fn finally(receipt: Receipt) -> Result<()> {
    match receipt.not_final {
        None => Ok(()),
        Some(why) => Err(Error::damaged("the receipt", why)),
    }
}
