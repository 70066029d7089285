//! How long recordings are kept: what the rules say of one of them, and when.
//!
//! Pure: nothing here does I/O or reads a clock. The vault says what it knows of a
//! recording, the caller says what time it is.
//!
//! What several rules mean:
//!
//! - A recording has two clocks, one for its audio and one for its text. A rule may
//!   speak of one or of both.
//! - Rules for a tag replace the rule for all, clock by clock, where they speak of it.
//! - Of several tag rules that fit, the one that keeps longest counts.
//! - What no rule speaks of is kept forever. A pinned recording is left alone.
//! - Once audio and text have both run out, nothing is left to keep the card for: the
//!   whole recording goes.
//! - An age of nothing, for audio, means as long as it takes to write it down: it waits
//!   for the transcript, where there is one to come. Its text waits as well: what is not
//!   there has no age, and without the key to it no transcript could come any more.

mod clock;
mod rule;

pub use self::clock::{ClockVerdict, EARLIEST_MS, TRUSTED_AHEAD_MS, Trust, dated, judge_clock};
pub use self::rule::{Keep, Rule, let_go, remove_rule, set_rule};
use crate::recording::{KeptUntil, Moment, Recording, SoundLeft};

/// Whether a part of a recording is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is.
    There,
    /// It was shredded.
    Gone,
}

/// The tags of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags<'a> {
    /// These.
    Known(&'a [String]),
    /// Its card can't be read: it may have any.
    Unreadable,
}

/// Whether a recording waits for a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transcript {
    /// It does, and has none yet.
    Awaited,
    /// It has one, or will get none by itself.
    Settled,
}

/// What the rules go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// From when its age counts.
    pub kept_from: Moment,
    /// Its tags.
    pub tags: Tags<'a>,
    /// Rules leave it alone.
    pub pinned: bool,
    /// Its sound.
    pub audio: Part,
    /// Its transcripts, and the key to those that may come.
    pub text: Part,
    /// Whether what is said in it is still to be written down.
    pub transcript: Transcript,
}

impl<'a> Subject<'a> {
    /// A recording whose card can be read.
    #[must_use]
    pub fn of(recording: &'a Recording) -> Self {
        let part = |there| if there { Part::There } else { Part::Gone };
        // A backup may bring lost sound back, to be written down.
        let is_lost = recording.sound_left() == SoundLeft::Lost && recording.versions.is_empty();
        Self {
            kept_from: recording.kept_from,
            tags: Tags::Known(&recording.card.tags),
            pinned: recording.card.pinned,
            audio: part(!recording.sound_shredded),
            text: part(!recording.text_shredded),
            transcript: match recording.waits_for_transcript() || is_lost {
                true => Transcript::Awaited,
                false => Transcript::Settled,
            },
        }
    }
}

/// When a clock runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At this moment.
    At(Moment),
    /// Once there is a transcript; from this moment on, were there one.
    OnceWritten(Moment),
    /// Never.
    Never,
}

impl End {
    /// The moment, for those to whom none is forever.
    #[must_use]
    pub fn moment(self) -> Option<Moment> {
        match self {
            Self::At(moment) | Self::OnceWritten(moment) => Some(moment),
            Self::Never => None,
        }
    }

    fn at(self) -> Option<Moment> {
        match self {
            Self::At(moment) => Some(moment),
            Self::OnceWritten(_) | Self::Never => None,
        }
    }

    /// Later ones are larger.
    fn rank(self) -> (u8, i64) {
        match self {
            Self::At(moment) => (0, moment.unix_ms),
            Self::OnceWritten(_) => (1, 0),
            Self::Never => (2, 0),
        }
    }
}

/// When a clock runs out, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term<'r> {
    /// When.
    pub end: End,
    /// The rule that says so; `None` where none speaks of it.
    pub by: Option<&'r Rule>,
}

/// What the rules say of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms<'r> {
    /// Of its audio.
    pub audio: Term<'r>,
    /// Of its text.
    pub text: Term<'r>,
}

/// One of the two clocks of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Audio,
    Text,
}

/// What these rules say of a recording.
#[must_use]
pub fn terms<'r>(rules: &'r [Rule], subject: &Subject<'_>) -> Terms<'r> {
    let audio = term(rules, subject, Clock::Audio);
    let mut text = term(rules, subject, Clock::Text);
    let waits = match subject.tags {
        Tags::Known(_) => matches!(audio.end, End::OnceWritten(_)),
        // Whichever tags it has: any of the rules may make it wait.
        Tags::Unreadable => rules.iter().filter_map(|rule| rule.audio).any(|keep| {
            let end = end(keep, subject, Clock::Audio);
            matches!(end, End::OnceWritten(_))
        }),
    };
    if let (true, End::At(until)) = (waits, text.end) {
        text.end = End::OnceWritten(until);
    }
    Terms { audio, text }
}

