//! The query language: what was typed, as clauses.
//!
//! ```text
//! heat land        both words, each by its beginning
//! "broken heater"  these words in a row; an open quote: the last by its beginning
//! -rent            without it; works on "phrases" and filters as well
//! flat OR house    one of them; binds closer than the space
//! landlrod~        forgives misspelling
//! tag:home         a filter, see `filter`; tag:"two words" takes spaces
//! ```
//! Plain text never errors: what is no operator or filter is searched for as it
//! stands, so `tag:` looks for "tag" and `OR` at the end for "or".
//!
//! `last`, `today` and `yesterday` are words that people also say. Alone or
//! among filters they are filters. Beside other words each asks for either:
//! `landlord today` finds what was said of the landlord today, first, and also
//! where "landlord" and "today" were spoken. In quotes they are only words.

use super::filter::{Filter, Test};
use super::text::{fold, words};

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Every one of them must be found.
    pub(super) clauses: Vec<Clause>,
    /// None of them may be found.
    pub(super) excluded: Vec<Words>,
    /// What the recording must be like.
    pub(super) filter: Filter,
    /// Something was typed, but nothing that can be searched for: `?!`.
    pub(super) is_futile: bool,
}

/// One of these must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) any_of: Vec<Wanted>,
}

/// What satisfies a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Words(Words),
    Fact(Test),
}

/// Folded words that stand in a row, and how the last of them is compared; the
/// others must be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) row: Vec<String>,
    pub(super) last: Comparison,
}

/// How a typed word is compared with a spoken one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Beginning,
    Alike,
}

impl Query {
    /// Reads what was typed. Every text is a query.
    #[must_use]
    pub fn parse(typed: &str) -> Self {
        Self::from_items(items(typed))
    }

    /// Reads the arguments of a command. They are one query, except that an
    /// argument which is a filter as a whole keeps its spaces: the shell took
    /// the quotes of `title:"broken heater"`.
    #[must_use]
    pub fn from_args<I: IntoIterator<Item = S>, S: AsRef<str>>(args: I) -> Self {
        let mut all = Vec::new();
        for arg in args {
            let arg = arg.as_ref();
            let (is_excluded, bare) = match arg.strip_prefix('-') {
                Some(bare) => (true, bare),
                None => (false, arg),
            };
            match Test::parse(bare) {
                Ok(test) if bare.contains(char::is_whitespace) && !bare.contains('"') => {
                    all.push(Item {
                        is_excluded,
                        kind: Kind::Fact(test),
                    });
                }
                _ => all.extend(items(arg)),
            }
        }
        Self::from_items(all)
    }

    /// Whether it asks for words, and not only for filters.
    #[must_use]
    pub fn has_words(&self) -> bool {
        self.is_futile || !self.clauses.is_empty() || !self.excluded.is_empty()
    }

    fn from_items(items: Vec<Item>) -> Self {
        let has_text = !items.is_empty();
        let mut query = Self::default();
        let mut day_words = Vec::new();
        for group in joined_by_or(items) {
            match <[Item; 1]>::try_from(group) {
                Ok([item]) => query.add(item, &mut day_words),
                Err(group) => {
                    let any_of: Vec<Wanted> = group.into_iter().flat_map(Item::wanted).collect();
                    query.add_clause(any_of);
                }
            }
        }
        let is_all_filters = query.clauses.is_empty() && query.excluded.is_empty();
        for (test, words) in day_words {
            if is_all_filters {
                query.filter.all_of.push(test);
            } else {
                query.add_clause(vec![Wanted::Words(words), Wanted::Fact(test)]);
            }
        }
        query.is_futile = has_text && !query.has_words() && query.filter.is_empty();
        query
    }

    /// Takes in an item that no OR joins to another.
    fn add(&mut self, item: Item, day_words: &mut Vec<(Test, Words)>) {
        match (item.is_excluded, item.kind) {
            (false, Kind::Fact(test)) => self.filter.all_of.push(test),
            (true, Kind::Fact(test)) => self.filter.none_of.push(test),
            (false, Kind::DayWord(test, words)) => day_words.push((test, words)),
            (false, Kind::Words(words)) => self.add_clause(vec![Wanted::Words(words)]),
            (true, Kind::Words(words) | Kind::DayWord(_, words)) => {
                if !words.row.is_empty() {
                    self.excluded.push(words);
                }
            }
            (_, Kind::Or) => {
                self.add_clause(vec![Wanted::Words(Words::of("or", Comparison::Beginning))])
            }
        }
    }

