//! Writes a segment: tar into age, file after file, and the manifest behind them.
//!
//! Nothing is kept but the hashes: a segment is written as it comes, so memory does
//! not grow with it, and what it is written to need not be a file.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use age::stream::StreamWriter;
use age::{EncryptError, Encryptor, Recipient};
use sha2::{Digest, Sha256};

use crate::backup::error::{Error, Result};
use crate::backup::layout::Member;
use crate::backup::manifest::FileEntry;
use crate::backup::segment::MOST_HEADER_BYTES;
use crate::backup::written::{Digits, Hash};
use crate::recording::Moment;

/// Tar has everything in blocks of this length, and ends with two of zeros.
const BLOCK: usize = 512;

/// A segment that is being written.
pub(super) struct SegmentWriter<W: Write> {
    sealing: StreamWriter<Counted<W>>,
    which: String,
    /// What the system answered when something could not be written: age tells it in
    /// words only.
    failed: Rc<Cell<Option<i32>>>,
    /// Bytes of tar so far.
    plain_bytes: u64,
    files: Vec<FileEntry>,
    current: Option<Current>,
}

struct Current {
    member: Member,
    bytes: u64,
    left: u64,
    hash: Sha256,
}

/// A segment that was written.
pub(super) struct Written<W> {
    /// What it was written to.
    pub to: W,
    /// The hash of all that was written there.
    pub hash: Hash,
    /// And how much that was.
    pub bytes: u64,
}

impl<W: Write> SegmentWriter<W> {
    /// Writes the header, for these recipients. `which` names the segment in what is
    /// said of it.
    ///
    /// # Errors
    /// [`Error::Recipients`] if they can't be sealed to, or are too many.
    pub(super) fn begin<'r>(
        which: &str,
        to: W,
        recipients: impl Iterator<Item = &'r dyn Recipient>,
    ) -> Result<Self> {
        let failed = Rc::new(Cell::new(None));
        let refused = |error: EncryptError| match error {
            EncryptError::Io(source) => unwritable(which, &failed, source),
            other => Error::Recipients {
                why: other.to_string().replace('\n', " "),
            },
        };
        let encryptor = Encryptor::with_recipients(recipients).map_err(refused)?;
        let counted = Counted {
            to,
            hash: Sha256::new(),
            bytes: 0,
            failed: Rc::clone(&failed),
        };
        let sealing = encryptor
            .wrap_output(counted)
            .map_err(|error| unwritable(which, &failed, error))?;
        Ok(Self {
            sealing,
            which: which.to_owned(),
            failed,
            plain_bytes: 0,
            files: Vec::new(),
            current: None,
        })
    }

    /// How much tar there is so far.
    pub(super) fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// Writes a whole file.
    pub(super) fn file(&mut self, member: Member, bytes: &[u8], at: Moment) -> Result<()> {
        self.begin_file(member, bytes.len() as u64, at)?;
        self.push(bytes)?;
        self.end_file()
    }

    /// Begins a file that will have so many bytes.
    pub(super) fn begin_file(&mut self, member: Member, bytes: u64, at: Moment) -> Result<()> {
        let header = self.header(member, bytes, at)?;
        self.write(&header)?;
        self.current = Some(Current {
            member,
            bytes,
            left: bytes,
            hash: Sha256::new(),
        });
        Ok(())
    }

    /// Writes on in the file that was begun.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let which = &self.which;
        let wrong = || Error::damaged(which, "a file would have another length than was said");
        let current = self.current.as_mut().ok_or_else(wrong)?;
        current.left = current
            .left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(wrong)?;
        current.hash.update(bytes);
        self.write(bytes)
    }

    /// Ends it.
    pub(super) fn end_file(&mut self) -> Result<()> {
        let which = &self.which;
        let wrong = || Error::damaged(which, "a file would have another length than was said");
        let current = self.current.take().filter(|current| current.left == 0);
        let current = current.ok_or_else(wrong)?;
        self.pad(current.bytes)?;
        if current.member != Member::Manifest {
            self.files.push(FileEntry {
                path: current.member.to_string(),
                bytes: current.bytes,
                sha256: Digits(current.hash.finalize().into()),
            });
        }
        Ok(())
    }

    /// Writes the manifest, which `sign` makes of the files that were written, and
    /// seals the end.
    pub(super) fn finish(
        mut self,
        at: Moment,
        sign: impl FnOnce(Vec<FileEntry>) -> Result<Vec<u8>>,
    ) -> Result<Written<W>> {
        let manifest = sign(std::mem::take(&mut self.files))?;
        self.file(Member::Manifest, &manifest, at)?;
        self.write(&[0; 2 * BLOCK])?;
        let unwritable = |error| unwritable(&self.which, &self.failed, error);
        let mut counted = self.sealing.finish().map_err(unwritable)?;
        counted.to.flush().map_err(unwritable)?;
        Ok(Written {
            to: counted.to,
            hash: Digits(counted.hash.finalize().into()),
            bytes: counted.bytes,
        })
    }

    /// Plain `ustar`, which every tar reads. No name, no owner, no program.
    fn header(&self, member: Member, bytes: u64, at: Moment) -> Result<[u8; BLOCK]> {
        let mut header = tar::Header::new_ustar();
        header
            .set_path(member.to_string())
            .map_err(|error| Error::damaged(&self.which, error))?;
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        // Tar knows no time before 1970.
        header.set_mtime(u64::try_from(at.unix_ms.div_euclid(1000)).unwrap_or(0));
        header.set_cksum();
        Ok(*header.as_bytes())
    }

    fn pad(&mut self, bytes: u64) -> Result<()> {
        let behind = (bytes % BLOCK as u64) as usize;
        match behind {
            0 => Ok(()),
            behind => self.write(&[0; BLOCK][behind..]),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.plain_bytes += bytes.len() as u64;
        self.sealing
            .write_all(bytes)
            .map_err(|error| unwritable(&self.which, &self.failed, error))
    }
}

