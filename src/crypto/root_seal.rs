//! What the root needs of cryptography: a mask over the bag key, a MAC and a
//! fingerprint, all derived from the master key M with HKDF-SHA-256, and the hash that both are made over.

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::secret::SECRET_LEN;
use super::{BagKey, CryptoError, MasterKey, VaultId};

/// Length of a sealed bag key, of a MAC, and of the hashes.
pub const TAG_LEN: usize = 32;
/// Length of a fingerprint.
pub const FINGERPRINT_LEN: usize = 16;

const FINGERPRINT_LABEL: &[u8] = b"voxvault 1 fingerprint";
const MAC_LABEL: &[u8] = b"voxvault 1 root mac";
const MASK_LABEL: &[u8] = b"voxvault 1 bag key";
const HANDOVER_LABEL: &[u8] = b"voxvault 1 handover";

/// The hash of what the root binds: its own slots and the bag. BLAKE3, because a
/// rotation hashes the whole bag, and SHA-256 takes longer over that than the disk
/// takes to write it where the processor has no instructions for it.
#[must_use]
pub fn root_hash(bytes: &[u8]) -> [u8; TAG_LEN] {
    blake3::hash(bytes).into()
}

/// What a sealed bag key is bound to: it opens nowhere else.
pub struct SealedPlace<'a> {
    /// The vault.
    pub vault: VaultId,
    /// The generation of the bag.
    pub generation: u64,
    /// Which copy of the root the pad was made for.
    pub copy: u8,
    /// The random pad of that copy; losing a part of it loses the key.
    pub pad: &'a [u8],
}

impl SealedPlace<'_> {
    fn digest(&self) -> [u8; TAG_LEN] {
        let mut hash = blake3::Hasher::new();
        hash.update(MASK_LABEL);
        hash.update(self.vault.as_bytes());
        hash.update(&self.generation.to_le_bytes());
        hash.update(&[self.copy]);
        hash.update(self.pad);
        hash.finalize().into()
    }
}

impl MasterKey {
    /// Tells which M a root slot was made with, and nothing about M.
    pub fn fingerprint(&self) -> Result<[u8; FINGERPRINT_LEN], CryptoError> {
        let mut fingerprint = [0; FINGERPRINT_LEN];
        let derived = self.derive(None, FINGERPRINT_LABEL)?;
        fingerprint.copy_from_slice(&derived[..FINGERPRINT_LEN]);
        Ok(fingerprint)
    }

    /// Seals the bag key: both directions are an exclusive or with a mask that
    /// is never used twice, since the pad is fresh. The MAC authenticates it.
    pub fn seal_bag_key(
        &self,
        place: &SealedPlace<'_>,
        key: &BagKey,
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        let mask = self.derive(Some(&place.digest()), MASK_LABEL)?;
        let mut sealed = [0; TAG_LEN];
        for ((sealed, key), mask) in sealed.iter_mut().zip(key.expose()).zip(mask.iter()) {
            *sealed = key ^ mask;
        }
        Ok(sealed)
    }

    /// The reverse of [`seal_bag_key`](Self::seal_bag_key). Ask only after the
    /// MAC was verified.
    pub fn open_bag_key(
        &self,
        place: &SealedPlace<'_>,
        sealed: &[u8; TAG_LEN],
    ) -> Result<BagKey, CryptoError> {
        let mask = self.derive(Some(&place.digest()), MASK_LABEL)?;
        BagKey::fill_with(|key| {
            for ((key, sealed), mask) in key.iter_mut().zip(sealed).zip(mask.iter()) {
                *key = sealed ^ mask;
            }
            Ok(())
        })
    }

    /// Authenticates a root slot of this vault by its hash.
    pub fn root_mac(
        &self,
        vault: VaultId,
        hash: &[u8; TAG_LEN],
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        Ok(self
            .mac(MAC_LABEL, vault, hash)?
            .finalize()
            .into_bytes()
            .into())
    }

