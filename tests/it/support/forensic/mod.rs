//! The forensic reader: somebody with a passphrase, every byte of a vault's
//! directory, and as many bytes that were ever written to it as he could get.
//!
//! He knows the format and trusts nothing: he takes every age stanza at any
//! offset for what it is, also where the file around it is gone, tries every
//! key that he has, and takes whatever could be a key out of whatever opens,
//! until nothing new opens. Written against the format and age itself, not
//! against the code that seals.

mod finding;
mod opening;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use age::Identity;
use voxvault::crypto::root_seal::SealedPlace;
use voxvault::crypto::{MasterKey, VaultId};
use voxvault::recording::RecordingId;
use voxvault::vault::frame::{FACTS_BYTES, Facts, Kind};
use voxvault::vault::scan::{self, What};

use self::finding::{Sealed, all_stanzas, decoded_base64};
use self::opening::{Key, Opener, decrypt, exactly};
use super::files::files_below;
use super::needles::{find, holds};

const ROOT_MAGIC: &[u8] = b"VOXVROOT";
const ROOT_SLOT: usize = 65 * 4096;
const ROOT_PAD: std::ops::Range<usize> = 224..ROOT_SLOT - 64;

/// Bytes from wherever they came.
#[derive(Default)]
pub(crate) struct Evidence {
    pieces: Vec<(String, Vec<u8>)>,
}

impl Evidence {
    /// Every file below a folder, as it is now.
    pub(crate) fn of_directory(folder: &Path) -> Self {
        let mut evidence = Self::default();
        for file in files_below(folder) {
            let bytes = fs::read(&file).unwrap();
            evidence.add(
                &file.strip_prefix(folder).unwrap().display().to_string(),
                bytes,
            );
        }
        evidence
    }

    /// Some bytes more. What is in them as base64 (age's armour, say) is added
    /// as well.
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) {
        for decoded in decoded_base64(&bytes) {
            self.pieces.push((format!("{name}, decoded"), decoded));
        }
        self.pieces.push((name.to_owned(), bytes));
    }

    /// How many bytes there are.
    pub(crate) fn bytes(&self) -> usize {
        self.pieces.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Frames and remains of frames of a recording, wherever they stand.
    pub(crate) fn frames_of(&self, id: RecordingId) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        for (name, bytes) in &self.pieces {
            found.extend(scan::scan(bytes).filter_map(|one| match one.what {
                What::Frame(frame) if frame.facts.id == id => Some((name.clone(), one.at)),
                What::Remains {
                    facts: Some(facts), ..
                } if facts.id == id => Some((name.clone(), one.at)),
                _ => None,
            }));
        }
        found
    }
}

/// What the reader got at.
#[derive(Default)]
pub(crate) struct Findings {
    /// How many different stanzas there are.
    pub(crate) stanzas: usize,
    /// How many of them some key opened.
    pub(crate) opened: usize,
    /// Records that could be read, by recording.
    pub(crate) records: BTreeMap<RecordingId, BTreeSet<(Kind, u32)>>,
    /// Stanzas in front of which stands the frame of a recording, and which
    /// some key opened, whether or not the body behind is whole.
    pub(crate) unwrapped: BTreeMap<RecordingId, usize>,
    /// Every plaintext that was read.
    pub(crate) plaintexts: Vec<Vec<u8>>,
}

impl Findings {
    /// How much of a recording can be read.
    pub(crate) fn records_of(&self, id: RecordingId) -> usize {
        self.records.get(&id).map_or(0, BTreeSet::len)
    }

    /// How many records of one kind of a recording can be read.
    pub(crate) fn count(&self, id: RecordingId, kind: Kind) -> usize {
        let of = self.records.get(&id).into_iter().flatten();
        of.filter(|(known, _)| *known == kind).count()
    }

    /// Whether any plaintext has these words.
    pub(crate) fn says(&self, words: &str) -> bool {
        let mut plaintexts = self.plaintexts.iter();
        plaintexts.any(|plaintext| holds(plaintext, words.as_bytes()))
    }

    /// Whether anything at all of a recording can be got at.
    pub(crate) fn reaches(&self, id: RecordingId) -> bool {
        self.records_of(id) > 0 || self.unwrapped.contains_key(&id)
    }
}

/// Reads all that can be read with these passphrases.
pub(crate) fn read_all(evidence: &Evidence, passphrases: &[&str]) -> Findings {
    let mut reader = Reader::new(evidence);
    for passphrase in passphrases {
        reader.learn(match passphrase.starts_with("AGE-SECRET-KEY-1") {
            true => Key::Identity((*passphrase).to_owned()),
            false => Key::Text((*passphrase).to_owned()),
        });
    }
    reader.work();
    reader.findings
}

