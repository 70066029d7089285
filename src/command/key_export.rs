//! Writes copies of the ways in: what a backup that went elsewhere as a stream needs
//! beside it. They are sealed, so this works while locked.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Context;
use super::export::{Existing, beside};
use crate::backup::layout::slot_name;
use crate::error::{Exit, Failure};
use crate::vault::SlotFile;

/// Where copies go.
pub enum Target<'a> {
    /// Into a folder, by the names of the slots.
    Folder(PathBuf),
    /// Into a file; one only.
    File(PathBuf),
    /// Out of a stream; one only.
    Stream(&'a mut dyn Write),
}

/// What to write.
pub struct Args<'a> {
    /// The way in; all of them otherwise.
    pub name: Option<String>,
    /// Where to.
    pub to: Target<'a>,
    /// What to do where a file stands already.
    pub existing: Existing,
}

/// Writes them; the files.
///
/// # Errors
/// When there is no such way in, several are to go into one file, a file stands in the
/// way, or it can't be written.
pub fn run(context: &Context, args: Args<'_>) -> Result<Vec<PathBuf>, Failure> {
    let mut slots = context.vault()?.slot_files()?;
    if let Some(name) = &args.name {
        slots.retain(|slot| slot.name == *name);
        if slots.is_empty() {
            let why = "the vault has no way in of that name";
            return Err(Failure::new(Exit::NotFound, "can't export the key", why).about(name));
        }
    }
    match args.to {
        Target::Folder(folder) => {
            fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
            let path = |slot: &SlotFile| folder.join(slot_name(&slot.name));
            // All of them or none, where one stands in the way.
            for slot in &slots {
                may_put(&path(slot), args.existing)?;
            }
            let write = |slot: &SlotFile| {
                let path = path(slot);
                put(&path, &slot.sealed, args.existing).map(|()| path)
            };
            slots.iter().map(write).collect()
        }
        Target::File(path) => {
            put(&path, &only(slots)?.sealed, args.existing)?;
            Ok(vec![path])
        }
        Target::Stream(out) => {
            out.write_all(&only(slots)?.sealed)
                .map_err(|error| Failure::of_output("can't write the key", &error))?;
            Ok(Vec::new())
        }
    }
}

fn only(mut slots: Vec<SlotFile>) -> Result<SlotFile, Failure> {
    let names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
    let why = format!("there are several ways in: {}", names.join(", "));
    match slots.pop() {
        Some(slot) if slots.is_empty() => Ok(slot),
        _ => Err(Failure::new(Exit::Usage, "can't export the key", why)
            .hint("name one, or a folder that is there with -o DIR")),
    }
}

/// Whether nothing stands in the way.
fn may_put(path: &Path, existing: Existing) -> Result<(), Failure> {
    if existing == Existing::Replace || path.symlink_metadata().is_err() {
        return Ok(());
    }
    let why = "a file of that name is there";
    Err(Failure::new(Exit::Failed, "can't export the key", why)
        .about(path.display())
        .hint("--force replaces it"))
}

/// Writes a file whole or not at all.
fn put(path: &Path, sealed: &[u8], existing: Existing) -> Result<(), Failure> {
    may_put(path, existing)?;
    let part = beside(path, ".part");
    let written = || {
        // What a killed export left is in the way.
        let _ = fs::remove_file(&part);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(sealed)?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    written().map_err(|error| {
        // Best effort: the message is about the first failure.
        let _ = fs::remove_file(&part);
        unwritable(path, &error)
    })
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::of_output("can't write the key", error).about(path.display())
}