    /// Whether the MAC is that of [`root_mac`](Self::root_mac); in constant time.
    pub fn verifies_root(
        &self,
        vault: VaultId,
        hash: &[u8; TAG_LEN],
        mac: &[u8; TAG_LEN],
    ) -> Result<bool, CryptoError> {
        Ok(self.mac(MAC_LABEL, vault, hash)?.verify_slice(mac).is_ok())
    }

    /// Vouches for the root that follows under another master key.
    pub fn handover_mac(
        &self,
        vault: VaultId,
        facts: &[u8; TAG_LEN],
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        Ok(self
            .mac(HANDOVER_LABEL, vault, facts)?
            .finalize()
            .into_bytes()
            .into())
    }

    /// Whether the MAC is that of [`handover_mac`](Self::handover_mac); in
    /// constant time.
    pub fn verifies_handover(
        &self,
        vault: VaultId,
        facts: &[u8; TAG_LEN],
        mac: &[u8; TAG_LEN],
    ) -> Result<bool, CryptoError> {
        Ok(self
            .mac(HANDOVER_LABEL, vault, facts)?
            .verify_slice(mac)
            .is_ok())
    }

    fn mac(
        &self,
        label: &[u8],
        vault: VaultId,
        hash: &[u8; TAG_LEN],
    ) -> Result<Hmac<Sha256>, CryptoError> {
        let key = self.derive(Some(vault.as_bytes()), label)?;
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(key.as_slice())
            .map_err(|_| CryptoError::Damaged("HMAC took no key"))?;
        Ok(mac.chain_update(hash))
    }

    fn derive(
        &self,
        salt: Option<&[u8]>,
        label: &[u8],
    ) -> Result<Zeroizing<[u8; SECRET_LEN]>, CryptoError> {
        let mut derived = Zeroizing::new([0; SECRET_LEN]);
        Hkdf::<Sha256>::new(salt, self.expose())
            .expand(label, derived.as_mut_slice())
            .map_err(|_| CryptoError::Damaged("HKDF gave no key"))?;
        Ok(derived)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn place(pad: &[u8]) -> SealedPlace<'_> {
        SealedPlace {
            vault: VaultId::from_bytes([7; 16]),
            generation: 3,
            copy: b'a',
            pad,
        }
    }

    #[test]
    fn a_bag_key_opens_where_it_was_sealed_and_nowhere_else() {
        let master = MasterKey::generate().unwrap();
        let key = BagKey::generate().unwrap();
        let pad = [9; 1000];
        let sealed = master.seal_bag_key(&place(&pad), &key).unwrap();
        let opens = |place: &SealedPlace<'_>, master: &MasterKey| {
            master.open_bag_key(place, &sealed).unwrap().expose() == key.expose()
        };
        assert!(opens(&place(&pad), &master));
        let mut short_of_a_bit = pad;
        short_of_a_bit[999] ^= 1;
        assert!(!opens(&place(&short_of_a_bit), &master));
        assert!(!opens(
            &SealedPlace {
                generation: 4,
                ..place(&pad)
            },
            &master
        ));
        assert!(!opens(
            &SealedPlace {
                copy: b'b',
                ..place(&pad)
            },
            &master
        ));
        let other = VaultId::from_bytes([8; 16]);
        assert!(!opens(
            &SealedPlace {
                vault: other,
                ..place(&pad)
            },
            &master
        ));
        assert!(!opens(&place(&pad), &MasterKey::generate().unwrap()));
    }

    #[test]
    fn a_mac_is_of_one_key_one_vault_and_one_hash() {
        let master = MasterKey::generate().unwrap();
        let vault = VaultId::from_bytes([1; 16]);
        let mac = master.root_mac(vault, &[5; 32]).unwrap();
        assert!(master.verifies_root(vault, &[5; 32], &mac).unwrap());
        assert!(!master.verifies_root(vault, &[6; 32], &mac).unwrap());
        assert!(
            !master
                .verifies_root(VaultId::from_bytes([2; 16]), &[5; 32], &mac)
                .unwrap()
        );
        let other = MasterKey::generate().unwrap();
        assert!(!other.verifies_root(vault, &[5; 32], &mac).unwrap());
        assert_ne!(other.fingerprint().unwrap(), master.fingerprint().unwrap());
    }
}
