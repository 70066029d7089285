//! The ways in: every slot and its twin.
//!
//! The slot that opened the vault was read and compared while unlocking. Of the
//! others only what needs no passphrase can be told: that both files are there,
//! alike, and begin like an age file.

use std::collections::BTreeMap;

use super::{Flaw, Verified};
use crate::vault::ground::disk;
use crate::vault::keys::keyslots::{DIR, MOST_BYTES, Name};
use crate::vault::sealed::scan::AGE_MAGIC;
use crate::vault::session::Held;

/// What both files of a slot hold; `None` where one is missing or can't be read.
type Twins = BTreeMap<&'static str, Option<Vec<u8>>>;

pub(super) fn look(held: &Held<'_>, found: &mut Verified) {
    let keys = held.dir().join(DIR);
    let files = match held.disk().list(&keys) {
        Ok(files) => files,
        Err(error) => {
            let flaw = Flaw::new(keys.display(), format!("it can't be listed: {error}"));
            found.flaws.push(flaw);
            return;
        }
    };
    let mut slots: BTreeMap<&str, Twins> = BTreeMap::new();
    for file in &files {
        let path = keys.join(file);
        match Name::parse(file) {
            Some(Name {
                slot,
                ending,
                new: None,
            }) => {
                let bytes = disk::read_at_most(held.disk(), &path, MOST_BYTES).ok();
                slots.entry(slot).or_default().insert(ending, bytes);
            }
            Some(_) => found.notes.push(format!(
                "{}: a way in that waits for its root",
                path.display()
            )),
            None => found
                .notes
                .push(format!("{}: not a file of the vault", path.display())),
        }
    }
    for (slot, twins) in &slots {
        let place = |ending| keys.join(format!("{slot}{ending}")).display().to_string();
        let is_own = *slot == held.ring().slot;
        let read: Vec<_> = twins.values().flatten().collect();
        let begins_well = read.iter().any(|bytes| bytes.starts_with(AGE_MAGIC));
        if !is_own && !begins_well {
            let note = format!("{}: no way in, whatever its name says", place(".age"));
            found.notes.push(note);
            continue;
        }
        for ending in [".age", ".copy.age"] {
            match twins.get(ending) {
                Some(Some(_)) => {}
                Some(None) => found
                    .flaws
                    .push(Flaw::new(place(ending), "it can't be read")),
                None => found
                    .flaws
                    .push(Flaw::new(place(ending), "its twin is there and it is not")),
            }
        }
        if let [one, two] = read.as_slice()
            && one != two
        {
            let what = "it differs from its twin, and one of them is damaged or of another time";
            found.flaws.push(Flaw::new(place(".copy.age"), what));
        }
        if !is_own {
            found.notes.push(format!(
                "{}: a way in that opens with another passphrase, or none; what it holds was not looked at",
                place(".age")
            ));
        }
    }
    if !slots.contains_key(held.ring().slot.as_str()) {
        let what = "the way in that opened the vault is gone";
        found.flaws.push(Flaw::new(keys.display(), what));
    }
}
