//! Somebody who has the passphrase, the disk as it is, and every byte that was
//! ever written to any file but the roots.
//!
//! He goes by what bytes look like: whatever a slot, a root and a bag that fit
//! each other give away is tried on every frame. What the bag says about whose
//! key is whose is of no interest to him. (`full_reader` trusts still less, and
//! takes longer.)

use std::collections::BTreeSet;

use super::facts::{Facts, Sound, What};
use super::stage::secret;
use crate::crypto::root_seal::SealedPlace;
use crate::crypto::{
    BagKey, ClipKey, InboxIdentity, MasterKey, SlotSecrets, VaultId, open as unseal,
};
use crate::recording::RecordingId;
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::sealed::frame::{self, Kind};
use crate::vault::sealed::scan;

const ROOT_MAGIC: &[u8] = b"VOXVROOT";
const ROOT_SLOT: usize = 65 * 4096;
const ROOT_PAD: std::ops::Range<usize> = 224..ROOT_SLOT - 64;

/// A frame as it was written once: what it says it is, and what is sealed.
type Sealed = (frame::Facts, Vec<u8>);

/// All that was ever written.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    /// How many writes are in here.
    writes: usize,
    slots: BTreeSet<Vec<u8>>,
    bags: BTreeSet<Vec<u8>>,
    frames: BTreeSet<Sealed>,
}

/// What somebody gets hold of.
#[derive(Default)]
struct Loot {
    keys: BTreeSet<[u8; 32]>,
    identities: BTreeSet<String>,
}

impl Evidence {
    pub(super) fn of(disk: &SimDisk) -> Self {
        Self::default().with(disk)
    }

    /// What was written since, on a disk that goes on from where this was taken.
    pub(super) fn with(&self, disk: &SimDisk) -> Self {
        let mut all = self.clone();
        for written in disk.written_since(self.writes) {
            all.writes += 1;
            let name = written.path.file_name().unwrap().to_string_lossy();
            if name.starts_with("root.") {
                continue;
            }
            let bytes = &written.bytes;
            if bytes.starts_with(scan::AGE_MAGIC) {
                let is_bag = name.starts_with("bag.");
                let place = if is_bag {
                    &mut all.bags
                } else {
                    &mut all.slots
                };
                place.insert(bytes.to_vec());
            } else {
                let frames = scan::frames(bytes).map(|(_, frame)| frame);
                all.frames
                    .extend(frames.map(|frame| (frame.facts, frame.body.to_vec())));
            }
        }
        all
    }

    /// Which frames of these recordings open, with this passphrase and the roots
    /// that are on the disk.
    pub(super) fn opens(
        &self,
        disk: &SimDisk,
        passphrase: &str,
        ids: &BTreeSet<RecordingId>,
    ) -> BTreeSet<frame::Facts> {
        let mut loot = self.bags_open(disk, passphrase);
        let frames = self
            .frames
            .iter()
            .filter(|(facts, _)| ids.contains(&facts.id));
        let identities: Vec<InboxIdentity> = loot
            .identities
            .iter()
            .filter_map(|text| InboxIdentity::from_text(text).ok())
            .collect();
        let mut opened = BTreeSet::new();
        for (facts, body) in frames.clone().filter(|(facts, _)| facts.kind == Kind::Keys) {
            let plain = identities.iter().find_map(|one| one.open(body).ok());
            if let Some(plain) = plain {
                opened.insert(*facts);
                let keys = plain.rchunks_exact(32).take(3);
                loot.keys
                    .extend(keys.filter_map(|key| <[u8; 32]>::try_from(key).ok()));
            }
        }
        let keys: Vec<ClipKey> = loot.keys.iter().map(ClipKey::from_bytes).collect();
        for (facts, body) in frames.filter(|(facts, _)| facts.kind != Kind::Keys) {
            if keys.iter().any(|key| unseal(key, body).is_ok()) {
                opened.insert(*facts);
            }
        }
        opened
    }

