//! What the operations are made of: what is recorded, said, edited and destroyed, and what is
//! promised with each step.

use std::sync::Arc;

use super::facts::{Clip, SILENCE, What, card_of};
use super::stage::{QUICK, Stage, secret};
use crate::crypto::recovery::Typed;
use crate::crypto::{Asker, Nobody, RecoveryKey, WayKey};
use crate::recording::{Card, RecordingId, SEGMENT_SAMPLES, Source};
use crate::transcript::Transcript;
use crate::vault::bag::WayKind;
use crate::vault::tests::{PASSPHRASE, packets, transcript};
use crate::vault::{Deed, Error, NewWay, OpenVault, Receipt, Redaction, Result, ShredScope, Vault};

/// What passwd sets.
pub(super) const OTHER_PASSPHRASE: &str = "six other words by now";

/// A recovery key, as it is typed.
pub(super) const RECOVERY: &str =
    "gq97-78vq-xmmj-ve8s-k7j6-vt8u-j4hd-qaju-vsfc-wcm0-2d8g-ewq7-2pvq-2y5j-33";

/// Silences a few segments, and blanks every first word.
pub(super) struct Span;

pub(super) const SPAN: std::ops::Range<u32> = 3..5;

impl Redaction for Span {
    fn silence(&self, segment: u32, packets: &mut [u8]) {
        if SPAN.contains(&segment) {
            packets.copy_from_slice(&SILENCE);
        }
    }

    fn blank(&self, _number: u32, transcript: &Transcript) -> Option<Transcript> {
        let mut blank = transcript.clone();
        blank.segments[0].text = blanked(&transcript.text())?;
        Some(blank)
    }

    fn trim(&self, _card: &mut Card) {}
}

pub(super) fn blanked(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(' ')?;
    Some(format!("[redacted] {rest}"))
}

/// Adds it as a way in.
pub(super) fn add_recovery(open: &OpenVault) -> Result<()> {
    let Typed::Key(key) = RecoveryKey::read(RECOVERY) else {
        panic!("it is one");
    };
    let nobody: Arc<dyn Asker> = Arc::new(Nobody);
    open.add_way(&NewWay {
        name: "recovery",
        kind: WayKind::Recovery,
        key: WayKey::Recipient(&key.recipient(), &nobody),
        now_ms: 7,
    })
}

pub(super) fn init(stage: &Stage) -> Result<()> {
    stage.will(|facts| facts.passphrase = Some(PASSPHRASE));
    Vault::init_at(stage.site(), &secret(PASSPHRASE), QUICK)?;
    stage.did();
    Ok(())
}

/// A vault with recordings 1 to 3, of which 2 has all that a recording can have.
pub(super) fn library(stage: &Stage) {
    init(stage).unwrap();
    for (number, segments) in [(1, 3), (2, 11), (3, 1)] {
        put_down(stage, number, segments);
    }
    let open = stage.open().unwrap();
    open.merge().unwrap();
    let id = stage.facts().id(2);
    for words in ["said first", "said again"] {
        open.add_transcript(id, 0, &transcript(words)).unwrap();
        stage.will(|facts| facts.clip(id).words.push(words.to_owned()));
        stage.did();
    }
    edit(stage, &open, id, "a note").unwrap();
}

fn told(stage: &Stage, id: RecordingId, clip: Clip) {
    stage.will(|facts| drop(facts.clips.insert(id, clip)));
    stage.did();
}

/// A recording that waits in the inbox.
pub(super) fn put_down(stage: &Stage, number: u8, segments: u32) -> RecordingId {
    let vault = stage.vault().unwrap();
    let id = crate::vault::tests::record(&vault, number, segments);
    told(stage, id, Clip::ended(number, segments));
    id
}

/// One whose recorder was killed.
pub(super) fn interrupted(stage: &Stage, number: u8, segments: u32) {
    let vault = stage.vault().unwrap();
    let mut writer = vault.begin(&card_of(number, 0)).unwrap();
    for segment in 0..segments {
        let sound = packets(number, segment);
        writer.push(&sound, SEGMENT_SAMPLES).unwrap();
    }
    told(stage, writer.id(), Clip::running(number, segments));
}

