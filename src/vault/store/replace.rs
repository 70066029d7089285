//! A new store file in the place of the old one, and the old one overwritten.
//!
//! | the power is cut | the directory holds | who opens it next |
//! |---|---|---|
//! | while the new one is written | `store.redb`, a part of `.new` | removes the part |
//! | once the old one is renamed | `.old`, `.new` | gives `.old` its name back |
//! | once the new one is renamed | `store.redb`, `.old` | overwrites and removes `.old` |
//!
//! Each name is durable before the next one changes, so the old file is never
//! nameless before it is overwritten, and there is always one that is whole.
//!
//! A repair may keep the old file: it is then called `.aside` instead of `.old` from
//! the first step on, and stays until a later repair has read all of it and finds nothing in
//! it that is missing. That one renames it to `.old`, so that it is overwritten whatever comes.

use std::io;
use std::path::{Path, PathBuf};

use super::{ASIDE_FILE, Changes, NEW_FILE, Store};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Access};
use crate::vault::ground::lock::Lock;

pub(in crate::vault) const OLD_FILE: &str = "store.redb.old";

impl Store {
    /// Length of the file.
    pub(crate) fn bytes(&self, lock: &Lock) -> Result<u64> {
        let file = self.open_file(lock, Access::Read)?;
        file.len().map_err(Error::io("read", &self.path))
    }

    /// Writes a new file beside this one, from what `fill` puts into it. If that
    /// fails, nothing of it is left.
    pub(crate) fn write_beside(
        &self,
        lock: &Lock,
        fill: impl FnOnce(&Changes<'_>) -> Result<()>,
    ) -> Result<()> {
        let written = self.write_new(lock, fill);
        if written.is_err() {
            let _ = self.remove_new();
        }
        written
    }

    /// Puts the file that was written beside this one in its place. The old one
    /// is there until [`finish`](Self::finish).
    pub(crate) fn exchange(&self, lock: &Lock) -> Result<()> {
        self.exchange_for(lock, &self.old())
    }

    /// The same, but the old one gets a name under which nobody touches it: this one.
    pub(crate) fn exchange_aside(&self, lock: &Lock) -> Result<PathBuf> {
        let aside = self.aside(self.last_aside()? + 1);
        // By the new one's name it is known that this was cut short.
        self.sync_names()?;
        self.exchange_for(lock, &aside).map(|()| aside)
    }

    fn exchange_for(&self, lock: &Lock, old: &Path) -> Result<()> {
        let exchanged = self.rename_both(lock, old);
        if exchanged.is_err() && matches!(self.disk.exists(&self.path), Ok(true)) {
            let _ = self.remove_new();
        }
        exchanged
    }

    fn rename_both(&self, lock: &Lock, old: &Path) -> Result<()> {
        let new = self.dir.join(NEW_FILE);
        let rename = |from: &Path, to: &Path| {
            self.disk
                .rename(from, to)
                .map_err(Error::io("rename", from))?;
            self.sync_names()
        };
        let done = rename(&self.path, old).and_then(|()| rename(&new, &self.path));
        self.forget_flaw();
        if done.is_err() && matches!(self.disk.exists(&self.path), Ok(false)) {
            self.put_back(lock)?;
        }
        done
    }

    /// Gives the old file its name back, if it was renamed and nothing took its
    /// place; whether that was so.
    pub(super) fn put_back(&self, _lock: &Lock) -> Result<bool> {
        if self.rename_back(&self.old())? {
            return Ok(true);
        }
        let new = self.dir.join(NEW_FILE);
        match self
            .disk
            .exists(&new)
            .map_err(Error::io("look for", &new))?
        {
            // It was to be kept, and what was to take its place is still here.
            true => match self.last_aside()? {
                0 => Ok(false),
                last => self.rename_back(&self.aside(last)),
            },
            false => Ok(false),
        }
    }

    fn rename_back(&self, old: &Path) -> Result<bool> {
        match self.disk.rename(old, &self.path) {
            Ok(()) => self.sync_names().map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("rename", old)(error)),
        }
    }