/// What could not be written, with the number that the system gave for why.
fn unwritable(which: &str, failed: &Cell<Option<i32>>, error: io::Error) -> Error {
    let error = failed.get().map_or(error, io::Error::from_raw_os_error);
    Error::io("write", which.as_ref())(error)
}

/// Whether so many recipients fit before a header gets longer than is read back.
///
/// # Errors
/// [`Error::Recipients`] if not, or if they can't be sealed to at all.
pub(super) fn check<'r>(recipients: impl Iterator<Item = &'r dyn Recipient>) -> Result<()> {
    let sealing = SegmentWriter::begin("a segment", io::sink(), recipients)?;
    let counted = sealing
        .sealing
        .finish()
        .map_err(Error::io("write", "a segment".as_ref()))?;
    match counted.bytes <= MOST_HEADER_BYTES as u64 {
        true => Ok(()),
        false => Err(Error::Recipients {
            why: "they are too many".into(),
        }),
    }
}

/// Hashes and counts what is written to it.
struct Counted<W> {
    to: W,
    hash: Sha256,
    bytes: u64,
    failed: Rc<Cell<Option<i32>>>,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to
            .write_all(bytes)
            .inspect_err(|error| self.failed.set(error.raw_os_error()))?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// One recipient as age takes several.
pub(super) fn each(
    recipients: &[Box<dyn Recipient + Send>],
) -> impl Iterator<Item = &dyn Recipient> {
    recipients
        .iter()
        .map(|recipient| &**recipient as &dyn Recipient)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::{Cursor, Read};
    use std::iter;

    use super::*;
    use crate::backup::manifest::{FORMAT, Manifest};
    use crate::backup::segment;
    use crate::crypto::{SigningSeed, VaultId};
    use crate::recording::RecordingId;

    const AT: Moment = Moment {
        unix_ms: 1_795_335_120_042,
        offset_s: 3600,
    };

    fn written(identity: &age::x25519::Identity, audio: &[u8]) -> Written<Vec<u8>> {
        let recipient = identity.to_public();
        let id = RecordingId::from_bytes([7; 16]);
        let one = iter::once(&recipient as &dyn Recipient);
        let mut writer = SegmentWriter::begin("0001.tar.age", Vec::new(), one).unwrap();
        writer.file(Member::Meta(id), b"{}", AT).unwrap();
        writer
            .begin_file(Member::Audio(id), audio.len() as u64, AT)
            .unwrap();
        audio
            .chunks(999)
            .for_each(|piece| writer.push(piece).unwrap());
        writer.end_file().unwrap();
        writer.file(Member::Text(id), b"", AT).unwrap();
        let seed = SigningSeed::generate().unwrap();
        writer
            .finish(AT, |files| {
                let manifest = Manifest {
                    format: FORMAT,
                    vault: VaultId::from_bytes([1; 16]),
                    backup: Digits([2; 16]),
                    generation: 3,
                    log: None,
                    made_at: AT,
                    segment: 1,
                    before: None,
                    files,
                    recordings: Vec::new(),
                    stretches: Vec::new(),
                    dropped: Vec::new(),
                    tombstones: Vec::new(),
                    lacking: Vec::new(),
                };
                manifest.sign(&seed)
            })
            .unwrap()
    }

    #[test]
    fn a_segment_is_a_tar_whose_manifest_can_be_read_alone() {
        let identity = age::x25519::Identity::generate();
        for length in [0, 1, 511, 512, 513, 300_000] {
            let audio: Vec<u8> = (0..length).map(|at: u32| at as u8).collect();
            let sealed = written(&identity, &audio);
            assert_eq!(sealed.hash, Hash::of(&sealed.to));
            assert_eq!(sealed.bytes, sealed.to.len() as u64);
            let one = || iter::once(&identity as &dyn age::Identity);
            let signed = segment::manifest("0001", Cursor::new(&sealed.to), one()).unwrap();
            let files = &signed.manifest.files;
            assert_eq!(files.len(), 3);
            assert_eq!(files[1].sha256, Hash::of(&audio));
            let plain = segment::open("0001", &*sealed.to, one()).unwrap();
            let mut archive = tar::Archive::new(plain);
            let mut found = Vec::new();
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                let mut body = Vec::new();
                entry.read_to_end(&mut body).unwrap();
                assert_eq!(entry.header().mode().unwrap(), 0o600);
                found.push((path, body.len()));
            }
            assert_eq!(found.len(), 4);
            assert_eq!(found[1].1, audio.len());
            assert_eq!(found[3].0, "MANIFEST.json");
        }
    }

