//! What a vault consists of, and what of it is there.

use std::io;
use std::path::{Path, PathBuf};

use crate::vault::ground::disk::Disk;
use crate::vault::inbox;
use crate::vault::keys::keyslots;
use crate::vault::keys::root::{SLOT_LEN, generation_of_bag_file};
use crate::vault::store;

/// The two slots of a root file; bags and key slots begin with what opens the rest of
/// them, which lies within as many bytes.
pub(super) const ROOT_BYTES: u64 = 2 * SLOT_LEN as u64;

/// Names of files that don't change while a vault lives.
const FIXED: [&str; 7] = [
    "root.a",
    "root.a.new",
    "root.b",
    "root.b.new",
    "reserve",
    store::FILE,
    "store.redb.new",
];

/// What a vault consists of, in the order in which it is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Root,
    Bag,
    KeySlot,
    Inbox,
    Reserve,
    Store,
}

impl Part {
    /// What a name in the vault's directory is.
    pub(super) fn of(name: &str) -> Option<Self> {
        let is = |stem: &str| {
            name.strip_prefix(stem)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match () {
            () if is("root.a") || is("root.b") => Some(Self::Root),
            () if generation_of_bag_file(name).is_some() => Some(Self::Bag),
            () if name == "reserve" => Some(Self::Reserve),
            () if is(store::FILE) => Some(Self::Store),
            () => None,
        }
    }

    /// Whether a recording needs one of them to be opened.
    pub(super) fn is_key(self) -> bool {
        matches!(self, Self::Root | Self::Bag | Self::KeySlot)
    }

    /// Up to where the vault reads such a file: what claims to be longer must not keep
    /// the others from their turn.
    pub(super) fn most_bytes(self) -> u64 {
        match self {
            Self::Root => ROOT_BYTES,
            Self::Bag | Self::KeySlot => 256 << 20,
            Self::Inbox | Self::Reserve | Self::Store => u64::MAX,
        }
    }

    /// What a copy of it under another name is a copy of.
    pub(super) fn copied(self) -> &'static str {
        match self {
            Self::Root => "the root",
            Self::Bag => "a bag of keys",
            Self::KeySlot => "a way in",
            Self::Inbox => "a recording",
            Self::Reserve => "the reserve",
            Self::Store => "the store",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Root => "root files, which hold the key to everything",
            Self::Bag => "copies of the bag of keys",
            Self::KeySlot => "key slots",
            Self::Inbox => "inbox files",
            Self::Reserve => "reserve",
            Self::Store => "store files",
        }
    }
}

/// A file that is to be destroyed, or some of it. Of a part, what is not the vault's by its
/// name goes first: it is known only while the vault's own is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) part: Part,
    pub(super) whose: Whose,
    pub(super) path: PathBuf,
}

/// What a file that is to be destroyed is by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// Something else, in which root slots begin at these bytes.
    Within(Vec<u64>),
    /// Something else, which is a copy and nothing more.
    Copy,
    /// The vault's.
    Own,
}

/// What is there of a vault.
#[derive(Default)]
pub(super) struct Found {
    /// Everything that has a name, in the order in which it is destroyed. Of a folder
    /// that is a symbolic link it is the link.
    pub(super) files: Vec<(Part, PathBuf)>,
    /// Folders that can't be listed, what they may hold, and why.
    pub(super) closed: Vec<(Part, PathBuf, String)>,
    /// That the vault's directory itself may not be looked into.
    pub(super) denied: Option<io::Error>,
}

impl Found {
    /// Every file of it, as something to be destroyed.
    pub(super) fn targets(self) -> impl Iterator<Item = Target> {
        self.files.into_iter().map(|(part, path)| Target {
            part,
            whose: Whose::Own,
            path,
        })
    }

    fn list(&mut self, disk: &dyn Disk, folder: &Path, part: Part) -> Vec<String> {
        match disk.list(folder) {
            Ok(names) => return names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let why = format!("it can't be listed: {error}");
                self.closed.push((part, folder.to_owned(), why));
                if part == Part::Bag && error.kind() == io::ErrorKind::PermissionDenied {
                    self.denied = Some(error);
                }
            }
        }
        Vec::new()
    }
}

pub(super) fn find(disk: &dyn Disk, dir: &Path) -> Found {
    let mut found = Found::default();
    let mut top = found.list(disk, dir, Part::Bag);
    if !found.closed.is_empty() {
        // What is always called the same is found all the same.
        let there = |name: &&str| disk.exists(&dir.join(name)).unwrap_or(false);
        top = FIXED.into_iter().filter(there).map(str::to_owned).collect();
    }
    let ours = |name: &String| Some((Part::of(name)?, dir.join(name)));
    found.files.extend(top.iter().filter_map(ours));
    for (folder, part) in [(keyslots::DIR, Part::KeySlot), (inbox::DIR, Part::Inbox)] {
        let folder = dir.join(folder);
        if is_link(&folder) {
            found.files.push((part, folder));
            continue;
        }
        let names = found.list(disk, &folder, part).into_iter();
        let ours = names.filter(|name| is_ours(part, name));
        found
            .files
            .extend(ours.map(|name| (part, folder.join(name))));
    }
    found.files.sort();
    found
}

/// Whether a name in one of the two folders is one that the vault gives.
pub(super) fn is_ours(part: Part, name: &str) -> bool {
    match part {
        Part::KeySlot => name.ends_with(".age"),
        _ => name.ends_with(".rec") || inbox::is_gone(name) || inbox::is_mark(name),
    }
}

pub(super) fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink())
}
