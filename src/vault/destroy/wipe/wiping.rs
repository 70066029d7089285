//! The overwriting itself: what was begun, what became of it, and what failed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::EMPTY;
use super::parts::{Found, Part, ROOT_BYTES, Target, Whose, is_link};
use crate::crypto::fill_noise;
use crate::vault::destroy::receipt::{NotErased, Receipt};
use crate::vault::destroy::strangers::look::{self, EMPTIED, IN_PLACE, REMOVED};
use crate::vault::ground::disk::{Access, Disk, DiskFile};
use crate::vault::ground::site::Site;
use crate::vault::inbox;
use crate::vault::keys::keyslots;
use crate::vault::keys::root::SLOT_LEN;

pub(super) struct Wiping<'a> {
    disk: &'a dyn Disk,
    bytes: u64,
    done: u64,
    /// How many files of a part, and how many bytes.
    erased: BTreeMap<Part, (u64, u64)>,
    /// What could not be destroyed, and why.
    pub(super) failed: BTreeMap<PathBuf, (Part, String)>,
    /// Copies that were destroyed, a line each.
    copies: Vec<String>,
    /// Files that are left, in which root slots were overwritten.
    pub(super) within: BTreeSet<PathBuf>,
    /// Links that were removed, and where they led.
    links: Vec<(PathBuf, PathBuf)>,
    /// Files that were longer than any of a vault, and by how many bytes.
    behind: Vec<(PathBuf, u64)>,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl<'a> Wiping<'a> {
    pub(super) fn new(disk: &'a dyn Disk, progress: &'a mut dyn FnMut(u64, u64)) -> Self {
        Self {
            disk,
            bytes: 0,
            done: 0,
            erased: BTreeMap::new(),
            failed: BTreeMap::new(),
            copies: Vec::new(),
            within: BTreeSet::new(),
            links: Vec::new(),
            behind: Vec::new(),
            progress,
        }
    }

    /// Destroys these, which stand in the order of their parts.
    pub(super) fn destroy(&mut self, site: &Site, todo: &[Target]) {
        let sized = todo.iter().map(|target| (target, self.length(target)));
        let (keys, mut rest): (Vec<_>, Vec<_>) = sized.partition(|(it, _)| it.part.is_key());
        // The shortest first: one without end waits until all else is gone.
        rest.sort_by_key(|(_, bytes)| *bytes);
        let first = keys.iter().map(|(_, bytes)| ROOT_BYTES.min(*bytes));
        let all = keys.iter().chain(&rest).map(|(_, bytes)| *bytes);
        self.bytes = first.chain(all).fold(self.bytes, u64::saturating_add);
        (self.progress)(self.done, self.bytes);
        for (target, bytes) in &keys {
            // What opens anything, of all of them. It is done once more with the whole
            // file below, where what fails is noted.
            let _ = self
                .open(&target.path)
                .and_then(|file| match &target.whose {
                    Whose::Within(slots) => self.overwrite_slots(&*file, slots),
                    _ => self.overwrite(&*file, ROOT_BYTES.min(*bytes)),
                });
        }
        for (target, _) in keys.iter().chain(&rest) {
            self.take_away(site, target);
        }
        for dir in [
            site.dir.clone(),
            site.path(keyslots::DIR),
            site.path(inbox::DIR),
        ] {
            let _ = self.disk.sync_dir(&dir);
        }
    }

    /// Bytes of it that are to be overwritten.
    fn length(&self, target: &Target) -> u64 {
        if let Whose::Within(slots) = &target.whose {
            return (slots.len() * SLOT_LEN) as u64;
        }
        let opened = self.disk.open(&target.path, Access::Read);
        let bytes = opened.and_then(|file| file.len());
        bytes.unwrap_or(0).min(target.part.most_bytes())
    }

    /// Destroys one, and notes what came of it.
    fn take_away(&mut self, site: &Site, target: &Target) {
        let mut erased = self.erase(site, target);
        if erased
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::StorageFull)
        {
            // A file system that writes elsewhere needs room to overwrite.
            let _ = self.disk.unlink(&site.path("reserve"));
            erased = self.erase(site, target);
        }
        match erased {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let why = (target.part, error.to_string());
                self.failed.insert(target.path.clone(), why);
            }
        }
    }

    fn erase(&mut self, site: &Site, target: &Target) -> io::Result<()> {
        match &target.whose {
            Whose::Own => self.erase_own(target.part, &target.path),
            whose => {
                let then = self.erase_copy(site, target.part, &target.path, whose)?;
                let (path, what) = (target.path.display(), target.part.copied());
                self.copies
                    .push(format!("{path}: a copy of {what}: {then}"));
                Ok(())
            }
        }
    }

    /// Overwrites a copy under another name; what was done with the file.
    fn erase_copy(
        &mut self,
        site: &Site,
        part: Part,
        path: &Path,
        whose: &Whose,
    ) -> io::Result<&'static str> {
        let file = self.open(path)?;
        if let Whose::Within(slots) = whose {
            self.overwrite_slots(&*file, slots)?;
            self.within.insert(path.to_owned());
            return Ok(IN_PLACE);
        }
        self.overwrite(&*file, file.len()?.min(part.most_bytes()))?;
        if EMPTY.iter().any(|name| site.path(name) == path) {
            // Others may have it open.
            file.set_len(0)?;
            file.sync()?;
            return Ok(EMPTIED);
        }
        self.disk.unlink(path)?;
        Ok(REMOVED)
    }

    /// Overwrites a file and removes its name. Of a link only the name is removed.
    fn erase_own(&mut self, part: Part, path: &Path) -> io::Result<()> {
        if is_link(path) {
            let to = std::fs::read_link(path)?;
            self.disk.unlink(path)?;
            self.links.push((path.to_owned(), to));
            return Ok(());
        }
        let file = self.open(path)?;
        let length = file.len()?;
        let bytes = length.min(part.most_bytes());
        self.overwrite(&*file, bytes)?;
        self.disk.unlink(path)?;
        if length > bytes {
            self.behind.push((path.to_owned(), length - bytes));
        }
        let (files, all) = self.erased.entry(part).or_default();
        *files += 1;
        *all += bytes;
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        match self.disk.open(path, Access::Write) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.disk.make_private(path)?;
                self.disk.open(path, Access::Write)
            }
            answer => answer,
        }
    }

    /// Overwrites root slots in a file that holds other things too.
    fn overwrite_slots(&mut self, file: &dyn DiskFile, slots: &[u64]) -> io::Result<()> {
        look::overwrite_slots(file, slots, &mut |bytes| {
            self.done += bytes;
            (self.progress)(self.done, self.bytes.max(self.done));
        })
    }

    /// Goes on behind what can't be written: any lost part of a root slot kills it.
    fn overwrite(&mut self, file: &dyn DiskFile, bytes: u64) -> io::Result<()> {
        const PIECE: u64 = 256 * 1024;
        let mut noise = vec![0; PIECE.min(bytes) as usize];
        fill_noise(&mut noise).map_err(io::Error::other)?;
        let mut written = Ok(());
        let mut at = 0;
        while at < bytes {
            let piece = PIECE.min(bytes - at);
            let put = file.write_at(at, &noise[..piece as usize]);
            written = written.and(put);
            at += piece;
            self.done += piece;
            (self.progress)(self.done, self.bytes.max(self.done));
        }
        written.and(file.sync())
    }

    /// What is there in the end though nothing failed: it came back faster than it
    /// was destroyed, or lies where it can't be seen.
    pub(super) fn note_what_stays(&mut self, left: Found, copies: impl Iterator<Item = Target>) {
        let copies = copies.map(|target| (target.part, target.path));
        let back = left.files.into_iter().chain(copies).map(|(part, path)| {
            let why = "another process put it back to the end".to_owned();
            (part, path, why)
        });
        for (part, path, why) in back.chain(left.closed) {
            self.failed.entry(path).or_insert((part, why));
        }
    }

    pub(super) fn receipt(&self, dir: &Path) -> Receipt {
        let erased = self.erased.iter().map(|(part, (files, bytes))| {
            format!(
                "{files} {}: {bytes} bytes, overwritten and removed",
                part.name()
            )
        });
        let links = self.links.iter().map(|(path, to)| NotErased {
            what: "what a symbolic link led to".into(),
            where_: path.display().to_string(),
            why: format!(
                "links are not followed; the link was removed, it led to {}",
                to.display()
            ),
        });
        let behind = self.behind.iter().map(|(path, bytes)| NotErased {
            what: format!("{bytes} bytes behind the end of what a vault reads"),
            where_: path.display().to_string(),
            why: "they are no part of it; they were removed with the name, not overwritten".into(),
        });
        let failed = self.failed.iter().map(|(path, (part, why))| NotErased {
            what: format!("some of the {}", part.name()),
            where_: path.display().to_string(),
            why: why.clone(),
        });
        Receipt {
            shredded: Vec::new(),
            erased: erased.chain(self.copies.iter().cloned()).collect(),
            not_erased: failed.chain(links).chain(behind).collect(),
            backups_still_holding: Vec::new(),
            not_final: self.why_not_final(dir),
        }
    }

    /// A recording needs a root slot, a bag and a key slot to be opened: without all
    /// files of one of these kinds, what is left of the others opens nothing.
    fn why_not_final(&self, dir: &Path) -> Option<String> {
        let (path, (_, why)) = self.failed.iter().next()?;
        let some_left = |part| self.failed.values().any(|(failed, _)| *failed == part);
        let opens = [Part::Root, Part::Bag, Part::KeySlot]
            .into_iter()
            .all(some_left);
        let what = match opens {
            true => format!("the vault in {} may still open", dir.display()),
            false => "no recording opens any more, but not all could be overwritten".to_owned(),
        };
        Some(format!("{what}: {}: {why}", path.display()))
    }
}
