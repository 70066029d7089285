//! The rules themselves: how they are written, set and taken away.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recording::{is_same_tag, shown_tag};
use crate::time::{Age, TimeError};

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Keep {
    /// For good.
    Forever,
    /// This long.
    For(Age),
}

impl FromStr for Keep {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        match text {
            "forever" => Ok(Self::Forever),
            age => age.parse().map(Self::For),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forever => f.write_str("forever"),
            Self::For(age) => age.fmt(f),
        }
    }
}

/// How long recordings with a tag, or all, are kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// The tag it is about, as every filter takes it ([`is_same_tag`]); `None` is about all.
    pub tag: Option<String>,
    /// How long the audio is kept; `None` leaves that to other rules.
    pub audio: Option<Keep>,
    /// How long the text is kept; `None` leaves that to other rules.
    pub text: Option<Keep>,
}

impl Rule {
    /// Whether it is the rule for this tag, or for all.
    #[must_use]
    pub fn is_for(&self, tag: Option<&str>) -> bool {
        match (&self.tag, tag) {
            (None, None) => true,
            (Some(own), Some(other)) => is_same_tag(own, other),
            _ => false,
        }
    }

    /// What it is about: `all`, or `tag:work`.
    #[must_use]
    pub fn scope(&self) -> String {
        self.tag
            .as_ref()
            .map_or_else(|| "all".to_owned(), |tag| format!("tag:{}", shown_tag(tag)))
    }
}

/// As it is read aloud: `tag:work: audio 90d, text forever`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scope())?;
        let clocks = [("audio", self.audio), ("text", self.text)];
        let said = clocks
            .iter()
            .filter_map(|(name, keep)| Some((name, (*keep)?)));
        for (number, (name, keep)) in said.enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma} {name} {keep}")?;
        }
        Ok(())
    }
}

/// Sets the clocks that are given of the rule for a tag, or for all; the rule is made
/// if there is none. The rule for all stands first, the others by their tags.
///
/// There may be several for the same tag, written in several ways, from a version that
/// told these apart: all of them are set, and those that say the same then are one.
pub fn set_rule(rules: &mut Vec<Rule>, tag: Option<&str>, audio: Option<Keep>, text: Option<Keep>) {
    let mut own = take_rules(rules, tag);
    if own.is_empty() {
        own.push(Rule {
            tag: tag.map(str::to_owned),
            audio: None,
            text: None,
        });
    }
    for rule in &mut own {
        rule.audio = audio.or(rule.audio);
        rule.text = text.or(rule.text);
    }
    own.dedup_by_key(|rule| (rule.audio, rule.text));
    rules.append(&mut own);
    rules.sort_by(|one, two| one.tag.cmp(&two.tag));
}

/// Takes the rule for a tag, or for all, away; whether there was one.
pub fn remove_rule(rules: &mut Vec<Rule>, tag: Option<&str>) -> bool {
    !take_rules(rules, tag).is_empty()
}

fn take_rules(rules: &mut Vec<Rule>, tag: Option<&str>) -> Vec<Rule> {
    rules.extract_if(.., |rule| rule.is_for(tag)).collect()
}

/// Whether anything ever goes by these rules.
#[must_use]
pub fn let_go(rules: &[Rule]) -> bool {
    let keeps = rules.iter().flat_map(|rule| [rule.audio, rule.text]);
    keeps.flatten().any(|keep| keep != Keep::Forever)
}
