//! Filters: what can be asked of a recording without its words.
//!
//! One grammar serves `list`, `show`, `export` and `shred`, where a word that is
//! no filter is an error, and `search`, where it is searched for. A filter is
//! [readied](Filter::at) with "now" and the recording added last, and then
//! asked of one recording after the other.

use std::time::Duration;

use jiff::{ToSpan as _, Zoned};

use super::text::fold;
use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::time::{When, parse_duration, start_of};

/// An argument that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Not of the form `key:value` and none of the three words.
    #[error("“{0}” is neither an id nor a filter")]
    Word(String),
    /// The key is known, the value is not usable.
    #[error("“{0}” has no usable value")]
    Value(String),
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        let hint = "filters are tag: title: note: after: before: longer: shorter: lang: device: \
                    is:pinned is:untranscribed is:silent last today yesterday";
        Self::new(Exit::Usage, "can't use the filter", error.to_string()).hint(hint)
    }
}

/// One question. Texts are folded, so case and accents don't matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Has exactly this tag.
    Tag(String),
    /// The title holds this text.
    Title(String),
    /// The note holds this text.
    Note(String),
    /// Spoken at this time or later.
    After(When),
    /// Spoken earlier than this.
    Before(When),
    /// Lasts longer than this.
    Longer(Duration),
    /// Lasts less than this.
    Shorter(Duration),
    /// The newest transcript's language: `en` also stands for `en-GB`.
    Language(String),
    /// The microphone's name holds this text.
    Device(String),
    /// Retention rules leave it alone.
    Pinned,
    /// It has no transcript.
    Untranscribed,
    /// There is nothing to hear in it.
    Silent,
    /// It was added last of all.
    Last,
    /// Spoken today.
    Today,
    /// Spoken yesterday.
    Yesterday,
}

impl Test {
    /// Reads one filter, `key:value` or one of the three words.
    ///
    /// # Errors
    /// What is no filter, or one without a usable value.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let unusable = || FilterError::Value(text.to_owned());
        let Some((key, value)) = text.split_once(':') else {
            return match text {
                "last" => Ok(Self::Last),
                "today" => Ok(Self::Today),
                "yesterday" => Ok(Self::Yesterday),
                _ => Err(FilterError::Word(text.to_owned())),
            };
        };
        let folded = || match fold(value.trim()) {
            empty if empty.is_empty() => Err(unusable()),
            folded => Ok(folded),
        };
        match key {
            "tag" => match fold(value.trim().trim_start_matches('#')) {
                empty if empty.is_empty() => Err(unusable()),
                tag => Ok(Self::Tag(tag)),
            },
            "title" => folded().map(Self::Title),
            "note" => folded().map(Self::Note),
            "device" => folded().map(Self::Device),
            "lang" => folded().map(Self::Language),
            "after" => value.parse().map(Self::After).map_err(|_| unusable()),
            "before" => value.parse().map(Self::Before).map_err(|_| unusable()),
            "longer" => parse_duration(value)
                .map(Self::Longer)
                .map_err(|_| unusable()),
            "shorter" => parse_duration(value)
                .map(Self::Shorter)
                .map_err(|_| unusable()),
            "is" => match value {
                "pinned" => Ok(Self::Pinned),
                "untranscribed" => Ok(Self::Untranscribed),
                "silent" => Ok(Self::Silent),
                _ => Err(unusable()),
            },
            _ => Err(FilterError::Word(text.to_owned())),
        }
    }

    /// Whether this is one of `last`, `today` and `yesterday`.
    #[must_use]
    pub fn is_word(&self) -> bool {
        matches!(self, Self::Last | Self::Today | Self::Yesterday)
    }
}

/// Some tests that must pass and some that must not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    pub(super) all_of: Vec<Test>,
    pub(super) none_of: Vec<Test>,
}

impl Filter {
    /// Reads the arguments of a command, each of which must be one filter; one
    /// leading `-` turns it round. A value may hold spaces.
    ///
    /// # Errors
    /// The first argument that is no filter.
    pub fn parse<I: IntoIterator<Item = S>, S: AsRef<str>>(args: I) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for arg in args {
            match arg.as_ref().strip_prefix('-') {
                Some(turned) => filter.none_of.push(Test::parse(turned)?),
                None => filter.all_of.push(Test::parse(arg.as_ref())?),
            }
        }
        Ok(filter)
    }

    /// Whether every recording passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all_of.is_empty() && self.none_of.is_empty()
    }

    /// Whether it asks which recording was added last, also turned round: that takes all of
    /// them to tell.
    #[must_use]
    pub fn asks_for_last(&self) -> bool {
        let mut tests = self.all_of.iter().chain(&self.none_of);
        tests.any(|test| *test == Test::Last)
    }

    /// The filter with its times fixed. `last` is the recording added last, of
    /// all there are.
    #[must_use]
    pub fn at<'a>(&'a self, now: &Zoned, last: Option<RecordingId>) -> Sieve<'a> {
        let ready = |tests: &'a [Test]| -> Vec<ReadyTest<'a>> {
            tests
                .iter()
                .map(|test| ReadyTest::new(test, now, last))
                .collect()
        };
        Sieve {
            all_of: ready(&self.all_of),
            none_of: ready(&self.none_of),
        }
    }

    /// Whether one recording passes, where `last` is the one added last.
    #[must_use]
    pub fn matches(&self, recording: &Recording, now: &Zoned, last: Option<RecordingId>) -> bool {
        self.at(now, last).passes(recording)
    }

    /// Those of all recordings of a vault that pass, in their order.
    #[must_use]
    pub fn select<'a>(&self, all: &'a [Recording], now: &Zoned) -> Vec<&'a Recording> {
        let sieve = self.at(now, last_added(all));
        all.iter()
            .filter(|recording| sieve.passes(*recording))
            .collect()
    }
}