fn term<'r>(rules: &'r [Rule], subject: &Subject<'_>, clock: Clock) -> Term<'r> {
    const NEVER: Term<'_> = Term {
        end: End::Never,
        by: None,
    };
    if subject.pinned {
        return NEVER;
    }
    let said = |rule: &'r Rule| {
        let keep = match clock {
            Clock::Audio => rule.audio?,
            Clock::Text => rule.text?,
        };
        Some(Term {
            end: end(keep, subject, clock),
            by: Some(rule),
        })
    };
    let longest =
        |terms: &mut dyn Iterator<Item = Term<'r>>| terms.max_by_key(|term| term.end.rank());
    let general = || {
        rules
            .iter()
            .filter(|rule| rule.tag.is_none())
            .filter_map(said)
    };
    let found = match subject.tags {
        Tags::Known(tags) => {
            let fits = |rule: &&Rule| {
                let of = |tag: &String| rule.is_for(Some(tag));
                rule.tag.is_some() && tags.iter().any(of)
            };
            longest(&mut rules.iter().filter(fits).filter_map(said))
                .or_else(|| longest(&mut general()))
        }
        // Whichever tags it has: not before the last of all rules.
        Tags::Unreadable => match general().next() {
            Some(_) => longest(&mut rules.iter().filter_map(said)),
            // Without a tag that a rule speaks of it would be kept.
            None => None,
        },
    };
    found.unwrap_or(NEVER)
}

fn end(keep: Keep, subject: &Subject<'_>, clock: Clock) -> End {
    let Keep::For(age) = keep else {
        return End::Never;
    };
    let until = Moment::from_zoned(&age.after(&subject.kept_from.to_zoned()));
    let is_nothing = (age.months, age.days, age.seconds) == (0, 0, 0);
    match (clock, subject.transcript) {
        (Clock::Audio, Transcript::Awaited) if is_nothing && subject.text == Part::There => {
            End::OnceWritten(until)
        }
        _ => End::At(until),
    }
}

/// Until when the rules leave a recording alone.
#[must_use]
pub fn kept_until(rules: &[Rule], recording: &Recording) -> KeptUntil {
    let terms = terms(rules, &Subject::of(recording));
    KeptUntil {
        audio: terms.audio.end.moment(),
        text: terms.text.end.moment(),
    }
}

/// How much of a recording goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Going {
    /// All of it, with its card.
    Everything,
    /// Its audio; text and card stay.
    Audio,
    /// Its transcripts; audio and card stay.
    Text,
}

impl Going {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Audio => "audio",
            Self::Text => "text",
        }
    }
}

/// Something that goes, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'r> {
    /// From this moment on.
    pub at: Moment,
    /// How much.
    pub what: Going,
    /// The rule by which it goes.
    pub by: Option<&'r Rule>,
}

/// What will go of a recording as it is now, in order: at most two steps.
#[must_use]
pub fn course<'r>(subject: &Subject<'_>, terms: &Terms<'r>) -> Vec<Step<'r>> {
    if subject.pinned {
        return Vec::new();
    }
    let ends = |term: Term<'r>, what| {
        let by = term.by;
        term.end.at().map(|at| Step { at, what, by })
    };
    let audio = ends(terms.audio, Going::Audio);
    let text = ends(terms.text, Going::Text);
    let parts = [(subject.audio, audio), (subject.text, text)];
    let mut steps: Vec<Step<'_>> = parts
        .into_iter()
        .filter_map(|(part, step)| step.filter(|_| part == Part::There))
        .collect();
    steps.sort_by_key(|step| step.at.unix_ms);
    // Whatever of it was shredded by hand: until both clocks have run out its card stays.
    if let (Some(one), Some(two)) = (audio, text) {
        let last = match one.at.unix_ms > two.at.unix_ms {
            true => one,
            false => two,
        };
        steps.retain(|step| step.at.unix_ms < last.at.unix_ms);
        steps.push(Step {
            what: Going::Everything,
            ..last
        });
    }
    steps
}

/// What will go of a recording whose sound waits for its transcript, once there is one:
/// from these moments on, were it there. Nothing where it waits for none.
#[must_use]
pub fn course_once_written<'r>(rules: &'r [Rule], subject: &Subject<'_>) -> Vec<Step<'r>> {
    let Terms { audio, text } = terms(rules, subject);
    let waits = |term: &Term<'_>| matches!(term.end, End::OnceWritten(_));
    if ![audio, text].iter().any(waits) {
        return Vec::new();
    }
    let written = Subject {
        transcript: Transcript::Settled,
        ..*subject
    };
    course(&written, &terms(rules, &written))
}

/// What is due of a recording now.
#[must_use]
pub fn due<'r>(subject: &Subject<'_>, terms: &Terms<'r>, now: Moment) -> Option<Step<'r>> {
    let course = course(subject, terms);
    let over = |step: &&Step<'_>| step.at.unix_ms <= now.unix_ms;
    course.iter().rev().find(over).copied()
}

/// The earliest moment at which anything can be due of something whose age counts from
/// `kept_from`, whatever its card says; `None` is never.
#[must_use]
pub fn earliest(rules: &[Rule], kept_from: Moment) -> Option<Moment> {
    let keeps = rules.iter().flat_map(|rule| [rule.audio, rule.text]);
    let ends = keeps.flatten().filter_map(|keep| match keep {
        Keep::Forever => None,
        Keep::For(age) => Some(Moment::from_zoned(&age.after(&kept_from.to_zoned()))),
    });
    ends.min_by_key(|end| end.unix_ms)
}

#[cfg(test)]
mod tests;
