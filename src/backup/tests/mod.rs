//! Reading backups made by hand: whole, damaged, and such as no vault would ever write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod alone;
mod hostile;
mod numbered;
mod resurrected;
mod whole;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};
use tempfile::TempDir;

use super::layout::{Member, segment_name};
use super::manifest::{Dropped, Entry, FORMAT, FileEntry, Lacking, Manifest, SoundAt, Tombstone};
use super::meta::Meta;
use super::read::{Keys, Trust};
use super::restore::{self, Outcome, Wanted};
use super::verify::{self, Known, Opener, Own, Verified};
use super::written::{Digits, Hash};
use crate::audio::{OggOpusWriter, SEGMENT_BYTES, StoredShape};
use crate::crypto::{
    BackupIdentity, MasterKey, Passphrase, SigningSeed, SlotSecrets, VaultId, WorkFactor,
};
use crate::recording::{Card, Ending, KeptUntil, Moment, Recording, RecordingId, Signal, Source};
use crate::transcript::{Segment, Transcript};
use crate::vault::bag::Settings;
use crate::vault::{InitOptions, OpenVault, Placement, Vault};

const AT: Moment = Moment {
    unix_ms: 1_795_335_120_042,
    offset_s: 3600,
};

pub(super) fn id(number: u8) -> RecordingId {
    RecordingId::from_bytes([number; 16])
}

/// A vault that somebody has lost, and what signs and opens its backups.
pub(super) struct Owner {
    pub(super) vault: VaultId,
    pub(super) seed: SigningSeed,
    pub(super) identity: BackupIdentity,
}

impl Owner {
    pub(super) fn new() -> Self {
        Self {
            vault: VaultId::generate().unwrap(),
            seed: SigningSeed::generate().unwrap(),
            identity: BackupIdentity::generate(),
        }
    }

    pub(super) fn trust(&self) -> Trust {
        Trust::Vault {
            vault: self.vault,
            signer: self.seed.public(),
        }
    }

    /// What the vault knows, with these settings.
    pub(super) fn remembers(&self, settings: Settings) -> Own {
        Own {
            vault: self.vault,
            identities: vec![self.identity.duplicate()],
            settings,
        }
    }

    /// A way in.
    pub(super) fn slot(&self) -> Vec<u8> {
        let secrets = SlotSecrets {
            vault: self.vault,
            master: MasterKey::generate().unwrap(),
            backup: self.identity.duplicate(),
            former: Vec::new(),
            signer: self.seed.public(),
        };
        let passphrase = Passphrase::new("correct horse".to_owned());
        secrets.seal(&passphrase, WorkFactor::NONE).unwrap()
    }

    /// A manifest of its own, for files in this order.
    pub(super) fn manifest(&self, number: u32, files: &[File], entries: Vec<Entry>) -> Manifest {
        let said = |file: &File| FileEntry {
            path: file.path.clone(),
            bytes: file.bytes.len() as u64,
            sha256: Hash::of(&file.bytes),
        };
        Manifest {
            format: FORMAT,
            vault: self.vault,
            backup: Digits([4; 16]),
            generation: u64::from(number) + 3,
            log: None,
            made_at: AT,
            segment: number,
            before: None,
            files: files.iter().map(said).collect(),
            recordings: entries,
            stretches: Vec::new(),
            dropped: Vec::new(),
            tombstones: Vec::new(),
            lacking: Vec::new(),
        }
    }

    /// The segment with these files and this manifest.
    pub(super) fn segment(&self, files: &[File], manifest: &Manifest) -> Vec<u8> {
        let mut all = files.to_vec();
        let signed = manifest.sign(&self.seed).unwrap();
        all.push(File::new(Member::Manifest, signed));
        self.seal(&tar_of(&all))
    }

    pub(super) fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let recipient: age::x25519::Recipient = self.identity.recipient().parse().unwrap();
        age::encrypt(&recipient, plain).unwrap()
    }
}

/// A file in a tar.
#[derive(Clone)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) kind: EntryType,
    pub(super) bytes: Vec<u8>,
    /// What its header says instead of its length.
    pub(super) says: Option<u64>,
}