    /// Words without a letter or digit can't be found and ask for nothing.
    fn add_clause(&mut self, mut any_of: Vec<Wanted>) {
        any_of.retain(|wanted| !matches!(wanted, Wanted::Words(words) if words.row.is_empty()));
        if !any_of.is_empty() {
            self.clauses.push(Clause { any_of });
        }
    }
}

impl Words {
    /// The words of a text, folded.
    fn of(text: &str, last: Comparison) -> Self {
        let row = words(text)
            .filter_map(|range| text.get(range))
            .map(fold)
            .filter(|word| !word.is_empty())
            .collect();
        Self { row, last }
    }
}

/// One thing that was typed.
struct Item {
    is_excluded: bool,
    kind: Kind,
}

enum Kind {
    Words(Words),
    Fact(Test),
    /// `last`, `today` or `yesterday`, which people also say.
    DayWord(Test, Words),
    Or,
}

impl Item {
    fn is_joinable(&self) -> bool {
        !self.is_excluded && !matches!(self.kind, Kind::Or)
    }

    fn wanted(self) -> Vec<Wanted> {
        match self.kind {
            Kind::Words(words) => vec![Wanted::Words(words)],
            Kind::Fact(test) => vec![Wanted::Fact(test)],
            Kind::DayWord(test, words) => vec![Wanted::Words(words), Wanted::Fact(test)],
            Kind::Or => Vec::new(),
        }
    }
}

/// The items in groups: `a OR b` makes one group of two. An OR that has nothing
/// to join stays an item of its own.
fn joined_by_or(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut groups: Vec<Vec<Item>> = Vec::new();
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        let joins = matches!(item.kind, Kind::Or)
            && groups
                .last()
                .and_then(|group| group.last())
                .is_some_and(Item::is_joinable)
            && items.peek().is_some_and(Item::is_joinable);
        match (groups.last_mut(), joins.then(|| items.next()).flatten()) {
            (Some(group), Some(next)) => group.push(next),
            _ => groups.push(vec![item]),
        }
    }
    groups
}

/// The items of a text, in order.
fn items(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let bare = rest
            .strip_prefix('-')
            .filter(|bare| bare.starts_with(|c: char| c.is_alphanumeric() || is_quote(c)));
        let (kind, after) = item(bare.unwrap_or(rest));
        items.push(Item {
            is_excluded: bare.is_some(),
            kind,
        });
        rest = after.trim_start();
    }
    items
}

