//! Asks btrfs to overwrite a vault's files in place, as `chattr +C` does.
//!
//! It helps as far as it goes: a snapshot still keeps what it holds, and so does a
//! file that was there before. Where it can't be had nothing is lost by asking.

use std::fs::File;
use std::path::Path;

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

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

/// Whether it is in force for a directory.
pub(in crate::vault) fn is_in_force(dir: &Path) -> bool {
    let flags = File::open(dir).and_then(|dir| Ok(ioctl_getflags(&dir)?));
    flags.is_ok_and(|flags| flags.contains(IFlags::NOCOW))
}

fn set(dir: &Path) -> NoCow {
    let set = File::open(dir).and_then(|dir| {
        let flags = ioctl_getflags(&dir)?;
        Ok(ioctl_setflags(&dir, flags | IFlags::NOCOW)?)
    });
    match set {
        Ok(()) if is_in_force(dir) => NoCow::InForce,
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
        assert_eq!(set == NoCow::InForce, is_in_force(dir.path()));
        std::fs::write(dir.path().join("file"), "x").unwrap();
        assert_eq!(std::fs::read(dir.path().join("file")).unwrap(), b"x");
        assert_eq!(ask(Path::new("/not/there")), NoCow::NotNeeded);
    }
}