/// The recording that was added last; of those added in the same millisecond
/// the one with the greatest id, so that the answer is always the same.
#[must_use]
pub fn last_added(all: &[Recording]) -> Option<RecordingId> {
    all.iter()
        .max_by_key(|recording| (recording.card.added_at.unix_ms, recording.id))
        .map(|recording| recording.id)
}

/// A filter whose times are fixed.
#[derive(Debug, Clone)]
pub struct Sieve<'a> {
    all_of: Vec<ReadyTest<'a>>,
    none_of: Vec<ReadyTest<'a>>,
}

impl Sieve<'_> {
    /// Whether a recording passes.
    #[must_use]
    pub fn passes(&self, facts: &impl Facts) -> bool {
        self.all_of.iter().all(|test| test.holds(facts))
            && !self.none_of.iter().any(|test| test.holds(facts))
    }
}

/// What filters ask of a recording. Texts that are asked for come folded.
pub trait Facts {
    /// Its id.
    fn id(&self) -> RecordingId;
    /// When it was spoken, milliseconds since 1970 UTC.
    fn recorded_ms(&self) -> i64;
    /// Its length.
    fn duration(&self) -> Duration;
    /// Whether retention rules leave it alone.
    fn is_pinned(&self) -> bool;
    /// Whether nothing in it could be heard.
    fn is_silent(&self) -> bool;
    /// Whether it has no transcript and there may be one yet.
    fn is_untranscribed(&self) -> bool;
    /// The language of its newest transcript.
    fn language(&self) -> Option<&str>;
    /// Whether it has this tag.
    fn has_tag(&self, folded: &str) -> bool;
    /// Whether its title holds this text.
    fn title_holds(&self, folded: &str) -> bool;
    /// Whether its note holds this text.
    fn note_holds(&self, folded: &str) -> bool;
    /// Whether its microphone's name holds this text.
    fn device_holds(&self, folded: &str) -> bool;
}

impl Facts for Recording {
    fn id(&self) -> RecordingId {
        self.id
    }
    fn recorded_ms(&self) -> i64 {
        self.card.recorded_at.unix_ms
    }
    fn duration(&self) -> Duration {
        self.card.duration()
    }
    fn is_pinned(&self) -> bool {
        self.card.pinned
    }
    fn is_silent(&self) -> bool {
        self.card.signal.is_silent()
    }
    fn is_untranscribed(&self) -> bool {
        Self::is_untranscribed(self)
    }
    fn language(&self) -> Option<&str> {
        Self::language(self)
    }
    fn has_tag(&self, folded: &str) -> bool {
        self.card.tags.iter().any(|tag| fold(tag) == folded)
    }
    fn title_holds(&self, folded: &str) -> bool {
        fold(&self.card.title).contains(folded)
    }
    fn note_holds(&self, folded: &str) -> bool {
        fold(&self.card.note).contains(folded)
    }
    fn device_holds(&self, folded: &str) -> bool {
        self.card
            .device
            .as_ref()
            .is_some_and(|device| fold(device).contains(folded))
    }
}

/// A test whose times are fixed: milliseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub(super) enum ReadyTest<'a> {
    Fact(&'a Test),
    SpokenWithin { from_ms: i64, before_ms: i64 },
    Is(Option<RecordingId>),
}

impl<'a> ReadyTest<'a> {
    pub(super) fn new(test: &'a Test, now: &Zoned, last: Option<RecordingId>) -> Self {
        let day = |days_ago: i64| {
            let date = now.date();
            let first = date.saturating_sub(days_ago.days());
            Self::SpokenWithin {
                from_ms: start_of(first, now).as_millisecond(),
                before_ms: start_of(first.saturating_add(1.days()), now).as_millisecond(),
            }
        };
        match test {
            Test::After(when) => Self::SpokenWithin {
                from_ms: when.at(now).as_millisecond(),
                before_ms: i64::MAX,
            },
            Test::Before(when) => Self::SpokenWithin {
                from_ms: i64::MIN,
                before_ms: when.at(now).as_millisecond(),
            },
            Test::Today => day(0),
            Test::Yesterday => day(1),
            Test::Last => Self::Is(last),
            fact => Self::Fact(fact),
        }
    }

    pub(super) fn holds(&self, facts: &impl Facts) -> bool {
        match self {
            Self::SpokenWithin { from_ms, before_ms } => {
                (*from_ms..*before_ms).contains(&facts.recorded_ms())
            }
            Self::Is(id) => *id == Some(facts.id()),
            Self::Fact(test) => match test {
                Test::Tag(tag) => facts.has_tag(tag),
                Test::Title(text) => facts.title_holds(text),
                Test::Note(text) => facts.note_holds(text),
                Test::Device(text) => facts.device_holds(text),
                Test::Longer(least) => facts.duration() > *least,
                Test::Shorter(most) => facts.duration() < *most,
                Test::Language(code) => facts.language().is_some_and(|spoken| {
                    let spoken = fold(spoken);
                    spoken
                        .strip_prefix(code.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
                }),
                Test::Pinned => facts.is_pinned(),
                Test::Untranscribed => facts.is_untranscribed(),
                Test::Silent => facts.is_silent(),
                // `new` made the others into spans and ids.
                Test::After(_) | Test::Before(_) | Test::Last | Test::Today | Test::Yesterday => {
                    false
                }
            },
        }
    }
}