/// One whose keys a rotation takes into the bag while it runs.
pub(super) fn adopted(stage: &Stage, number: u8) {
    let vault = stage.vault().unwrap();
    let mut running = vault.begin(&card_of(number, 2)).unwrap();
    running.push(&packets(number, 0), SEGMENT_SAMPLES).unwrap();
    let open = stage.open().unwrap();
    open.change_settings(&mut |settings| {
        settings.searches.insert("a".to_owned(), "b".to_owned());
    })
    .unwrap();
    running.push(&packets(number, 1), SEGMENT_SAMPLES).unwrap();
    let id = running.finish(&card_of(number, 2)).unwrap();
    told(stage, id, Clip::ended(number, 2));
}

/// Records three segments while the vault is locked. Each is promised as soon as
/// it has been pushed.
pub(super) fn record(stage: &Stage, number: u8) -> Result<RecordingId> {
    const SEGMENTS: u32 = 3;
    let mut writer = stage.vault()?.begin(&card_of(number, 0))?;
    let id = writer.id();
    for segment in 0..SEGMENTS {
        let clip = Clip::running(number, segment + 1);
        stage.will(|facts| drop(facts.clips.insert(id, clip)));
        writer.push(&packets(number, segment), SEGMENT_SAMPLES)?;
        stage.did();
    }
    writer.checkpoint(&card_of(number, SEGMENTS))?;
    let clip = Clip::ended(number, SEGMENTS);
    stage.will(|facts| drop(facts.clips.insert(id, clip)));
    writer.finish(&card_of(number, SEGMENTS))?;
    stage.did();
    Ok(id)
}

pub(super) fn import(stage: &Stage) -> Result<()> {
    const SEGMENTS: u32 = 12;
    let card = Card {
        source: Source::Import,
        content_hash: Some([7; 32]),
        ..card_of(7, SEGMENTS)
    };
    let mut writer = stage.vault()?.begin_copy(&card)?;
    for segment in 0..SEGMENTS {
        writer.push(&packets(7, segment), SEGMENT_SAMPLES)?;
    }
    writer.add_transcript(&transcript("said elsewhere"))?;
    let (id, mut clip) = (writer.id(), Clip::ended(7, SEGMENTS));
    clip.words.push("said elsewhere".to_owned());
    stage.will(|facts| drop(facts.clips.insert(id, clip)));
    writer.finish(&card)?;
    stage.did();
    let open = stage.open()?;
    open.merge()?;
    // The same sound once more, later, with words that are known and words that are not.
    // All of it: where the first could not be merged yet, both wait.
    let mut card = card;
    card.added_at.unix_ms += 1;
    let mut double = stage.vault()?.begin_copy(&card)?;
    for segment in 0..SEGMENTS {
        double.push(&packets(7, segment), SEGMENT_SAMPLES)?;
    }
    double.add_transcript(&transcript("said elsewhere"))?;
    double.add_transcript(&transcript("said again elsewhere"))?;
    stage.will(|facts| facts.clip(id).words.push("said again elsewhere".to_owned()));
    double.finish(&card)?;
    open.merge()?;
    stage.did();
    Ok(())
}

pub(super) fn edit(stage: &Stage, open: &OpenVault, id: RecordingId, note: &str) -> Result<()> {
    stage.will(|facts| facts.clip(id).note = note.to_owned());
    open.update_card(id, &mut |card| card.note = note.to_owned())?;
    stage.did();
    Ok(())
}

/// Says in the log that a recording is about to be played.
pub(super) fn play(stage: &Stage, open: &OpenVault, id: RecordingId) -> Result<()> {
    stage.will(|facts| facts.plays += 1);
    open.log(Deed::Play, &[id], "from 0:00")?;
    stage.did();
    Ok(())
}

/// Shreds recordings by their numbers. One that is not final promises nothing.
pub(super) fn shred(stage: &Stage, numbers: &[u8], scope: ShredScope) -> Result<()> {
    let ids: Vec<RecordingId> = numbers.iter().map(|one| stage.facts().id(*one)).collect();
    let open = stage.open()?;
    let what = match scope {
        ShredScope::Everything => What::All,
        ShredScope::Sound => What::Sound,
    };
    stage.will(|facts| ids.iter().for_each(|id| facts.destroy(*id, what)));
    finally(open.shred(&ids, scope, &mut |_, _| ())?)?;
    stage.did();
    Ok(())
}

pub(super) fn finally(receipt: Receipt) -> Result<()> {
    match receipt.not_final {
        None => Ok(()),
        Some(why) => Err(Error::damaged("the receipt", why)),
    }
}
