//! A bag as it is written: the value in postcard's wire format, padded, and sealed
//! with the bag key.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{Bag, Clip, Clips, Extent, FormerLog, Settings, Tombstone};
use crate::crypto::{
    BackupIdentity, BagKey, ClipKey, CryptoError, InboxIdentity, LogKey, SigningSeed, open, seal,
};
use crate::recording::{Moment, RecordingId};

/// Written before everything else in a bag's plaintext.
pub(super) const VERSION: u8 = 1;

/// A bag is padded to multiples of this, so that one clip more or less seldom
/// changes its size. (How many there are shows elsewhere in the directory.)
const STEP: usize = 4096;

/// Version, and the length of what follows without the padding.
const HEAD: usize = 1 + 4;

/// No number is longer, as postcard writes it.
const VARINT_MOST: usize = 10;

/// No [`WireClip`] is longer: its id, the hash of its extent, three keys with their
/// lengths, six numbers, three tags and a truth.
const CLIP_MOST: usize = 16 + 32 + 3 * (1 + 32) + 6 * VARINT_MOST + 3 + 1;

impl Bag {
    /// The bag as it is written: an age file under the bag key.
    pub fn seal(&self, key: &BagKey) -> Result<Vec<u8>, CryptoError> {
        seal(key, &self.encode()?)
    }

    /// The reverse of [`seal`](Self::seal).
    pub fn open(key: &BagKey, sealed: &[u8]) -> Result<Self, CryptoError> {
        Self::decode(&open(key, sealed)?)
    }

    pub(super) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        const WHY: CryptoError = CryptoError::Damaged("the bag could not be encoded");
        let inbox = self.inbox.to_text();
        let former: Vec<_> = self
            .former_backups
            .iter()
            .map(BackupIdentity::to_text)
            .collect();
        let rest = Rest {
            tombstones: Cow::Borrowed(&self.tombstones),
            settings: Cow::Borrowed(&self.settings),
            inbox: inbox.as_str(),
            former_backups: former.iter().map(|text| text.as_str()).collect(),
            log: Secret(self.log.expose()),
            former_logs: self
                .former_logs
                .iter()
                .map(|former| (former.last, Secret(former.key.expose())))
                .collect(),
            signing: Secret(self.signing.expose()),
        };
        let measure = postcard::ser_flavors::Size::default();
        let rest_len = postcard::serialize_with_flavor(&rest, measure).map_err(|_| WHY)?;
        // Large enough from the start, so that no reallocation leaves keys behind.
        let most = HEAD + VARINT_MOST + self.clips.len() * CLIP_MOST + rest_len;
        let mut bytes = Zeroizing::new(vec![0; most.next_multiple_of(STEP)]);
        let mut end = HEAD;
        let clips = Listed(&self.clips);
        end += postcard::to_slice(&clips, &mut bytes[end..])
            .map_err(|_| WHY)?
            .len();
        end += postcard::to_slice(&rest, &mut bytes[end..])
            .map_err(|_| WHY)?
            .len();
        let length = u32::try_from(end - HEAD).map_err(|_| WHY)?;
        bytes[0] = VERSION;
        bytes[1..HEAD].copy_from_slice(&length.to_le_bytes());
        bytes.truncate(end.next_multiple_of(STEP));
        Ok(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CryptoError> {
        const WHY: CryptoError = CryptoError::Damaged("not a bag");
        let (head, bytes) = bytes.split_first_chunk::<HEAD>().ok_or(WHY)?;
        let [version, length @ ..] = *head;
        if version != VERSION {
            return Err(CryptoError::Damaged(
                "a bag of a version that is not known here",
            ));
        }
        let length = u32::from_le_bytes(length) as usize;
        let bytes = bytes.get(..length).ok_or(WHY)?;
        let (clips, bytes) =
            postcard::take_from_bytes::<Vec<WireClip<'_>>>(bytes).map_err(|_| WHY)?;
        let rest: Rest<'_> = postcard::from_bytes(bytes).map_err(|_| WHY)?;
        let clip = |wire: WireClip<'_>| Ok((wire.id, wire.into_clip()?));
        Ok(Self {
            clips: clips
                .into_iter()
                .map(clip)
                .collect::<Result<_, CryptoError>>()?,
            tombstones: rest.tombstones.into_owned(),
            settings: rest.settings.into_owned(),
            inbox: InboxIdentity::from_text(rest.inbox)?,
            former_backups: rest
                .former_backups
                .into_iter()
                .map(str::parse)
                .collect::<Result<_, CryptoError>>()?,
            log: LogKey::from_bytes(rest.log.whole()?),
            former_logs: rest
                .former_logs
                .into_iter()
                .map(|(last, key)| {
                    let key = LogKey::from_bytes(key.whole()?);
                    Ok(FormerLog { last, key })
                })
                .collect::<Result<_, CryptoError>>()?,
            signing: SigningSeed::from_bytes(rest.signing.whole()?),
        })
    }
}

/// The recordings as postcard writes them, one [`WireClip`] after the other.
struct Listed<'a>(&'a Clips);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut clips = serializer.serialize_seq(Some(self.0.len()))?;
        for (id, clip) in self.0.iter() {
            clips.serialize_element(&WireClip::of(*id, clip))?;
        }
        clips.end()
    }
}