impl File {
    pub(super) fn new(member: Member, bytes: Vec<u8>) -> Self {
        Self::named(&member.to_string(), bytes)
    }

    pub(super) fn named(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            kind: EntryType::Regular,
            bytes,
            says: None,
        }
    }

    pub(super) fn of_kind(self, kind: EntryType) -> Self {
        Self { kind, ..self }
    }
}

pub(super) fn tar_of(files: &[File]) -> Vec<u8> {
    let mut tar = Vec::new();
    for file in files {
        let mut header = Header::new_ustar();
        // The library would refuse what is tried here.
        header.as_old_mut().name[..file.path.len()].copy_from_slice(file.path.as_bytes());
        header.set_entry_type(file.kind);
        header.set_size(file.says.unwrap_or(file.bytes.len() as u64));
        header.set_mode(0o600);
        header.set_cksum();
        tar.write_all(header.as_bytes()).unwrap();
        tar.write_all(&file.bytes).unwrap();
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

pub(super) fn card(number: u8, samples: u64) -> Card {
    Card {
        title: format!("recording {number}"),
        recorded_at: AT,
        added_at: AT,
        tags: vec!["minutes".to_owned()],
        note: "a note".to_owned(),
        pinned: true,
        source: Source::Mic,
        device: None,
        samples,
        pre_skip: 312,
        signal: Signal {
            peak_dbfs: -6.0,
            rms_dbfs: -24.0,
            silent_fraction: 0.25,
            clipped_fraction: 0.0,
        },
        gaps: Vec::new(),
        markers: vec![7],
        content_hash: None,
        ending: Ending::Complete,
        failure: None,
    }
}

pub(super) fn transcript(text: &str) -> Transcript {
    Transcript {
        model: "base.en".to_owned(),
        settings: "beam 5".to_owned(),
        language: "en".to_owned(),
        made_at: AT,
        segments: vec![Segment {
            start_ms: 0,
            end_ms: 900,
            text: text.to_owned(),
            words: Vec::new(),
        }],
    }
}

/// What is known of a recording.
pub(super) fn meta(number: u8, epoch: u32, samples: u64) -> Meta {
    let words = transcript(&format!("said in {number}"));
    let recording = Recording {
        id: id(number),
        epoch,
        kept_from: card(number, samples).added_at,
        kept_until: KeptUntil::default(),
        card: card(number, samples),
        versions: vec![words.info(1)],
        audio_bytes: 77,
        sound_shredded: false,
        text_shredded: false,
    };
    Meta::of(&recording, 0, vec![(1, words)])
}

/// Packets that are like no other recording's; not one of them is Opus.
pub(super) fn packets(number: u8, segments: usize) -> Vec<u8> {
    (0..segments * SEGMENT_BYTES)
        .map(|at| (at as u8).wrapping_mul(number).wrapping_add(number))
        .collect()
}

pub(super) fn audio(number: u8, samples: u64) -> Vec<u8> {
    let shape = StoredShape {
        samples,
        pre_skip: 312,
    };
    let mut ogg = OggOpusWriter::new(Vec::new(), shape).unwrap();
    let sound = packets(number, shape.segments() as usize);
    for segment in sound.chunks(SEGMENT_BYTES) {
        ogg.push(segment).unwrap();
    }
    ogg.finish().unwrap()
}

pub(super) fn entry(number: u8, epoch: u32, sound: SoundAt) -> Entry {
    Entry {
        id: id(number),
        epoch,
        revision: 0,
        card: Digits([number; 16]),
        versions: vec![1],
        numbered: None,
        sound,
        stretches: Vec::new(),
        gone: Vec::new(),
        recovered: false,
        lost: Vec::new(),
        carried_from: None,
    }
}

/// The files of a recording of so many samples.
pub(super) fn files(number: u8, epoch: u32, samples: u64) -> Vec<File> {
    vec![
        File::new(
            Member::Meta(id(number)),
            meta(number, epoch, samples).write().unwrap(),
        ),
        File::new(Member::Audio(id(number)), audio(number, samples)),
        File::new(Member::Text(id(number)), b"said".to_vec()),
        File::new(Member::Subtitles(id(number)), Vec::new()),
    ]
}

/// A folder with a backup, and a vault into which it is restored.
pub(super) struct Scene {
    pub(super) owner: Owner,
    dir: TempDir,
    pub(super) vault: OpenVault,
}

impl Scene {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let owner = Owner::new();
        fs::create_dir(dir.path().join("backup")).unwrap();
        fs::write(dir.path().join("backup/passphrase.age"), owner.slot()).unwrap();
        let options = InitOptions {
            placement: Placement::Anywhere,
            work: WorkFactor::NONE,
        };
        let secret = Passphrase::new("six words that nobody guesses".to_owned());
        let vault = Vault::init(&dir.path().join("vault"), &secret, options).unwrap();
        Self { owner, dir, vault }
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.dir.path().join("backup")
    }

    pub(super) fn put(&self, number: u32, sealed: &[u8]) -> PathBuf {
        let path = self.folder().join(segment_name(number));
        fs::write(&path, sealed).unwrap();
        path
    }

    pub(super) fn verify(&self) -> Verified {
        self.verify_at(&self.folder()).unwrap()
    }

    pub(super) fn verify_at(&self, at: &Path) -> super::Result<Verified> {
        let trust = self.owner.trust();
        let known = Known {
            trust: &trust,
            own: None,
            opened: None,
        };
        let own = [self.owner.identity.duplicate()];
        verify::verify(at, Opener::Vault(&own), known, &|_, _| ())
    }

    pub(super) fn restore(&self) -> Outcome {
        self.restore_from(&self.folder(), None).unwrap()
    }

    pub(super) fn restore_from(
        &self,
        at: &Path,
        resurrect: Option<RecordingId>,
    ) -> super::Result<Outcome> {
        let keys = Keys::of_backups(&[self.owner.identity.duplicate()]);
        let trust = self.owner.trust();
        let wanted = Wanted {
            trust: &trust,
            resurrect,
        };
        restore::from_folder(&self.vault, at, &keys, &wanted, &|_, _| Ok(()))
    }

    pub(super) fn stream(
        &self,
        sealed: &[u8],
        resurrect: Option<RecordingId>,
    ) -> super::Result<Outcome> {
        let keys = Keys::of_backups(&[self.owner.identity.duplicate()]);
        let trust = self.owner.trust();
        let wanted = Wanted {
            trust: &trust,
            resurrect,
        };
        restore::from_stream(&self.vault, sealed, &keys, &wanted, &|_, _| Ok(()))
    }

    /// The vault is as it should be, and holds these.
    pub(super) fn assert_holds(&self, numbers: &[u8]) {
        let verified = self.vault.verify(&|_, _| ()).unwrap();
        assert!(verified.flaws.is_empty(), "{:?}", verified.flaws);
        let mut held: Vec<_> = self.vault.recordings().unwrap();
        held.sort_by_key(|one| one.id);
        let ids: Vec<_> = held.iter().map(|one| one.id).collect();
        let due: Vec<_> = numbers.iter().map(|number| id(*number)).collect();
        assert_eq!(ids, due);
    }

    /// A recording has all of the sound that was backed up.
    pub(super) fn assert_sounds(&self, to: RecordingId, number: u8, samples: u64) {
        let shape = StoredShape {
            samples,
            pre_skip: 312,
        };
        let mut sound = self.vault.sound(to).unwrap();
        let mut heard = Vec::new();
        while let Some(segment) = sound.next_segment().unwrap() {
            heard.extend_from_slice(&segment.packets);
        }
        let due = shape.packets() as usize * crate::audio::PACKET_BYTES;
        let whole = packets(number, shape.segments() as usize);
        assert_eq!(heard.len(), whole.len());
        assert!(heard[..due] == whole[..due]);
    }
}

/// One tombstone.
pub(super) fn gone(number: u8, epoch: u32) -> Tombstone {
    Tombstone {
        id: id(number),
        epoch,
    }
}
