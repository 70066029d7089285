//! The root: which generation of the vault is in force, and the key to its bag.
//!
//! `root.a` and `root.b` have two slots each; generation g lies in slot g mod 2
//! of both. The files are made full of random bytes and only ever written in
//! place. A slot's hash says that it is whole, without a key; only its MAC says
//! that it is ours: age does not authenticate a sender.
//!
//! Encoding and file positions only. What to believe is decided in `recover`.

use std::fmt;
use std::path::{Path, PathBuf};

pub use self::position::{Position, make_file};
use crate::crypto::root_seal::{FINGERPRINT_LEN, SealedPlace, TAG_LEN, root_hash};
use crate::crypto::{BagKey, CryptoError, InboxPublic, MasterKey, VaultId, fill_noise};

mod position;

const MAGIC: &[u8; 8] = b"VOXVROOT";
/// The version of the root's format, and by it of the vault's.
pub const VERSION: u32 = 1;

/// Length of a slot: 65 blocks of 4 KiB.
pub const SLOT_LEN: usize = 65 * 4096;
/// Length of the block by whose start a slot is known.
const START_LEN: usize = 4096;

const COPY_AT: usize = 12;
const VAULT_AT: usize = 16;
const GENERATION_AT: usize = 32;
const FINGERPRINT_AT: usize = 40;
const INBOX_AT: usize = 56;
const BAG_HASH_AT: usize = 120;
const HANDOVER_AT: usize = 152;
const SEALED_AT: usize = 184;
const PAD_AT: usize = 224;
const HASH_AT: usize = SLOT_LEN - 2 * TAG_LEN;
const MAC_AT: usize = SLOT_LEN - TAG_LEN;

/// One of the two copies that root and bag are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Copy {
    /// The first: writing it commits.
    A,
    /// The second.
    B,
}

impl Copy {
    /// Both, in the order in which they are written.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    const fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
        }
    }

    /// `root.a` or `root.b`.
    #[must_use]
    pub fn root_file(self, dir: &Path) -> PathBuf {
        dir.join(format!("root.{}", self.letter()))
    }

    /// `bag.<generation>.a` or `.b`.
    #[must_use]
    pub fn bag_file(self, dir: &Path, generation: u64) -> PathBuf {
        dir.join(format!("bag.{generation}.{}", self.letter()))
    }
}

/// The generation in the name of a bag file.
#[must_use]
pub fn generation_of_bag_file(name: &str) -> Option<u64> {
    let middle = name.strip_prefix("bag.")?;
    let digits = middle
        .strip_suffix(".a")
        .or_else(|| middle.strip_suffix(".b"))?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// What a slot says that both copies agree on.
#[derive(Clone, PartialEq, Eq)]
pub struct RootFacts {
    /// The vault.
    pub vault: VaultId,
    /// The generation that it puts in force.
    pub generation: u64,
    /// Which master key it was made with.
    pub fingerprint: [u8; FINGERPRINT_LEN],
    /// What recordings are sealed to while this generation is in force.
    pub inbox: InboxPublic,
    /// The hash of the bag as it is written.
    pub bag_hash: [u8; TAG_LEN],
}

impl fmt::Debug for RootFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation {} of {}", self.generation, self.vault)
    }
}

/// Who may follow on whom.
#[derive(Clone, Copy)]
pub enum Handover<'a> {
    /// The master key stays.
    None,
    /// The master key is new; the one before vouches for it, so that whoever
    /// still has the old passphrase learns that it was replaced.
    From(&'a MasterKey),
}

/// One whole slot.
#[derive(Clone)]
pub struct RootSlot {
    facts: RootFacts,
    bytes: Box<[u8]>,
}

/// Why the bytes in a slot's place are no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSlot {
    /// Random bytes, as after making or wiping.
    Noise,
    /// It is known to be one and is damaged, or was never written to its end.
    Damaged,
    /// A newer version of the format.
    Newer(u32),
}

impl RootSlot {
    /// A slot with a fresh pad.
    pub fn make(
        facts: RootFacts,
        copy: Copy,
        master: &MasterKey,
        handover: Handover<'_>,
        bag_key: &BagKey,
    ) -> Result<Self, CryptoError> {
        let mut bytes = vec![0; SLOT_LEN].into_boxed_slice();
        put(&mut bytes, 0, MAGIC);
        put(&mut bytes, MAGIC.len(), &VERSION.to_le_bytes());
        bytes[COPY_AT] = copy.letter() as u8;
        put(&mut bytes, VAULT_AT, facts.vault.as_bytes());
        put(&mut bytes, GENERATION_AT, &facts.generation.to_le_bytes());
        put(&mut bytes, FINGERPRINT_AT, &facts.fingerprint);
        put(&mut bytes, INBOX_AT, facts.inbox.to_text().as_bytes());
        put(&mut bytes, BAG_HASH_AT, &facts.bag_hash);
        if let Handover::From(old) = handover {
            let digest = handover_digest(&bytes);
            put(
                &mut bytes,
                HANDOVER_AT,
                &old.handover_mac(facts.vault, &digest)?,
            );
        }
        fill_noise(&mut bytes[PAD_AT..HASH_AT])?;
        let sealed = master.seal_bag_key(&place(&facts, &bytes), bag_key)?;
        put(&mut bytes, SEALED_AT, &sealed);
        let hash = root_hash(&bytes[..HASH_AT]);
        put(&mut bytes, HASH_AT, &hash);
        put(&mut bytes, MAC_AT, &master.root_mac(facts.vault, &hash)?);
        Ok(Self { facts, bytes })
    }