    fn bags_open(&self, disk: &SimDisk, passphrase: &str) -> Loot {
        let passphrase = secret(passphrase);
        let masters: Vec<MasterKey> = self
            .slots
            .iter()
            .filter_map(|slot| Some(SlotSecrets::open(slot, &passphrase).ok()?.master))
            .collect();
        let mut loot = Loot::default();
        for slot in disk.pieces(ROOT_MAGIC, ROOT_SLOT) {
            for key in masters.iter().map(|master| bag_key(&slot, master)) {
                let opened = self.bags.iter().filter_map(|bag| unseal(&key, bag).ok());
                opened.for_each(|plain| loot.take(&plain));
            }
        }
        loot
    }
}

/// What this master key makes of a root slot, genuine or not.
fn bag_key(slot: &[u8], master: &MasterKey) -> BagKey {
    let place = SealedPlace {
        vault: VaultId::from_bytes(slot[16..32].try_into().unwrap()),
        generation: u64::from_le_bytes(slot[32..40].try_into().unwrap()),
        copy: slot[12],
        pad: &slot[ROOT_PAD],
    };
    let sealed = slot[184..216].try_into().unwrap();
    master.open_bag_key(&place, sealed).unwrap()
}

impl Loot {
    /// Whatever looks like a key: 32 bytes behind a 32, and age's identities.
    fn take(&mut self, plain: &[u8]) {
        const IDENTITY: &[u8] = b"AGE-SECRET-KEY-1";
        const IDENTITY_LEN: usize = 74;
        for window in plain.windows(33).filter(|window| window[0] == 32) {
            let key: [u8; 32] = window[1..].try_into().unwrap();
            if key.iter().collect::<BTreeSet<_>>().len() > 8 {
                self.keys.insert(key);
            }
        }
        for window in plain.windows(IDENTITY_LEN) {
            if window.starts_with(IDENTITY) {
                self.identities
                    .insert(String::from_utf8_lossy(window).into_owned());
            }
        }
    }
}

/// Tries to get at what is gone. An error says what he got at, or that he did
/// not even get at what is there.
pub(super) fn attack(disk: &SimDisk, evidence: &Evidence, facts: &Facts) -> Result<(), String> {
    let Some(passphrase) = facts.passphrase else {
        return Ok(());
    };
    for former in &facts.former {
        let loot = evidence.bags_open(disk, former);
        if !loot.keys.is_empty() || !loot.identities.is_empty() {
            return Err("the passphrase of before still opens a bag".to_owned());
        }
    }
    if facts.gone.is_empty() {
        return Ok(());
    }
    // Of what is live a little is enough as a control.
    let live = facts.clips.iter();
    let live: BTreeSet<RecordingId> = live
        .filter(|(_, clip)| clip.sound == Sound::Kept && clip.can_be_heard())
        .map(|(id, _)| *id)
        .take(2)
        .collect();
    let gone = facts.gone.iter().map(|gone| gone.id);
    let ids = gone.chain(live.iter().copied()).collect();
    let opened = evidence.opens(disk, passphrase, &ids);
    for gone in &facts.gone {
        let is_gone = |facts: &&frame::Facts| {
            facts.id == gone.id
                && match gone.what {
                    What::All => true,
                    What::Sound => facts.kind == Kind::Sound,
                    What::Words => facts.kind == Kind::Words,
                    What::Epoch(epoch) => facts.epoch <= epoch,
                    What::CardsBefore(revision) => {
                        matches!(facts.kind, Kind::Card | Kind::Draft) && facts.revision < revision
                    }
                }
        };
        if let Some(reached) = opened.iter().find(is_gone) {
            return Err(format!("{reached:?} can be read, which is gone"));
        }
    }
    for id in live {
        let heard = |facts: &frame::Facts| facts.id == id && facts.kind == Kind::Sound;
        if !opened.iter().any(heard) {
            return Err(format!("the control: nothing of {id} was found"));
        }
    }
    Ok(())
}
