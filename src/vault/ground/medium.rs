//! What lies below the vault: whether overwriting a file reaches its old bytes.
//!
//! Told from the file system's type and from how it is mounted. What a virtual disk
//! or a storage array does below that, nobody here can know.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::statfs;

use super::nocow::{self, Reach};
use crate::system::mounts::{self, Mount};

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
/// What was there before it was mounted stays below, whole, however often it is
/// overwritten above; which files those are nobody is told.
const LAYERED: Overwriting = LeavesOldBytes("a lower layer may keep a copy of the files");

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
            overwriting: LAYERED,
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
    /// The file system a directory lies on, as it is mounted.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        let medium = Self::by_type(dir);
        let Some(mount) = mounts::of_this_directory(dir) else {
            return medium;
        };
        let medium = medium.mounted(&mount, &options_of(&mount));
        let medium = match medium.name {
            "btrfs" => medium.asked(nocow::look(dir)),
            _ => medium,
        };
        match backing(&mount.source) {
            Some(image) => medium.in_image_on(Self::by_type(&image)),
            None => medium,
        }
    }

    fn by_type(dir: &Path) -> Self {
        // The type is a word of the machine's size; the magics have 32 bits.
        statfs(dir).map_or(Self::UNKNOWN, |stat| Self::of_type(stat.f_type as u32))
    }

    /// What is so for this mount, where the type alone leaves it open. `all` is what
    /// the file system itself says of its options, defaults among them.
    fn mounted(self, mount: &Mount, all: &str) -> Self {
        let overwriting = match self.name {
            "ext4" => {
                let said = all.lines().find_map(|line| line.strip_prefix("data="));
                match mount.option("data").or(said) {
                    Some("journal") => {
                        LeavesOldBytes("it is mounted with data=journal: its journal keeps copies")
                    }
                    Some(_) => InPlace,
                    // It says how it journals data, unless it has no journal.
                    None if !all.is_empty() => InPlace,
                    None => self.overwriting,
                }
            }
            _ => self.overwriting,
        };
        Self {
            overwriting,
            ..self
        }
    }

    /// The same on btrfs, where it was asked to overwrite this in place.
    fn asked(self, reach: Reach) -> Self {
        let overwriting = match reach {
            Reach::Nothing => self.overwriting,
            Reach::NewFiles => LeavesOldBytes(
                "this directory is marked to be overwritten in place, and files in it were made before",
            ),
            Reach::Everything => Depends(
                "it overwrites this directory's files in place unless a snapshot holds them",
            ),
        };
        Self {
            overwriting,
            ..self
        }
    }

    /// The same in an image file that lies on another file system.
    fn in_image_on(self, below: Self) -> Self {
        let overwriting = match below.overwriting {
            InPlace => self.overwriting,
            LeavesOldBytes(_) => LeavesOldBytes(
                "it lies in an image file, on a file system that writes changed bytes to a new place",
            ),
            Depends(_) | Overwriting::Unknown => match self.overwriting {
                InPlace => Depends("it lies in an image file; what is below it may keep old bytes"),
                other => other,
            },
        };
        Self {
            overwriting,
            ..self
        }
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

/// What ext4 says of its options, one a line; empty for others.
fn options_of(mount: &Mount) -> String {
    let device = mount.source.canonicalize();
    let name = device.as_deref().ok().and_then(Path::file_name);
    let said = name.map(|name| Path::new("/proc/fs/ext4").join(name).join("options"));
    said.and_then(|path| fs::read_to_string(path).ok())
        .unwrap_or_default()
}

/// The file behind a loop device.
fn backing(source: &Path) -> Option<PathBuf> {
    let name = source.file_name()?.to_str()?;
    let name = name.strip_prefix("loop").map(|_| name)?;
    let said = Path::new("/sys/block").join(name).join("loop/backing_file");
    fs::read_to_string(said).ok().map(|path| path.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(options: &[&str]) -> Mount {
        Mount {
            point: "/".into(),
            kind: String::new(),
            source: "/dev/sda1".into(),
            options: options.iter().map(|one| (*one).to_owned()).collect(),
        }
    }

    #[test]
    fn of_ext4_it_is_said_whether_its_journal_keeps_copies() {
        let ext4 = Medium::of_type(0xef53);
        let told = |options: &[&str], all: &str| ext4.mounted(&mount(options), all).overwriting;
        assert!(matches!(
            told(&["rw", "data=journal"], ""),
            LeavesOldBytes(_)
        ));
        assert!(matches!(
            told(&["rw"], "rw\ndata=journal\n"),
            LeavesOldBytes(_)
        ));
        assert_eq!(told(&["rw"], "rw\ndata=ordered\n"), InPlace);
        assert_eq!(told(&["rw"], "rw\ndiscard\n"), InPlace, "without a journal");
        assert!(matches!(told(&["rw"], ""), Depends(_)), "nothing is said");
    }

    #[test]
    fn of_an_overlay_it_is_never_said_that_it_overwrites_in_place() {
        let overlay = Medium::of_type(0x794c_7630);
        let layers: [&[&str]; 3] = [
            &[],
            &["upperdir=/dev/shm/u"],
            &["lowerdir=/l", "upperdir=/"],
        ];
        for options in layers {
            let told = overlay.mounted(&mount(options), "").overwriting;
            assert!(
                matches!(told, LeavesOldBytes(why) if why.contains("lower layer may keep a copy")),
                "{options:?}: {told:?}"
            );
        }
    }

    #[test]
    fn of_btrfs_it_is_the_files_that_count_and_not_what_their_directory_is_marked_with() {
        let btrfs = |reach| Medium::of_type(0x9123_683e).asked(reach).overwriting;
        assert!(matches!(btrfs(Reach::Nothing), LeavesOldBytes(_)));
        assert!(
            matches!(btrfs(Reach::NewFiles), LeavesOldBytes(why) if why.contains("made before"))
        );
        assert!(matches!(btrfs(Reach::Everything), Depends(_)));
    }

    #[test]
    fn of_an_image_it_is_what_is_below_that_counts() {
        let tmpfs = Medium::of_type(0x0102_1994);
        let image = |kind| tmpfs.in_image_on(Medium::of_type(kind)).overwriting;
        assert_eq!(image(0x3153_464a), InPlace);
        assert!(matches!(image(0x9123_683e), LeavesOldBytes(_)));
        assert!(matches!(image(0xef53), Depends(_)));
    }

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
