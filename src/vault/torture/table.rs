//! The operations of the vault. A new one is one entry here: everything that is
//! done to the others is then done to it.

use super::deeds::{
    OTHER_PASSPHRASE, RECOVERY, SPAN, Span, add_recovery, adopted, blanked, edit, finally, import,
    init, interrupted, library, play, put_down, record, shred,
};
use super::facts::{Facts, What};
use super::healing::{LOST, mend, torn};
use super::keeping::{ruled, sweep};
use super::returning::{Known, restore};
use super::stage::{QUICK, Stage, secret};
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::tests::transcript;
use crate::vault::{Rekeying, Result, ShredScope};

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
            adopted(stage, 7);
        },
        work: |stage| shred(stage, &[7], ShredScope::Everything),
    },
];