    /// A slot as it was read, if it is whole. That it is ours is another
    /// question: [`verify`](Self::verify).
    pub fn decode(bytes: Vec<u8>) -> Result<Self, NoSlot> {
        if bytes.len() != SLOT_LEN {
            return Err(NoSlot::Noise);
        }
        if !bytes.starts_with(MAGIC) {
            return Err(match lost_its_magic(&bytes) {
                true => NoSlot::Damaged,
                false => NoSlot::Noise,
            });
        }
        let version = u32::from_le_bytes(take(&bytes, MAGIC.len()));
        let hash = root_hash(&bytes[..HASH_AT]);
        if hash != take(&bytes, HASH_AT) {
            let newer = version > VERSION;
            return Err(if newer {
                NoSlot::Newer(version)
            } else {
                NoSlot::Damaged
            });
        }
        if version != VERSION {
            return Err(NoSlot::Newer(version));
        }
        let inbox = std::str::from_utf8(&bytes[INBOX_AT..INBOX_AT + InboxPublic::TEXT_LEN])
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(NoSlot::Damaged)?;
        let facts = RootFacts {
            vault: VaultId::from_bytes(take(&bytes, VAULT_AT)),
            generation: u64::from_le_bytes(take(&bytes, GENERATION_AT)),
            fingerprint: take(&bytes, FINGERPRINT_AT),
            inbox,
            bag_hash: take(&bytes, BAG_HASH_AT),
        };
        Ok(Self {
            facts,
            bytes: bytes.into_boxed_slice(),
        })
    }

    /// What it says.
    #[must_use]
    pub fn facts(&self) -> &RootFacts {
        &self.facts
    }

    /// The slot as it is written.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether whoever has this master key made it.
    pub fn verify(&self, master: &MasterKey) -> Result<bool, CryptoError> {
        let hash = take(&self.bytes, HASH_AT);
        master.verifies_root(self.facts.vault, &hash, &take(&self.bytes, MAC_AT))
    }

    /// Whether this master key handed over to the one that the slot was made
    /// with.
    pub fn follows(&self, old: &MasterKey) -> Result<bool, CryptoError> {
        let digest = handover_digest(&self.bytes);
        old.verifies_handover(self.facts.vault, &digest, &take(&self.bytes, HANDOVER_AT))
    }

    /// The key to the bag. Right only if the slot [verifies](Self::verify).
    pub fn bag_key(&self, master: &MasterKey) -> Result<BagKey, CryptoError> {
        master.open_bag_key(
            &place(&self.facts, &self.bytes),
            &take(&self.bytes, SEALED_AT),
        )
    }
}

/// Whether what stands behind the magic is a slot's, and so the magic is damaged: no write
/// that was cut short leaves the rest of a sector. Noise says the same once in 2^56 times.
fn lost_its_magic(bytes: &[u8]) -> bool {
    let version = u32::from_le_bytes(take(bytes, MAGIC.len()));
    version == VERSION && bytes[COPY_AT + 1..VAULT_AT] == [0; 3]
}

fn place<'a>(facts: &RootFacts, bytes: &'a [u8]) -> SealedPlace<'a> {
    SealedPlace {
        vault: facts.vault,
        generation: facts.generation,
        copy: bytes[COPY_AT],
        pad: &bytes[PAD_AT..HASH_AT],
    }
}

fn handover_digest(bytes: &[u8]) -> [u8; TAG_LEN] {
    root_hash(&bytes[VAULT_AT..HANDOVER_AT])
}

fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    bytes[at..at + field.len()].copy_from_slice(field);
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

/// The beginning of a slot in some bytes, whatever became of its end.
pub(in crate::vault) struct Start {
    /// How many bytes stand before it.
    pub at: usize,
    /// The vault that it names.
    pub vault: VaultId,
    /// The hash of the bag that it names, as far as that is there.
    pub bag: Option<[u8; TAG_LEN]>,
}

