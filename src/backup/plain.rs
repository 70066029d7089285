//! Opens a file of a backup, where it is a plain file and nothing else.
//!
//! Whoever can write to the folder can put a pipe there, which would be waited for without
//! end, or a device, which would be read without one. Every file of a backup is opened
//! here.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::{Error, Result};

/// What is said of a pipe, a device, a folder where a file should be.
pub(super) const NO_FILE: &str = "it is no plain file";

/// Opens it to be read, without waiting for anybody. A link to a plain file is one.
///
/// # Errors
/// [`Error::Damaged`] if something else lies there, which is not read; [`Error::Io`] if it
/// can't be opened.
pub fn open(which: &str, path: &Path) -> Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        // A socket can't be opened, nor a device that is not there.
        Some(code) if code == Errno::NXIO.raw_os_error() => Error::damaged(which, NO_FILE),
        _ => Error::io("open", path)(error),
    })?;
    // Of what was opened, and not of what the name stood for before.
    let found = file.metadata().map_err(Error::io("read", path))?;
    match found.is_file() {
        true => Ok(file),
        false => Err(Error::damaged(which, NO_FILE)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn what_is_no_plain_file_is_refused_at_once_and_a_link_to_one_is_opened() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        fs::create_dir(at("folder")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        symlink("/dev/zero", at("endless")).unwrap();
        symlink(at("pipe"), at("link to the pipe")).unwrap();
        for name in ["pipe", "folder", "socket", "endless", "link to the pipe"] {
            let refused = open(name, &at(name));
            let is_said = matches!(&refused, Err(Error::Damaged { why, .. }) if why == NO_FILE);
            assert!(is_said, "{name}: {refused:?}");
        }
        fs::write(at("file"), "sealed").unwrap();
        symlink(at("file"), at("link")).unwrap();
        for name in ["file", "link"] {
            let text = std::io::read_to_string(open(name, &at(name)).unwrap()).unwrap();
            assert_eq!(text, "sealed");
        }
        let missing = open("nothing", &at("nothing"));
        assert!(matches!(missing, Err(Error::Io { .. })), "{missing:?}");
    }
}