/// The first item of a text that begins with no space, and what follows it.
fn item(text: &str) -> (Kind, &str) {
    if let Some(inside) = text.strip_prefix(is_quote) {
        return match inside.split_once(is_quote) {
            Some((phrase, after)) => (Kind::Words(Words::of(phrase, Comparison::Equal)), after),
            None => (Kind::Words(Words::of(inside, Comparison::Beginning)), ""),
        };
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    if let Some((key, inside)) = text.split_once(":\"")
        && key.chars().all(|c| c.is_ascii_alphabetic())
    {
        let (value, after) = inside.split_once('"').unwrap_or((inside, ""));
        if let Ok(test) = Test::parse(&format!("{key}:{value}")) {
            return (Kind::Fact(test), after);
        }
    }
    if word == "OR" {
        return (Kind::Or, after);
    }
    if let Some(meant) = word.strip_suffix('~') {
        return (Kind::Words(Words::of(meant, Comparison::Alike)), after);
    }
    let words = Words::of(word, Comparison::Beginning);
    match Test::parse(&word.to_lowercase()).ok().filter(Test::is_word) {
        Some(test) => (Kind::DayWord(test, words), after),
        None => match Test::parse(word) {
            Ok(test) => (Kind::Fact(test), after),
            Err(_) => (Kind::Words(words), after),
        },
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(row: &[&str], last: Comparison) -> Wanted {
        let row = row.iter().map(|word| (*word).to_owned()).collect();
        Wanted::Words(Words { row, last })
    }

    fn clauses(typed: &str) -> Vec<Vec<Wanted>> {
        Query::parse(typed)
            .clauses
            .into_iter()
            .map(|clause| clause.any_of)
            .collect()
    }

    #[test]
    fn words_phrases_and_alternatives_are_told_apart() {
        use Comparison::{Alike, Beginning, Equal};
        assert_eq!(
            clauses("Heat \"broken heater\" flat OR house OR \"the lab\" don’t lendlord~"),
            [
                vec![wanted(&["heat"], Beginning)],
                vec![wanted(&["broken", "heater"], Equal)],
                vec![
                    wanted(&["flat"], Beginning),
                    wanted(&["house"], Beginning),
                    wanted(&["the", "lab"], Equal),
                ],
                vec![wanted(&["dont"], Beginning)],
                vec![wanted(&["lendlord"], Alike)],
            ]
        );
        assert_eq!(
            clauses("\"the bro"),
            [vec![wanted(&["the", "bro"], Beginning)]]
        );
    }

    #[test]
    fn an_or_with_nothing_to_join_is_a_word() {
        use Comparison::Beginning;
        let or = || vec![wanted(&["or"], Beginning)];
        assert_eq!(clauses("OR"), [or()]);
        assert_eq!(clauses("a OR"), [vec![wanted(&["a"], Beginning)], or()]);
        assert_eq!(clauses("a OR -b"), [vec![wanted(&["a"], Beginning)], or()]);
    }

    #[test]
    fn a_dash_excludes_words_phrases_and_filters() {
        let query = Query::parse("-rent -\"the lab\" -tag:work --x - 3-4");
        assert_eq!(query.excluded.len(), 2);
        assert_eq!(query.filter.none_of, [Test::Tag("work".to_owned())]);
        // `--x` and `3-4` are searched for as typed, a lone dash asks for nothing.
        assert_eq!(query.clauses.len(), 2);
    }

    #[test]
    fn filters_are_cut_out_and_what_is_none_is_searched_for() {
        let query =
            Query::parse("tag:Home title:\"two words\" heat tag: is:odd after:soon http://x");
        assert_eq!(
            query.filter.all_of,
            [
                Test::Tag("home".to_owned()),
                Test::Title("two words".to_owned())
            ]
        );
        assert_eq!(query.clauses.len(), 5);
    }

    #[test]
    fn a_filter_as_a_whole_argument_keeps_its_spaces() {
        let query = Query::from_args(["title:broken heater", "ask not", "-tag:a b"]);
        assert_eq!(
            query.filter.all_of,
            [Test::Title("broken heater".to_owned())]
        );
        assert_eq!(query.filter.none_of, [Test::Tag("a b".to_owned())]);
        assert_eq!(query.clauses.len(), 2);
    }

    #[test]
    fn day_words_are_filters_alone_and_either_beside_words() {
        let query = Query::parse("Today tag:home");
        assert_eq!(
            query.filter.all_of,
            [Test::Tag("home".to_owned()), Test::Today]
        );
        assert!(query.clauses.is_empty());
        let words = wanted(&["today"], Comparison::Beginning);
        assert_eq!(
            clauses("today I"),
            [
                vec![wanted(&["i"], Comparison::Beginning)],
                vec![words, Wanted::Fact(Test::Today)]
            ]
        );
        assert_eq!(
            clauses("\"today\""),
            [vec![wanted(&["today"], Comparison::Equal)]]
        );
    }

    #[test]
    fn what_holds_no_letter_asks_for_nothing() {
        assert!(Query::parse("?! …").is_futile);
        assert!(!Query::parse("  ").is_futile);
        assert_eq!(clauses("heat ?!").len(), 1);
    }

    proptest! {
        #[test]
        fn every_text_is_a_query(typed in "(\\PC|[\" :~-]|OR |tag:|after:|\x00){0,30}") {
            let query = Query::parse(&typed);
            let rows = query.clauses.iter().flat_map(|clause| &clause.any_of);
            for wanted in rows {
                if let Wanted::Words(words) = wanted {
                    prop_assert!(!words.row.is_empty());
                    prop_assert!(words.row.iter().all(|word| !word.is_empty()));
                }
            }
            let _ = Query::from_args([typed]);
        }
    }
}
