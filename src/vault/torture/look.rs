//! Opens what a fault left, and compares it with what was promised.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::attacker::{Evidence, attack};
use super::facts::{Clip, Facts, observe};
use super::logged;
use super::stage::{DIR, QUICK, Told, secret, site};
use crate::recording::RecordingId;
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::notice::Notice;
use crate::vault::{Error, OpenVault, Vault, store};

/// What is wrong with an image.
#[derive(Debug)]
pub(super) enum Wrong {
    /// Something that was promised is not there, or something is that nobody
    /// asked for.
    Lost(String),
    /// Something that was destroyed can be got at.
    Unshredded(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(why) => write!(f, "lost: {why}"),
            Self::Unshredded(why) => write!(f, "not destroyed: {why}"),
        }
    }
}

/// What may be told about an image when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// A fault cut something short. Nothing but mending is told, and what was not finished.
    Fault,
    /// A block was damaged on top of that.
    Damage,
}

/// Opens an image and puts it in order as the program does when it starts.
pub(super) fn recover(
    disk: &SimDisk,
    passphrases: &[&'static str],
) -> Result<(OpenVault, &'static str), Error> {
    let vault = Vault::open_at(site(disk))?;
    let mut answer = Err(Error::NoVault {
        dir: vault.dir().to_owned(),
    });
    for passphrase in passphrases {
        match vault.unlock(&secret(passphrase)) {
            Err(error @ Error::WrongPassphrase { .. }) => answer = Err(error),
            Err(error) => return Err(error),
            Ok(open) => {
                open.merge()?;
                return Ok((open, *passphrase));
            }
        }
    }
    answer
}

/// Everything that must hold of an image; how the vault turned out to be.
pub(super) fn look(
    disk: &SimDisk,
    told: &Told,
    evidence: &Evidence,
    harm: Harm,
) -> Result<Facts, Wrong> {
    let lost = |what: &str, why: String| Wrong::Lost(format!("{what}: {why}"));
    // What was promised is final, before anything is put in order.
    // (Which of two passphrases opens it shows only then.)
    let next = told.next.as_ref();
    let is_known = next.is_none_or(|next| next.passphrase == told.now.passphrase);
    if harm == Harm::Fault && is_known {
        let mut now = told.now.clone();
        // What is just being destroyed is no control: it may be gone already.
        let lives_on = |id: &RecordingId, clip: &Clip| {
            next.is_none_or(|next| {
                let after = next.clips.get(id);
                after.is_some_and(|after| after.sound == clip.sound)
            })
        };
        now.clips.retain(|id, clip| lives_on(id, clip));
        attack(disk, evidence, &now).map_err(Wrong::Unshredded)?;
    }
    let allowed = told.allowed();
    let passphrases: Vec<&str> = allowed
        .iter()
        .filter_map(|facts| facts.passphrase)
        .collect();
    let recovered = match recover(disk, &passphrases) {
        Err(Error::NoVault { .. }) if told.now.passphrase.is_none() => {
            return make_anew(disk, passphrases[0]);
        }
        other => other,
    };
    let (open, passphrase) = recovered.map_err(|error| lost("opening", error.to_string()))?;
    let notices = [open.vault().notices(), &open.notices()].concat();
    let expected = |notice: &&Notice| {
        use Notice::{Mended, PutInForce, Unfinished};
        matches!(
            notice,
            Mended { .. } | PutInForce { .. } | Unfinished { .. }
        )
    };
    if let Some(notice) = notices.iter().find(|notice| !expected(notice)) {
        return Err(lost("told", notice.to_string()));
    }
    let found = observe(&open).map_err(|why| lost("reading", why))?;
    let inbox = open.vault().inbox();
    let inbox = inbox.map_err(|error| lost("the inbox", error.to_string()))?;
    if let Some(left) = inbox.first() {
        return Err(lost("the inbox", format!("{} is still there", left.id)));
    }
    let log = open.read_log();
    let log = log.map_err(|error| lost("reading the log", error.to_string()))?;
    // What is being mended is no damage at any time.
    let is_mended = |facts: &&Facts| facts.clips.values().any(Clip::is_damaged);
    if harm == Harm::Fault && allowed.iter().any(is_mended) {
        let verified = open.verify(&|_, _| ());
        let verified = verified.map_err(|error| lost("verifying", error.to_string()))?;
        if let Some(flaw) = verified.flaws.iter().find(|flaw| !flaw.mended) {
            return Err(lost("verifying", format!("{flaw:?}")));
        }
    }
    drop(open);
    let is_it = |facts: &&&Facts| facts.passphrase == Some(passphrase) && facts.clips == found;
    let Some(state) = allowed.iter().find(is_it) else {
        let wanted: Vec<_> = allowed.iter().map(|facts| &facts.clips).collect();
        return Err(lost(
            "it holds",
            format!("{found:?} and not one of {wanted:?}"),
        ));
    };
    // Done is done: what was cut short has been brought to its end by now.
    attack(disk, &evidence.with(disk), state).map_err(Wrong::Unshredded)?;
    changes_nothing(disk, passphrase, &state.clips)?;
    let mut state = (*state).clone();
    if harm == Harm::Fault {
        state.plays =
            logged::check(&log, &allowed, &state, &found).map_err(|why| lost("the log", why))?;
    }
    Ok(state)
}

/// Where there need not be a vault yet, one can be made.
fn make_anew(disk: &SimDisk, passphrase: &'static str) -> Result<Facts, Wrong> {
    let made = Vault::init_at(site(disk), &secret(passphrase), QUICK);
    let open = made.map_err(|error| Wrong::Lost(format!("making it anew: {error}")))?;
    match observe(&open) {
        Ok(found) if found.is_empty() => Ok(Facts::default()),
        other => Err(Wrong::Lost(format!("made anew, it holds {other:?}"))),
    }
}

/// A vault that is in order is not written to when it is opened once more.
///
/// The store is left out of the bytes that are compared, and what is in it compared
/// instead: whoever opens it first in a process has all of it checked, and redb
/// notes that it was opened and closed.
fn changes_nothing(
    disk: &SimDisk,
    passphrase: &'static str,
    clips: &BTreeMap<RecordingId, Clip>,
) -> Result<(), Wrong> {
    let again = disk.fork();
    let opened = recover(&again, &[passphrase]);
    let (open, _) = opened.map_err(|error| Wrong::Lost(format!("opening again: {error}")))?;
    let notices = [open.vault().notices(), &open.notices()].concat();
    let found = observe(&open);
    drop(open);
    if found.as_ref() != Ok(clips) {
        return Err(Wrong::Lost(format!("opened again, it holds {found:?}")));
    }
    if let Some(notice) = notices.first() {
        return Err(Wrong::Lost(format!("opened again, it told: {notice}")));
    }
    let (before, after) = (disk.files(), again.files());
    let store = Path::new(DIR).join(store::FILE);
    for (path, bytes) in &before {
        if *path != store && after.get(path) != Some(bytes) {
            let path = path.display();
            return Err(Wrong::Lost(format!("opened again, {path} changed")));
        }
    }
    match before.len() == after.len() {
        true => Ok(()),
        false => Err(Wrong::Lost("opened again, there is a new file".to_owned())),
    }
}
