//! What is mounted where, and how: `/proc/self/mountinfo`.

use std::fs;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// The name of its file system, such as `ext4`.
    pub kind: String,
    /// What is mounted: a device, or what its file system calls it.
    pub source: PathBuf,
    /// The options of this mount and of its file system, as `name` or `name=value`.
    pub options: Vec<String>,
}

impl Mount {
    /// The value of an option; empty for one that has none.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find_map(|option| {
            let (found, value) = option.split_once('=').unwrap_or((option, ""));
            (found == name).then_some(value)
        })
    }
}

/// The mount that a directory lies on, where that can be told.
#[must_use]
pub fn of_this_directory(dir: &Path) -> Option<Mount> {
    let dir = dir.canonicalize().ok()?;
    let text = fs::read_to_string("/proc/self/mountinfo").ok()?;
    covering(parse(&text), &dir)
}

/// The mount that covers a path: the deepest one, and of several on one place the
/// last, which hides the others.
#[must_use]
pub fn covering(mounts: Vec<Mount>, path: &Path) -> Option<Mount> {
    let above = mounts
        .into_iter()
        .filter(|mount| path.starts_with(&mount.point));
    // `max_by_key` answers with the last of equals.
    above.max_by_key(|mount| mount.point.components().count())
}

/// Reads the text of a mountinfo; a line that is of another form is passed over.
#[must_use]
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(line).collect()
}

/// `36 35 98:0 /root /point options optional… - kind source options`
fn line(text: &str) -> Option<Mount> {
    let (front, back) = text.split_once(" - ")?;
    let mut front = front.split(' ').skip(4);
    let (point, own) = (front.next()?, front.next()?);
    let mut back = back.split(' ');
    let (kind, source) = (back.next()?, back.next()?);
    let of_all = back.next().unwrap_or_default();
    let options = own.split(',').chain(of_all.split(','));
    Some(Mount {
        point: unescaped(point).into(),
        kind: kind.to_owned(),
        source: unescaped(source).into(),
        options: options
            .filter(|one| !one.is_empty())
            .map(unescaped)
            .collect(),
    })
}

/// The kernel writes blanks, tabs, newlines and backslashes as `\040` and so on.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4);
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(byte) => {
                plain.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            None => {
                plain.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    const TEXT: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resuid=65534
40 27 0:35 / /home rw,nosuid shared:1 - btrfs /dev/sdb1 rw,ssd,subvol=/@home
41 40 0:36 / /home/a\\040b rw - overlay overlay rw,lowerdir=/l,upperdir=/u\\054x,workdir=/w
42 40 0:37 / /home/twice rw - tmpfs first rw
43 40 0:38 / /home/twice rw - xfs second rw
nonsense
";

    #[test]
    fn the_deepest_mount_covers_a_path_and_the_last_of_two_hides_the_first() {
        let kind = |path: &str| covering(parse(TEXT), Path::new(path)).unwrap().kind;
        assert_eq!(kind("/srv/vault"), "ext4");
        assert_eq!(kind("/home/vault"), "btrfs");
        assert_eq!(kind("/homes/vault"), "ext4");
        assert_eq!(kind("/home/a b/vault"), "overlay");
        assert_eq!(kind("/home/twice/vault"), "xfs");
        assert!(covering(parse("nonsense"), Path::new("/")).is_none());
    }

    #[test]
    fn options_of_the_mount_and_of_the_file_system_are_both_found() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 5);
        assert_eq!(mounts[0].option("discard"), Some(""));
        assert_eq!(mounts[0].option("data"), None);
        assert_eq!(mounts[1].option("nosuid"), Some(""));
        assert_eq!(mounts[2].option("upperdir"), Some("/u,x"));
    }
}