    #[test]
    fn a_file_of_another_length_than_was_said_is_refused() {
        let identity = age::x25519::Identity::generate().to_public();
        let one = iter::once(&identity as &dyn Recipient);
        let mut writer = SegmentWriter::begin("0001", Vec::new(), one).unwrap();
        writer.begin_file(Member::Manifest, 3, AT).unwrap();
        assert!(writer.push(b"four").is_err());
        writer.push(b"tw").unwrap();
        assert!(writer.end_file().is_err());
    }

    #[test]
    fn a_segment_that_is_cut_off_or_of_another_key_is_refused() {
        let identity = age::x25519::Identity::generate();
        let sealed = written(&identity, &[5; 200_000]).to;
        let one = || iter::once(&identity as &dyn age::Identity);
        for cut in [0, 10, 400, sealed.len() / 2, sealed.len() - 1] {
            let cut = Cursor::new(&sealed[..cut]);
            assert!(segment::manifest("0001", cut, one()).is_err());
        }
        let other = age::x25519::Identity::generate();
        assert!(matches!(
            segment::manifest(
                "0001",
                Cursor::new(&sealed),
                iter::once(&other as &dyn age::Identity)
            ),
            Err(Error::Locked { .. })
        ));
    }

    #[test]
    fn more_recipients_than_can_be_read_back_are_refused() {
        let many: Vec<Box<dyn Recipient + Send>> = (0..300)
            .map(|_| {
                let one = age::x25519::Identity::generate().to_public();
                Box::new(one) as Box<dyn Recipient + Send>
            })
            .collect();
        check(each(&many[..20])).unwrap();
        assert!(matches!(check(each(&many)), Err(Error::Recipients { .. })));
    }
}
