//! Puts the files in `keys/` in order, by what the bag in force says of them.
//!
//! The bag knows every way in by its name and by the hash of its file. So it
//! tells what waits for its place from what was never finished, what is damaged
//! from what its twin still has, and what was taken away from what somebody put
//! there: that is told and left alone, for nobody knows whose it is.

use std::collections::BTreeSet;
use std::io;

use super::bag::{Settings, Way};
use super::keyslots::{self, ENDINGS, SlotFile};
use crate::vault::ground::disk::{self, Disk};
use crate::vault::ground::site::Site;
use crate::vault::notice::Notice;

/// Gives every way in its two files, and overwrites what is none any more.
/// To be asked only once the bag is known to be in force, and durable. Answers
/// with what was mended, and with what could not be done.
pub(in crate::vault) fn settle(site: &Site, settings: &Settings) -> Vec<Notice> {
    let (disk, keys) = (&*site.disk, site.path(keyslots::DIR));
    let files = match keyslots::files(site) {
        Ok(files) => files,
        // What was to be overwritten is still there.
        Err(error) => {
            return vec![Notice::not_done(&error, keys)];
        }
    };
    let mut work = Work {
        disk,
        notices: Vec::new(),
        moved: BTreeSet::new(),
        changed: false,
    };
    let mut lost = BTreeSet::new();
    for (name, way) in &settings.ways {
        let own: Vec<&SlotFile> = files.iter().filter(|file| file.slot == *name).collect();
        if !work.complete(site, name, way, &own) {
            lost.insert(name.as_str());
        }
    }
    for file in files {
        if work.moved.contains(&file.name) {
            continue;
        }
        let is_way = settings.ways.contains_key(&file.slot);
        let is_waste = match file.waits {
            // Of a way in whose every file is damaged nothing is given up.
            true => !lost.contains(file.slot.as_str()),
            false => !is_way && was_taken_away(settings, &file),
        };
        if is_waste {
            let path = keys.join(&file.name);
            let erased = disk::erase(disk, &path);
            work.changed = true;
            work.not_done(erased, &path);
        } else if !is_way {
            let path = keys.join(&file.name);
            work.notices.push(Notice::StrangeWay { path });
        }
    }
    for name in lost {
        let name = name.to_owned();
        work.notices.push(Notice::WayLost { name });
    }
    if work.changed {
        let synced = disk.sync_dir(&keys);
        work.not_done(synced, &keys);
    }
    work.notices
}

/// Whether this is a file of a way in that was taken away or replaced, under its
/// own name or under one that somebody gave to a copy.
fn was_taken_away(settings: &Settings, file: &SlotFile) -> bool {
    settings.retired.iter().any(|retired| {
        retired.name == file.slot || file.hash.is_some_and(|hash| hash == retired.hash)
    })
}

struct Work<'a> {
    disk: &'a dyn Disk,
    notices: Vec<Notice>,
    /// Files that have another name now.
    moved: BTreeSet<String>,
    changed: bool,
}

impl Work<'_> {
    /// Makes both files of a way in what they should be. `false` if no whole file
    /// of it is left.
    fn complete(&mut self, site: &Site, name: &str, way: &Way, own: &[&SlotFile]) -> bool {
        let keys = site.path(keyslots::DIR);
        let is_good = |file: &&&SlotFile| file.hash == Some(way.hash);
        let Some(good) = own.iter().find(is_good) else {
            return false;
        };
        for ending in ENDINGS {
            let of_this = |waits| {
                let wanted = move |file: &&&SlotFile| file.ending == ending && file.waits == waits;
                own.iter().filter(wanted)
            };
            if of_this(false).any(|file| is_good(&file)) {
                continue;
            }
            let place = keys.join(format!("{name}{ending}"));
            self.changed = true;
            // What was in the old one would stay on the disk otherwise.
            let cleared = match disk::overwrite(self.disk, &place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            };
            if let Some(waiting) = of_this(true).find(|file| is_good(file)) {
                let renamed =
                    cleared.and_then(|()| self.disk.rename(&keys.join(&waiting.name), &place));
                self.moved.insert(waiting.name.clone());
                self.not_done(renamed, &place);
            } else {
                let bytes = good.bytes.as_deref().unwrap_or_default();
                let mended = cleared.and_then(|()| disk::write(self.disk, &place, bytes));
                self.notices.push(Notice::of_mending(mended, place));
            }
        }
        true
    }

    fn not_done(&mut self, done: io::Result<()>, path: &std::path::Path) {
        if let Err(error) = done {
            self.notices.push(Notice::not_done(&error, path.to_owned()));
        }
    }
}