struct Reader<'a> {
    evidence: &'a Evidence,
    sealed: Vec<Sealed>,
    known: HashSet<Key>,
    masters: HashSet<[u8; 32]>,
    untried: Vec<Key>,
    findings: Findings,
}

impl<'a> Reader<'a> {
    fn new(evidence: &'a Evidence) -> Self {
        let sealed = all_stanzas(evidence);
        let findings = Findings {
            stanzas: sealed.len(),
            ..Findings::default()
        };
        Self {
            evidence,
            sealed,
            known: HashSet::new(),
            masters: HashSet::new(),
            untried: Vec::new(),
            findings,
        }
    }

    fn learn(&mut self, key: Key) {
        if self.known.insert(key.clone()) {
            self.untried.push(key);
        }
    }

    fn work(&mut self) {
        while let Some(key) = self.untried.pop() {
            let opener = Opener::of(&key);
            let mut plaintexts = Vec::new();
            for sealed in self.sealed.iter_mut().filter(|sealed| !sealed.opened) {
                let Some(Ok(_)) = opener.unwrap_stanza(&sealed.stanza) else {
                    continue;
                };
                sealed.opened = true;
                self.findings.opened += 1;
                if let Some(id) = sealed.framed {
                    *self.findings.unwrapped.entry(id).or_default() += 1;
                }
                let whole = sealed.files.iter().find_map(|(piece, at, end)| {
                    let bytes = &self.evidence.pieces[*piece].1;
                    match end {
                        Some(end) => exactly(&bytes[*at..*end], &opener),
                        None => decrypt(&bytes[*at..], &opener),
                    }
                });
                plaintexts.extend(whole);
            }
            for plaintext in plaintexts {
                self.take_in(plaintext);
            }
        }
    }

    /// Notes what a plaintext is, and takes every key out of it.
    fn take_in(&mut self, plaintext: Vec<u8>) {
        let kind = facts_in(&plaintext);
        if let Some((kind, id, number)) = kind {
            self.findings
                .records
                .entry(id)
                .or_default()
                .insert((kind, number));
        }
        match kind {
            // Nobody puts keys among Opus packets.
            Some((Kind::Sound, ..)) => {}
            Some(_) => {
                for at in 0..plaintext.len().saturating_sub(31).min(256) {
                    self.learn_bytes(&plaintext[at..at + 32]);
                }
            }
            None => self.take_keys_of_any_form(&plaintext),
        }
        self.findings.plaintexts.push(plaintext);
    }

    fn take_keys_of_any_form(&mut self, plaintext: &[u8]) {
        // As postcard writes bytes: their number, and they.
        for at in 0..plaintext.len().saturating_sub(32) {
            if plaintext[at] == 32 {
                self.learn_bytes(&plaintext[at + 1..at + 33]);
            }
        }
        let text = String::from_utf8_lossy(plaintext);
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            if let Some(start) = word.find("AGE-SECRET-KEY-1") {
                let end = (start + 74).min(word.len());
                self.learn(Key::Identity(word[start..end].to_owned()));
            }
            if word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                self.learn(Key::Text(word.to_owned()));
                let bytes: Vec<u8> = (0..32)
                    .map(|at| u8::from_str_radix(&word[2 * at..2 * at + 2], 16).unwrap())
                    .collect();
                self.take_master(bytes.as_slice().try_into().unwrap());
            }
        }
    }

    /// Takes 32 bytes for a key unless they are text or padding: of random ones,
    /// not one in a million has so few different values, or so few high bits.
    fn learn_bytes(&mut self, bytes: &[u8]) {
        let different = bytes.iter().collect::<BTreeSet<_>>().len();
        let high = bytes.iter().filter(|byte| **byte >= 0x80).count();
        if different >= 20 && high >= 3 {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            self.learn(Key::Text(hex));
        }
    }

    /// What may be M is tried on everything that may be a root slot. Whether
    /// the slot is genuine is of no interest here.
    fn take_master(&mut self, bytes: [u8; 32]) {
        if !self.masters.insert(bytes) {
            return;
        }
        let master = MasterKey::from_bytes(&bytes);
        for (_, piece) in &self.evidence.pieces {
            let mut from = 0;
            while let Some(at) = find(piece, ROOT_MAGIC, from) {
                from = at + 1;
                let Some(slot) = piece.get(at..at + ROOT_SLOT) else {
                    continue;
                };
                let key = master.open_bag_key(
                    &SealedPlace {
                        vault: VaultId::from_bytes(slot[16..32].try_into().unwrap()),
                        generation: u64::from_le_bytes(slot[32..40].try_into().unwrap()),
                        copy: slot[12],
                        pad: &slot[ROOT_PAD],
                    },
                    slot[184..216].try_into().unwrap(),
                );
                let key = key.unwrap();
                let hex: String = key
                    .expose()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                if self.known.insert(Key::Text(hex.clone())) {
                    self.untried.push(Key::Text(hex));
                }
            }
        }
    }
}

