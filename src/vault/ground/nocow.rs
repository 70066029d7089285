//! Asks btrfs to overwrite a vault's files in place, as `chattr +C` does.
//!
//! It helps as far as it goes: a snapshot still keeps what it holds, and so does a
//! file that was there before: it takes the mark when it is made, or never, and root
//! files are made once. Where it can't be had nothing is lost by asking.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{IFlags, OFlags, ioctl_getflags, ioctl_setflags};

use super::medium::Medium;

/// Whether new files in a directory are overwritten in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum NoCow {
    /// They are.
    InForce,
    /// The file system does not do so.
    Refused,
    /// It is not asked for on this file system.
    NotNeeded,
}

/// Asks for it, for a directory in which no file has been made yet.
pub(in crate::vault) fn ask(dir: &Path) -> NoCow {
    match needs(&Medium::of(dir)) {
        true => set(dir),
        false => NoCow::NotNeeded,
    }
}

/// Only btrfs has it for directories, and needs it. A vault's own copies make up
/// for the checksums that btrfs gives up for such files.
fn needs(medium: &Medium) -> bool {
    medium.name == "btrfs"
}

/// How far it is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The directory is not marked.
    Nothing,
    /// Files that are made from now on are overwritten in place; some that are there
    /// are not.
    NewFiles,
    /// Everything in it is.
    Everything,
}

/// How far it is in force for a directory, the files in it, and the folders below it.
pub(super) fn look(dir: &Path) -> Reach {
    reach(dir, &is_marked)
}

fn reach(dir: &Path, is_marked: &dyn Fn(&Path) -> bool) -> Reach {
    match is_marked(dir) {
        false => Reach::Nothing,
        // What can't be looked at may be one that is not.
        true => match all_marked(dir, Below::Folders, is_marked) {
            Ok(true) => Reach::Everything,
            Ok(false) | Err(_) => Reach::NewFiles,
        },
    }
}

/// Whether folders are looked into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Folders,
    Nothing,
}

fn all_marked(dir: &Path, below: Below, is_marked: &dyn Fn(&Path) -> bool) -> io::Result<bool> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, facts) = (entry.path(), entry.metadata()?);
        let is_good = match facts.is_dir() {
            true if below == Below::Folders => {
                is_marked(&path) && all_marked(&path, Below::Nothing, is_marked)?
            }
            true => true,
            // What is only locked holds nothing, and never will.
            false => !facts.is_file() || facts.len() == 0 || is_marked(&path),
        };
        if !is_good {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a directory or a file carries the mark.
fn is_marked(path: &Path) -> bool {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits() as i32);
    let flags = options
        .open(path)
        .and_then(|file| Ok(ioctl_getflags(&file)?));
    flags.is_ok_and(|flags| flags.contains(IFlags::NOCOW))
}

fn set(dir: &Path) -> NoCow {
    let set = File::open(dir).and_then(|dir| {
        let flags = ioctl_getflags(&dir)?;
        Ok(ioctl_setflags(&dir, flags | IFlags::NOCOW)?)
    });
    match set {
        Ok(()) if is_marked(dir) => NoCow::InForce,
        _ => NoCow::Refused,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::vault::ground::medium::Overwriting;

    #[test]
    fn it_is_asked_for_on_btrfs_and_nowhere_else() {
        let medium = |name| Medium {
            name,
            overwriting: Overwriting::Unknown,
        };
        assert!(needs(&medium("btrfs")));
        for name in ["ext4", "xfs", "tmpfs", "overlay", "unknown"] {
            assert!(!needs(&medium(name)), "{name}");
        }
    }

    #[test]
    fn where_it_is_refused_the_directory_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let set = set(dir.path());
        assert_eq!(set == NoCow::InForce, is_marked(dir.path()));
        fs::write(dir.path().join("file"), "x").unwrap();
        assert_eq!(fs::read(dir.path().join("file")).unwrap(), b"x");
        assert_eq!(ask(Path::new("/not/there")), NoCow::NotNeeded);
    }

    #[test]
    fn a_mark_on_the_directory_says_nothing_of_the_files_that_were_there_before() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("keys")).unwrap();
        for name in ["root.a", "root.b", "keys/passphrase.age"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::write(dir.path().join("lock"), "").unwrap();
        let marked = |names: &[&str]| {
            reach(dir.path(), &|path: &Path| {
                let name = path.strip_prefix(dir.path()).unwrap();
                names.contains(&name.to_str().unwrap())
            })
        };
        let all = ["", "root.a", "root.b", "keys", "keys/passphrase.age"];
        assert_eq!(marked(&all), Reach::Everything);
        assert_eq!(marked(&all[..1]), Reach::NewFiles);
        for one in 1..all.len() {
            let but_one: Vec<&str> = all
                .iter()
                .copied()
                .filter(|name| *name != all[one])
                .collect();
            assert_eq!(marked(&but_one), Reach::NewFiles, "{}", all[one]);
        }
        assert_eq!(marked(&all[1..]), Reach::Nothing);
    }
}
