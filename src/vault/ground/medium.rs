//! What lies below the vault: whether overwriting a file reaches its old bytes.
//!
//! Told from the file system's type. What a virtual disk or a storage array does
//! below that, nobody here can know.

use std::path::Path;

use rustix::fs::{statfs, statvfs};

/// A file system, as far as erasing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Medium {
    /// Its name, as mount(8) shows it.
    pub name: &'static str,
    /// What overwriting a file does there.
    pub overwriting: Overwriting,
}

/// What overwriting a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwriting {
    /// New bytes take the place of old ones, as far as the file system goes.
    InPlace,
    /// Only if it is mounted or made without what keeps old bytes.
    Depends(&'static str),
    /// Old bytes stay elsewhere until something else takes their place.
    LeavesOldBytes(&'static str),
    /// Nothing is known about it.
    Unknown,
}

use Overwriting::{Depends, InPlace, LeavesOldBytes};

const NETWORK: Overwriting = LeavesOldBytes("another machine keeps the bytes");
const COPY_ON_WRITE: Overwriting = LeavesOldBytes("it writes changed bytes to a new place");
const LOG_STRUCTURED: Overwriting = LeavesOldBytes("it writes every change to a new place");

/// Types from linux/magic.h, and those of ZFS and bcachefs from their sources.
const KNOWN: &[(u32, Medium)] = &[
    (
        0x9123_683e,
        Medium {
            name: "btrfs",
            overwriting: COPY_ON_WRITE,
        },
    ),
    (
        0x2fc1_2fc1,
        Medium {
            name: "zfs",
            overwriting: COPY_ON_WRITE,
        },
    ),
    (
        0xca45_1a4e,
        Medium {
            name: "bcachefs",
            overwriting: COPY_ON_WRITE,
        },
    ),
    (
        0xf2f5_2010,
        Medium {
            name: "f2fs",
            overwriting: LOG_STRUCTURED,
        },
    ),
    (
        0x3434,
        Medium {
            name: "nilfs2",
            overwriting: LOG_STRUCTURED,
        },
    ),
    (
        0x794c_7630,
        Medium {
            name: "overlay",
            overwriting: Depends("the layer below may keep a copy"),
        },
    ),
    (
        0x6969,
        Medium {
            name: "nfs",
            overwriting: NETWORK,
        },
    ),
    (
        0xff53_4d42,
        Medium {
            name: "cifs",
            overwriting: NETWORK,
        },
    ),
    (
        0xfe53_4d42,
        Medium {
            name: "smb2",
            overwriting: NETWORK,
        },
    ),
    (
        0x00c3_6400,
        Medium {
            name: "ceph",
            overwriting: NETWORK,
        },
    ),
    (
        0x5346_414f,
        Medium {
            name: "afs",
            overwriting: NETWORK,
        },
    ),
    (
        0x0102_1997,
        Medium {
            name: "9p",
            overwriting: NETWORK,
        },
    ),
    (
        0x6573_5546,
        Medium {
            name: "fuse",
            overwriting: LeavesOldBytes("a program decides where bytes go"),
        },
    ),
    (
        0xef53,
        Medium {
            name: "ext4",
            overwriting: Depends("if it is mounted with data=journal, the journal keeps copies"),
        },
    ),
    (
        0x5846_5342,
        Medium {
            name: "xfs",
            overwriting: Depends("blocks shared by reflink are kept"),
        },
    ),
    (
        0x3153_464a,
        Medium {
            name: "jfs",
            overwriting: InPlace,
        },
    ),
    (
        0x4d44,
        Medium {
            name: "vfat",
            overwriting: InPlace,
        },
    ),
    (
        0x2011_bab0,
        Medium {
            name: "exfat",
            overwriting: InPlace,
        },
    ),
    (
        0x0102_1994,
        Medium {
            name: "tmpfs",
            overwriting: InPlace,
        },
    ),
];

impl Medium {
    /// The file system a directory lies on.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        // The type is a word of the machine's size; the magics have 32 bits.
        statfs(dir).map_or(Self::UNKNOWN, |stat| Self::of_type(stat.f_type as u32))
    }

    const UNKNOWN: Self = Self {
        name: "unknown",
        overwriting: Overwriting::Unknown,
    };

    fn of_type(kind: u32) -> Self {
        KNOWN
            .iter()
            .find(|(magic, _)| *magic == kind)
            .map_or(Self::UNKNOWN, |(_, medium)| *medium)
    }
}

/// Bytes that this user can still write to the file system a directory lies on;
/// `None` where that is not known.
#[must_use]
pub fn free_bytes(dir: &Path) -> Option<u64> {
    let stat = statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_that_keep_old_bytes_are_told_from_those_that_do_not() {
        assert!(matches!(
            Medium::of_type(0x9123_683e).overwriting,
            LeavesOldBytes(_)
        ));
        assert!(matches!(Medium::of_type(0xef53).overwriting, Depends(_)));
        assert_eq!(Medium::of_type(0x0102_1994).overwriting, InPlace);
        assert_eq!(Medium::of_type(0x1234).overwriting, Overwriting::Unknown);
    }

    #[test]
    fn a_directory_that_is_not_there_is_on_an_unknown_file_system() {
        assert_eq!(Medium::of(Path::new("")).name, "unknown");
    }
}