/// One recording. It borrows: keys go straight from their own place into the buffer
/// that is sealed, and back.
#[derive(Serialize, Deserialize)]
struct WireClip<'a> {
    id: RecordingId,
    epoch: u32,
    #[serde(borrow)]
    sound: Option<Secret<'a>>,
    words: Option<Secret<'a>>,
    card: Secret<'a>,
    extent: Option<Extent>,
    since: u64,
    came: u64,
    kept_from: Moment,
    pinned: bool,
}

impl<'a> WireClip<'a> {
    fn of(id: RecordingId, clip: &'a Clip) -> Self {
        let secret = |key: &'a ClipKey| Secret(key.expose());
        Self {
            id,
            epoch: clip.epoch,
            sound: clip.sound.as_ref().map(secret),
            words: clip.words.as_ref().map(secret),
            card: secret(&clip.card),
            extent: clip.extent,
            since: clip.since,
            came: clip.came,
            kept_from: clip.kept_from,
            pinned: clip.pinned,
        }
    }

    fn into_clip(self) -> Result<Clip, CryptoError> {
        let key = |secret: Secret<'_>| secret.whole().map(ClipKey::from_bytes);
        Ok(Clip {
            epoch: self.epoch,
            sound: self.sound.map(key).transpose()?,
            words: self.words.map(key).transpose()?,
            card: key(self.card)?,
            extent: self.extent,
            since: self.since,
            came: self.came,
            kept_from: self.kept_from,
            pinned: self.pinned,
        })
    }
}

/// What follows the recordings.
#[derive(Serialize, Deserialize)]
struct Rest<'a> {
    tombstones: Cow<'a, BTreeSet<Tombstone>>,
    settings: Cow<'a, Settings>,
    inbox: &'a str,
    former_backups: Vec<&'a str>,
    #[serde(borrow)]
    log: Secret<'a>,
    former_logs: Vec<(u32, Secret<'a>)>,
    signing: Secret<'a>,
}

/// Bytes of a secret, in one piece: serde takes a slice for a sequence, and goes
/// through it number by number.
#[derive(Deserialize)]
#[serde(transparent)]
struct Secret<'a>(&'a [u8]);

impl<'a> Secret<'a> {
    /// The bytes, which have one length in all secrets.
    fn whole(self) -> Result<&'a [u8; 32], CryptoError> {
        let Self(bytes) = self;
        bytes
            .try_into()
            .map_err(|_| CryptoError::Damaged("a key that is not 32 bytes long"))
    }
}

impl Serialize for Secret<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn no_clip_is_longer_than_what_is_left_free_for_it() {
        let extent = Extent {
            segments: u64::MAX,
            hash: [0; 32],
        };
        let kept_from = Moment {
            unix_ms: i64::MIN,
            offset_s: i32::MIN,
        };
        let secret = || Secret(&[0; 32]);
        let largest = WireClip {
            id: RecordingId::from_bytes([0; 16]),
            epoch: u32::MAX,
            sound: Some(secret()),
            words: Some(secret()),
            card: secret(),
            extent: Some(extent),
            since: u64::MAX,
            came: u64::MAX,
            kept_from,
            pinned: true,
        };
        assert!(postcard::to_allocvec(&largest).unwrap().len() <= CLIP_MOST);
    }
}
