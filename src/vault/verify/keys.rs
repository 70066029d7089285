//! The ways in: both files of each, against the hashes that the bag has of them.
//! So each is told to be whole without its passphrase.

use std::path::Path;

use super::{Flaw, Verified};
use crate::vault::ground::disk;
use crate::vault::keys::keyslots::{DIR, ENDINGS, MOST_BYTES, Name, hash};
use crate::vault::session::Held;

/// The way in of whose files a flaw speaks.
pub(super) fn way_of(flaw: &Flaw) -> Option<String> {
    let path = Path::new(&flaw.place);
    let is_inside = path.parent()?.file_name()? == DIR;
    let name = Name::parse(path.file_name()?.to_str()?).filter(|_| is_inside)?;
    Some(name.slot.to_owned())
}

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
    let ways = &held.bag().settings.ways;
    for (name, way) in ways {
        for ending in ENDINGS {
            let file = format!("{name}{ending}");
            let path = keys.join(&file);
            let what = match disk::read_at_most(held.disk(), &path, MOST_BYTES) {
                Ok(bytes) if hash(&bytes) == way.hash => continue,
                Ok(_) => "it is damaged, or of another time",
                Err(_) if files.contains(&file) => "it can't be read",
                Err(_) => "it is missing",
            };
            found.flaws.push(Flaw::new(path.display(), what));
        }
    }
    for file in &files {
        let what = match Name::parse(file) {
            Some(Name { new: Some(_), .. }) => "a way in that waits for its place",
            Some(name) if ways.contains_key(name.slot) => continue,
            Some(_) => "no way in that this vault knows",
            None => "not a file of the vault",
        };
        let path = keys.join(file);
        found.notes.push(format!("{}: {what}", path.display()));
    }
}