    /// Overwrites and removes what a replacement left, this one's or one that
    /// was cut short. `progress` hears how many bytes are overwritten.
    pub(crate) fn finish(&self, lock: &Lock, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let old = self.old();
        match self.disk.exists(&old) {
            Ok(false) => return self.remove_new(),
            found => found.map_err(Error::io("look for", &old))?,
        };
        // Not before the one in its place has shown that it opens.
        self.read(lock, |store| store.begin()?.revision())?;
        // Who exchanged them may have been killed before their names were durable.
        self.sync_names()?;
        disk::overwrite_telling(&*self.disk, &old, progress)
            .map_err(Error::io("overwrite", &old))?;
        self.disk.unlink(&old).map_err(Error::io("remove", &old))?;
        self.sync_names()?;
        self.remove_new()
    }

    /// Keeps the old file of a replacement that was never finished: it gets a name
    /// under which nobody touches it, and that is answered.
    pub(crate) fn set_aside(&self) -> Result<Option<PathBuf>> {
        let (old, aside) = (self.old(), self.aside(self.last_aside()? + 1));
        match self.disk.rename(&old, &aside) {
            Ok(()) => self.sync_names().map(|()| Some(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("rename", &old)(error)),
        }
    }

    /// The files that were set aside, the earliest first.
    pub(crate) fn kept(&self) -> Result<Vec<PathBuf>> {
        let names = self.disk.list(&self.dir);
        let names = names.map_err(Error::io("list", &self.dir))?;
        let mut numbers: Vec<u32> = names.iter().filter_map(|name| aside_number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers
            .into_iter()
            .map(|number| self.aside(number))
            .collect())
    }

    /// Overwrites and removes a file that was set aside and is not needed any more. What is
    /// cut short then is finished as for the old file of a replacement.
    pub(crate) fn drop_kept(&self, lock: &Lock, path: &Path) -> Result<()> {
        // One that has the name still is overwritten first.
        self.finish(lock, &mut |_| ())?;
        self.disk
            .rename(path, &self.old())
            .map_err(Error::io("rename", path))?;
        // `finish` makes the name durable before it overwrites.
        self.finish(lock, &mut |_| ())
    }

    /// The highest number of a file that was set aside; 0 if there is none.
    fn last_aside(&self) -> Result<u32> {
        let names = self.disk.list(&self.dir);
        let names = names.map_err(Error::io("list", &self.dir))?;
        let numbers = names.iter().filter_map(|name| aside_number(name));
        Ok(numbers.max().unwrap_or(0))
    }

    fn aside(&self, number: u32) -> PathBuf {
        self.dir.join(match number {
            1 => ASIDE_FILE.to_owned(),
            _ => format!("{ASIDE_FILE}.{number}"),
        })
    }

    /// Removes a new file that did not come into its place. Nothing in it is
    /// older than what is in force.
    pub(super) fn remove_new(&self) -> Result<()> {
        let new = self.dir.join(NEW_FILE);
        if !self
            .disk
            .exists(&new)
            .map_err(Error::io("look for", &new))?
        {
            return Ok(());
        }
        // What was set aside is known by it, until it has its name back for good.
        self.sync_names()?;
        self.disk.unlink(&new).map_err(Error::io("remove", &new))
    }

    pub(super) fn old(&self) -> PathBuf {
        self.dir.join(OLD_FILE)
    }
}

/// The number of a store that was set aside, by its name.
pub(in crate::vault) fn aside_number(name: &str) -> Option<u32> {
    match name.strip_prefix(ASIDE_FILE)? {
        "" => Some(1),
        rest => rest
            .strip_prefix('.')?
            .parse()
            .ok()
            .filter(|number| *number > 1),
    }
}