/// The facts that stand sealed at the start of a record.
fn facts_in(plaintext: &[u8]) -> Option<(Kind, RecordingId, u32)> {
    const KINDS: [Kind; 6] = [
        Kind::Keys,
        Kind::Sound,
        Kind::Words,
        Kind::Card,
        Kind::Log,
        Kind::Draft,
    ];
    let facts = plaintext.first_chunk::<FACTS_BYTES>()?;
    let kind = KINDS.into_iter().find(|kind| *kind as u8 == facts[2])?;
    let id = RecordingId::from_bytes(facts[4..20].try_into().unwrap());
    let number = |at: usize| u32::from_le_bytes(facts[at..at + 4].try_into().unwrap());
    let parsed = Facts {
        kind,
        id,
        epoch: number(20),
        number: number(24),
        revision: number(28),
    };
    (parsed.to_bytes() == *facts).then_some((kind, id, parsed.number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use voxvault::crypto::{ClipKey, InboxIdentity, seal};
    use voxvault::vault::frame;
    use voxvault::vault::scan::AGE_MAGIC;

    fn record(kind: Kind, number: u32, body: &[u8]) -> (Facts, Vec<u8>) {
        let id = RecordingId::from_bytes([7; 16]);
        let facts = Facts {
            kind,
            id,
            epoch: 0,
            number,
            revision: 0,
        };
        (facts, [&facts.to_bytes()[..], body].concat())
    }

    fn hex(key: &ClipKey) -> String {
        key.expose()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    #[test]
    fn keys_are_followed_from_one_plaintext_into_the_next() {
        let (clip, inbox) = (ClipKey::generate().unwrap(), InboxIdentity::generate());
        let (facts, sound) = record(Kind::Sound, 3, b"packets");
        let sound = frame::encode(&facts, &seal(&clip, &sound).unwrap()).unwrap();
        let (facts, keys) = record(Kind::Keys, 0, clip.expose());
        let keys = frame::encode(&facts, &inbox.public().seal(&keys).unwrap()).unwrap();
        let outer = ClipKey::generate().unwrap();
        let bag = seal(&outer, inbox.to_text().as_bytes()).unwrap();

        let mut evidence = Evidence::default();
        evidence.add("store", [b"noise", &sound[..], b"noise"].concat());
        evidence.add("inbox", [keys, vec![0xff; 40]].concat());
        assert_eq!(read_all(&evidence, &[&hex(&outer)]).opened, 0);

        evidence.add("bag", bag);
        assert_eq!(read_all(&evidence, &["wrong"]).opened, 0);
        let found = read_all(&evidence, &[&hex(&outer)]);
        assert_eq!((found.stanzas, found.opened), (3, 3));
        assert_eq!(found.count(facts.id, Kind::Sound), 1);
        assert_eq!(found.unwrapped[&facts.id], 2);
    }

    #[test]
    fn a_stanza_without_its_file_and_a_file_in_base64_are_found() {
        let key = ClipKey::generate().unwrap();
        let (facts, words) = record(Kind::Words, 1, b"words");
        let sealed = seal(&key, &words).unwrap();

        let mut torn = Evidence::default();
        torn.add("torn", sealed[AGE_MAGIC.len()..].to_vec());
        let found = read_all(&torn, &[&hex(&key)]);
        assert_eq!((found.opened, found.records_of(facts.id)), (1, 0));

        for before in ["", "x", "xy"] {
            let plain = [before.as_bytes(), &sealed].concat();
            let mut text = BASE64_STANDARD.encode(plain);
            text.insert(30, '\n');
            let mut evidence = Evidence::default();
            evidence.add("armoured", text.into_bytes());
            assert_eq!(read_all(&evidence, &[&hex(&key)]).records_of(facts.id), 1);
        }
    }
}
