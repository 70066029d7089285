//! One segment, from its first byte to its last: does it unseal, is it a tar of a
//! backup, and is it what its manifest says?

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::cost::{self, Cost};
use super::{Damage, Kind};
use crate::backup::error::{Error, Result};
use crate::backup::layout::{MANIFEST, Member};
use crate::backup::manifest::{Entry, FileEntry, Manifest, Signed, SoundAt};
use crate::backup::meta::Meta;
use crate::backup::plain;
use crate::backup::read::trouble::trouble;
use crate::backup::read::{Keys, SegmentFile, Trust, walk};
use crate::backup::segment;
use crate::backup::written::{Digits, Hash};
use crate::recording::RecordingId;

/// A longer card is read only once the manifest is believed: whoever knows the recipient
/// can seal one that takes many times its length in memory.
const MOST_UNBELIEVED_BYTES: u64 = 4 << 20;

/// What came of a segment.
pub(super) struct Checked {
    pub(super) which: String,
    /// Its number by its name; `None` for a file that is read alone.
    pub(super) number: Option<u32>,
    pub(super) bytes: u64,
    pub(super) files: u64,
    pub(super) hash: Hash,
    /// What it says of itself, without its files, if that can be believed.
    pub(super) signed: Option<Signed>,
    pub(super) damage: Vec<Damage>,
    /// What of it can't be read, where it could not be walked to its end and its manifest
    /// says what it holds.
    pub(super) costs: Option<Vec<Cost>>,
}

/// Reads a segment. `advance` hears of bytes that were read.
pub(super) fn check(
    file: &SegmentFile,
    keys: &Keys<'_>,
    trust: &Trust,
    advance: &dyn Fn(u64),
) -> Result<Checked> {
    let mut checked = Checked {
        which: file.which.clone(),
        number: file.number,
        bytes: 0,
        files: 0,
        hash: Hash::of(b""),
        signed: None,
        damage: Vec::new(),
        costs: None,
    };
    let mut sealed = match plain::open(&file.which, &file.path) {
        Ok(opened) => Sealed::new(opened, advance),
        Err(error) => {
            checked.damage.push(Damage::from_error(error)?);
            return Ok(checked);
        }
    };
    match inside(&file.which, &mut sealed, keys, &mut checked) {
        Ok(long) => {
            (checked.bytes, checked.hash) = sealed.end();
            let is_believed = |signed: &Signed| trust.accepts(signed).is_ok();
            if !long.is_empty() && checked.signed.as_ref().is_some_and(is_believed) {
                read_long(file, keys, &long, &mut checked)?;
            }
        }
        Err(error) => {
            checked.damage.push(Damage::from_error(error)?);
            checked.costs = cost::of(file, keys, trust);
            // The chain goes by all of its bytes, also those that could not be read.
            (checked.bytes, checked.hash) = match whole(file) {
                Ok(hashed) => hashed,
                Err(_) => (0, checked.hash),
            };
        }
    }
    Ok(checked)
}

/// A file as it was found in the tar.
struct Seen {
    member: Member,
    bytes: u64,
    hash: Hash,
}

/// Reads all of it; answers with the cards that were too long to be read before it is
/// known whether the manifest is believed.
fn inside(
    which: &str,
    sealed: &mut Sealed<'_>,
    keys: &Keys<'_>,
    checked: &mut Checked,
) -> Result<BTreeSet<RecordingId>> {
    let plain = segment::open(which, sealed, keys.each())?;
    let mut tar = walk::Walk::new(which, plain);
    let (mut seen, mut manifest, mut long) = (Vec::new(), None, BTreeSet::new());
    while let Some(head) = tar.next()? {
        if manifest.is_some() {
            let what = format!("{} lies behind {MANIFEST}", head.member);
            checked.damage.push(Damage::new(Kind::Added, which, what));
            continue;
        }
        checked.files += 1;
        match head.member {
            Member::Manifest => manifest = Some(tar.whole()?),
            Member::Meta(id) if head.bytes <= MOST_UNBELIEVED_BYTES => {
                let bytes = tar.whole()?;
                checked.damage.extend(card(which, id, &bytes)?);
                seen.push(Seen {
                    member: head.member,
                    bytes: head.bytes,
                    hash: Hash::of(&bytes),
                });
            }
            Member::Meta(_)
            | Member::Audio(_)
            | Member::Stretch(..)
            | Member::Text(_)
            | Member::Subtitles(_) => {
                if let Member::Meta(id) = head.member {
                    long.insert(id);
                }
                let mut digest = Sha256::new();
                let copied = io::copy(&mut tar, &mut digest);
                copied.map_err(|error| trouble(which, error))?;
                seen.push(Seen {
                    member: head.member,
                    bytes: head.bytes,
                    hash: Digits(digest.finalize().into()),
                });
            }
        }
    }
    let manifest =
        manifest.ok_or_else(|| Error::damaged(which, format!("{MANIFEST} is missing")))?;
    let mut signed = Signed::read(which, &manifest)?;
    compare(which, &seen, &signed.manifest, &mut checked.damage);
    signed.manifest.files = Vec::new();
    checked.signed = Some(signed);
    Ok(long)
}

