//! What is due by the rules, and what comes later: looked at, and nothing destroyed.

use crate::recording::{Moment, Recording, RecordingId};
use crate::retention::{self, ClockVerdict, Going, Part, Rule, Subject, Tags, Transcript};
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::{Bag, Clip};
use crate::vault::session::Held;
use crate::vault::store::library;

/// What is to become of a recording by the rules, or became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Expiry {
    /// The recording.
    pub id: RecordingId,
    /// What is known of it, or why its card can't be read.
    pub recording: Result<Box<Recording>, String>,
    /// From when on.
    pub at: Moment,
    /// How much of it.
    pub what: Going,
    /// The rule.
    pub by: String,
}

impl Expiry {
    /// The rule, without the tag that it is for.
    pub(super) fn nameless(&self) -> String {
        match self.by.rsplit_once(": ") {
            Some((scope, clocks)) if scope.starts_with("tag:") => format!("a tag: {clocks}"),
            _ => self.by.clone(),
        }
    }

    /// Whether its sound goes and nobody ever wrote down what was said: transcribing it
    /// failed, and the rules don't wait for what does not come by itself.
    #[must_use]
    pub fn goes_unheard(&self) -> bool {
        let recording = self.recording.as_ref();
        self.what != Going::Text && recording.is_ok_and(|one| one.failed_with_sound())
    }

    /// Its title, as far as that can be read.
    #[must_use]
    pub fn title(&self) -> &str {
        let recording = self.recording.as_ref();
        recording.map_or("", |recording| recording.card.title.as_str())
    }
}

/// What the rules say of everything that is in the vault.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// The rules.
    pub rules: Vec<Rule>,
    /// At what moment they say it.
    pub at: Moment,
    /// What the vault makes of the clock.
    pub clock: ClockVerdict,
    /// The latest time that the vault has seen, milliseconds since 1970-01-01T00:00:00Z.
    pub last_seen_ms: i64,
    /// The latest time up to which clocks went on without a leap, or were confirmed.
    pub believed_ms: i64,
    /// What goes with the next sweep.
    pub due: Vec<Expiry>,
    /// What goes later, in order; a recording may stand here twice, and in `due` as well.
    pub later: Vec<Expiry>,
    /// What goes of those whose sound waits for its transcript, once there is one: at
    /// these moments, or with the first sweep behind it.
    pub once_transcribed: Vec<Expiry>,
    /// How many would go and are pinned.
    pub pinned: usize,
}

/// What the rules say of everything, at this moment.
pub(crate) fn look(held: &Held<'_>, now: Moment) -> Outlook {
    let settings = &held.bag().settings;
    let rules = settings.retention.clone();
    let (mut due, mut later, mut written, mut pinned) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let ids = merged(held.bag()).map(|(id, _)| id).collect::<Vec<_>>();
    let picked = match rules.is_empty() {
        true => Vec::new(),
        false => library::pick(held, &ids),
    };
    for (id, found) in picked {
        let Some(clip) = held.bag().clips.get(&id) else {
            continue;
        };
        let found = found.map(Box::new).map_err(|error| error.to_string());
        let mut subject = subject(clip, &found);
        if settings.is_lost_in_time(held.site().clock.earliest_ms()) {
            // From now on, were this clock confirmed.
            subject.kept_from.unix_ms = subject.kept_from.unix_ms.max(now.unix_ms);
        }
        let unpinned = Subject {
            pinned: false,
            ..subject
        };
        let terms = retention::terms(&rules, &unpinned);
        if subject.pinned {
            let waiting = retention::course_once_written(&rules, &unpinned);
            let goes = !retention::course(&unpinned, &terms).is_empty() || !waiting.is_empty();
            pinned += usize::from(goes);
            continue;
        }
        let now_due = retention::due(&subject, &terms, now);
        let comes = retention::course(&subject, &terms);
        let comes = comes.iter().filter(|step| step.at.unix_ms > now.unix_ms);
        let expiry = |step: &retention::Step<'_>| expiry(id, &found, step);
        later.extend(comes.map(expiry));
        due.extend(now_due.as_ref().map(expiry));
        let waiting = retention::course_once_written(&rules, &subject);
        // Of what is over by now, the last step holds the others.
        let over = waiting.partition_point(|step| step.at.unix_ms <= now.unix_ms);
        let waiting = waiting.iter().skip(over.saturating_sub(1));
        written.extend(waiting.map(expiry));
    }
    for list in [&mut due, &mut later, &mut written] {
        list.sort_by_key(|expiry| (expiry.at.unix_ms, expiry.id));
    }
    Outlook {
        at: now,
        clock: settings.judge(now),
        believed_ms: settings.believed_ms,
        last_seen_ms: settings.last_seen_ms,
        rules,
        due,
        later,
        once_transcribed: written,
        pinned,
    }
}

/// What is due, by the cards of those that can be.
///
/// # Errors
/// If the disk gives no answer: that is no damage, and nothing is decided by it.
pub(super) fn due_now(held: &Held<'_>, now: Moment) -> Result<Vec<Expiry>> {
    let rules = &held.bag().settings.retention;
    let may_be = |clip: &Clip| {
        let earliest = retention::earliest(rules, clip.kept_from);
        !clip.pinned && earliest.is_some_and(|at| at.unix_ms <= now.unix_ms)
    };
    let candidates = merged(held.bag()).filter(|(_, clip)| may_be(clip));
    let ids: Vec<_> = candidates.map(|(id, _)| id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let answers = held
        .store()
        .read(held.lock(), |store| store.begin()?.revision());
    match answers {
        Ok(_) | Err(Error::StoreDamaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut due = Vec::new();
    for (id, found) in library::pick(held, &ids) {
        let Some(clip) = held.bag().clips.get(&id) else {
            continue;
        };
        if let Err(error @ Error::Io { .. }) = found {
            return Err(error);
        }
        let found = found.map(Box::new).map_err(|error| error.to_string());
        let subject = subject(clip, &found);
        let terms = retention::terms(rules, &subject);
        due.extend(retention::due(&subject, &terms, now).map(|step| expiry(id, &found, &step)));
    }
    due.sort_by_key(|expiry| (expiry.at.unix_ms, expiry.id));
    Ok(due)
}

/// Everything that is in the vault: what waits in the inbox is under no rule yet.
fn merged(bag: &Bag) -> impl Iterator<Item = (RecordingId, &Clip)> {
    let clips = bag.clips.iter();
    clips
        .filter(|(_, clip)| clip.extent.is_some())
        .map(|(id, clip)| (*id, clip))
}

fn subject<'a>(clip: &Clip, found: &'a Result<Box<Recording>, String>) -> Subject<'a> {
    let part = |there| match there {
        true => Part::There,
        false => Part::Gone,
    };
    let (audio, text) = (part(clip.sound.is_some()), part(clip.words.is_some()));
    match found {
        Ok(recording) => Subject {
            audio,
            text,
            ..Subject::of(recording)
        },
        Err(_) => Subject {
            kept_from: clip.kept_from,
            tags: Tags::Unreadable,
            pinned: clip.pinned,
            audio,
            text,
            transcript: Transcript::Awaited,
        },
    }
}

fn expiry(
    id: RecordingId,
    found: &Result<Box<Recording>, String>,
    step: &retention::Step<'_>,
) -> Expiry {
    Expiry {
        id,
        recording: found.clone(),
        at: step.at,
        what: step.what,
        by: step.by.map(ToString::to_string).unwrap_or_default(),
    }
}