/// Where slots of any vault begin in some bytes, whole or in part.
pub(in crate::vault) fn starts(bytes: &[u8]) -> impl Iterator<Item = Start> {
    let mut from = 0;
    let all = std::iter::from_fn(move || {
        let rest = bytes.get(from..)?;
        let found = rest.windows(MAGIC.len()).position(|start| start == MAGIC)?;
        let at = from + found;
        from = at + 1;
        Some(at)
    });
    all.filter_map(move |at| {
        let id = bytes.get(at + VAULT_AT..at + GENERATION_AT)?;
        let hash = bytes.get(at + BAG_HASH_AT..at + HANDOVER_AT);
        Some(Start {
            at,
            vault: VaultId::from_bytes(id.try_into().ok()?),
            bag: hash.and_then(|hash| hash.try_into().ok()),
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::crypto::InboxIdentity;

    fn facts(master: &MasterKey) -> RootFacts {
        RootFacts {
            vault: VaultId::from_bytes([4; 16]),
            generation: 9,
            fingerprint: master.fingerprint().unwrap(),
            inbox: InboxIdentity::generate().public(),
            bag_hash: [6; 32],
        }
    }

    #[test]
    fn a_slot_comes_back_with_its_facts_and_its_key() {
        let (master, key) = (MasterKey::generate().unwrap(), BagKey::generate().unwrap());
        let facts = facts(&master);
        let made = RootSlot::make(facts.clone(), Copy::A, &master, Handover::None, &key).unwrap();
        let read = RootSlot::decode(made.bytes().to_vec()).unwrap();
        assert_eq!(read.facts(), &facts);
        assert!(read.verify(&master).unwrap());
        assert_eq!(read.bag_key(&master).unwrap().expose(), key.expose());
        assert!(!read.verify(&MasterKey::generate().unwrap()).unwrap());
        assert!(!read.follows(&master).unwrap());
    }

    #[test]
    fn each_copy_has_a_pad_of_its_own() {
        let (master, key) = (MasterKey::generate().unwrap(), BagKey::generate().unwrap());
        let facts = facts(&master);
        let make =
            |copy| RootSlot::make(facts.clone(), copy, &master, Handover::None, &key).unwrap();
        let (a, b) = (make(Copy::A), make(Copy::B));
        assert_ne!(a.bytes()[PAD_AT..HASH_AT], b.bytes()[PAD_AT..HASH_AT]);
        assert_ne!(a.bytes()[SEALED_AT..PAD_AT], b.bytes()[SEALED_AT..PAD_AT]);
    }

    #[test]
    fn a_new_master_key_is_vouched_for_by_the_old_one_only() {
        let (old, new) = (
            MasterKey::generate().unwrap(),
            MasterKey::generate().unwrap(),
        );
        let key = BagKey::generate().unwrap();
        let slot = RootSlot::make(facts(&new), Copy::A, &new, Handover::From(&old), &key).unwrap();
        assert!(slot.follows(&old).unwrap());
        assert!(!slot.follows(&new).unwrap());
        assert!(!slot.verify(&old).unwrap());
    }

    #[test]
    fn a_change_in_any_field_or_block_makes_it_no_slot() {
        let (master, key) = (MasterKey::generate().unwrap(), BagKey::generate().unwrap());
        let slot = RootSlot::make(facts(&master), Copy::A, &master, Handover::None, &key).unwrap();
        let places = (0..PAD_AT)
            .chain((PAD_AT..HASH_AT).step_by(4096))
            .chain(HASH_AT..MAC_AT);
        for at in places {
            let mut changed = slot.bytes().to_vec();
            changed[at] ^= 1;
            assert!(RootSlot::decode(changed).is_err(), "byte {at}");
        }
        for at in MAC_AT..SLOT_LEN {
            let mut changed = slot.bytes().to_vec();
            changed[at] ^= 1;
            assert!(
                !RootSlot::decode(changed).unwrap().verify(&master).unwrap(),
                "byte {at}"
            );
        }
    }

    #[test]
    fn a_slot_of_a_newer_version_is_named_and_not_read() {
        let (master, key) = (MasterKey::generate().unwrap(), BagKey::generate().unwrap());
        let slot = RootSlot::make(facts(&master), Copy::A, &master, Handover::None, &key).unwrap();
        let mut bytes = slot.bytes().to_vec();
        bytes[MAGIC.len()] = 2;
        assert_eq!(RootSlot::decode(bytes).err(), Some(NoSlot::Newer(2)));
    }

    #[test]
    fn only_bag_files_are_taken_for_bag_files() {
        assert_eq!(generation_of_bag_file("bag.17.a"), Some(17));
        assert_eq!(generation_of_bag_file("bag.17.b"), Some(17));
        for name in [
            "bag.17.c",
            "bag..a",
            "bag.+1.a",
            "bag.x.a",
            "store.redb",
            "bag.1",
        ] {
            assert_eq!(generation_of_bag_file(name), None, "{name}");
        }
    }
}
