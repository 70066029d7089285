//! Refuses to make a vault where neither locks nor overwriting can be relied on.

use std::path::Path;

use super::medium::Medium;

/// The names of file systems that another machine or another program keeps.
const REMOTE: [&str; 7] = ["nfs", "cifs", "smb2", "ceph", "afs", "9p", "fuse"];

/// The name of the file system that `dir` is on, or would be made on, if it is
/// a network or FUSE file system.
pub(in crate::vault) fn remote(dir: &Path) -> Option<&'static str> {
    let absolute = std::path::absolute(dir).ok()?;
    let there = absolute.ancestors().find(|above| above.exists())?;
    let name = Medium::of(there).name;
    REMOTE.contains(&name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_not_there_yet_is_judged_by_the_one_above() {
        assert_eq!(
            remote(Path::new("/proc/self/not/there")),
            remote(Path::new("/proc"))
        );
    }
}