/// Reads the long cards of a segment whose manifest is believed.
fn read_long(
    file: &SegmentFile,
    keys: &Keys<'_>,
    long: &BTreeSet<RecordingId>,
    checked: &mut Checked,
) -> Result<()> {
    let opened = plain::open(&file.which, &file.path)?;
    let plain = segment::open(&file.which, opened, keys.each())?;
    let mut tar = walk::Walk::new(&file.which, plain);
    while let Some(head) = tar.next()? {
        if let Member::Meta(id) = head.member
            && long.contains(&id)
        {
            let bytes = tar.whole()?;
            checked.damage.extend(card(&file.which, id, &bytes)?);
        }
    }
    Ok(())
}

/// Whether anybody could take a card back, beside its being what was written.
fn card(which: &str, id: RecordingId, bytes: &[u8]) -> Result<Option<Damage>> {
    let place = place(which, Member::Meta(id));
    let damage = match Meta::read(&place, bytes) {
        Ok(meta) if meta.id == id => return Ok(None),
        Ok(_) => Damage::new(Kind::Altered, place, "it is about another recording"),
        Err(error) => Damage::from_error(error)?,
    };
    Ok(Some(damage.of(Some(id))))
}

/// What is there with what is said to be.
fn compare(which: &str, seen: &[Seen], manifest: &Manifest, damage: &mut Vec<Damage>) {
    let mut said: BTreeMap<&str, &FileEntry> = BTreeMap::new();
    for file in &manifest.files {
        if said.insert(&file.path, file).is_some() {
            let what = format!("{MANIFEST} names it twice");
            damage.push(Damage::new(Kind::Altered, place(which, &file.path), what));
        }
    }
    let mut found = BTreeSet::new();
    for one in seen {
        let path = one.member.to_string();
        let tell =
            |kind, what: &str| Damage::new(kind, place(which, &path), what).of(one.member.id());
        match said.remove(path.as_str()) {
            None if found.contains(&path) => damage.push(tell(Kind::Added, "it is there twice")),
            None => damage.push(tell(Kind::Added, "the manifest does not know it")),
            Some(file) if (file.bytes, file.sha256) != (one.bytes, one.hash) => {
                damage.push(tell(Kind::Altered, "it is not the one that was written"));
            }
            Some(_) => {}
        }
        found.insert(path);
    }
    for path in said.into_keys() {
        let id = Member::parse(path).and_then(|member| member.id());
        let gone = Damage::new(
            Kind::Missing,
            place(which, path),
            "it is not in the segment",
        );
        damage.push(gone.of(id));
    }
    let stretches = manifest.stretches.iter();
    let stretches = stretches.map(|one| (one.id, Member::stretch(one.id, one.number)));
    let entries = manifest.recordings.iter();
    let entries = entries.flat_map(|one| members(one).map(|member| (one.id, member)));
    for (id, member) in entries.chain(stretches) {
        if !found.contains(&member.to_string()) {
            let what = "its recording is named, and it is not there";
            let gone = Damage::new(Kind::Missing, place(which, member), what);
            damage.push(gone.of(Some(id)));
        }
    }
}

/// The files that a recording has in the segment of this entry.
fn members(entry: &Entry) -> impl Iterator<Item = Member> {
    let sound = (entry.sound == SoundAt::Here).then_some(entry.audio());
    let text = [
        Member::Meta(entry.id),
        Member::Text(entry.id),
        Member::Subtitles(entry.id),
    ];
    text.into_iter().chain(sound)
}

fn place(which: &str, path: impl std::fmt::Display) -> String {
    format!("{which}, {path}")
}

/// Counts and hashes the bytes of a file as they lie there.
struct Sealed<'a> {
    file: File,
    digest: Sha256,
    bytes: u64,
    advance: &'a dyn Fn(u64),
}

impl<'a> Sealed<'a> {
    fn new(file: File, advance: &'a dyn Fn(u64)) -> Self {
        Self {
            file,
            digest: Sha256::new(),
            bytes: 0,
            advance,
        }
    }

    fn end(self) -> (u64, Hash) {
        let hash = Digits(self.digest.finalize().into());
        (self.bytes, hash)
    }
}

impl Read for Sealed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(out)?;
        self.digest.update(&out[..read]);
        self.bytes += read as u64;
        (self.advance)(read as u64);
        Ok(read)
    }
}

fn whole(file: &SegmentFile) -> Result<(u64, Hash)> {
    let opened = plain::open(&file.which, &file.path)?;
    let mut sealed = Sealed::new(opened, &|_| ());
    let read = io::copy(&mut sealed, &mut io::sink());
    read.map_err(Error::io("read", &file.path))?;
    Ok(sealed.end())
}
