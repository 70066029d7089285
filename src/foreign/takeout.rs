//! Google Takeout's "My Activity": what was said to the assistant or to voice search.
//!
//! As JSON after <https://developers.google.com/data-portability/schema-reference/my_activity>:
//! records with `title`, `time` and `audioFiles`. As HTML there is no description of it:
//! cells of class `outer-cell`, each with a title and the sources of its sounds; the date
//! in it is written in the language of the account and is not read, since the names of
//! the sound files hold it.
//!
//! A title that begins with "Said " is what was said; any other is only a title.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Error;
use super::html::{self, Token};
use super::told::{Told, is_named_like_sound};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Activity {
    title: Option<String>,
    time: Option<String>,
    #[serde(rename = "audioFiles")]
    audio_files: Vec<String>,
}

/// Whether a file is an activity list by its name, in whatever language: `MyActivity.json`
/// or `My Activity.html` in English.
#[must_use]
pub fn is_list(name: &str) -> bool {
    let plain: String = super::told::base_name(name)
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    plain.to_lowercase().starts_with("myactivity")
}

/// What a list as JSON tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activities {
    /// About each sound file.
    pub told: Vec<Told>,
    /// The places, from 1, of records that are left out: they may be about sound, and are not
    /// as they should be.
    pub left_out: Vec<usize>,
}

/// Reads the list as JSON. Records without sound are nothing to it; those that are not as
/// they should be cost themselves.
///
/// # Errors
/// [`Error::Json`].
pub fn parse_json(file: &str) -> Result<Activities, Error> {
    let members: Vec<Value> = serde_json::from_str(file)?;
    let mut found = Activities::default();
    for (place, member) in (1..).zip(members) {
        match Activity::deserialize(&member) {
            Ok(activity) => found.told.extend(activity.told()),
            Err(_) if may_be_sound(&member) => found.left_out.push(place),
            Err(_) => {}
        }
    }
    Ok(found)
}

/// Whether a record that can't be read may be about sound: who has none names none.
fn may_be_sound(member: &Value) -> bool {
    member
        .as_object()
        .is_none_or(|fields| fields.contains_key("audioFiles"))
}

impl Activity {
    fn told(self) -> impl Iterator<Item = Told> {
        let (said, title) = said_in(self.title.as_deref().unwrap_or_default());
        let at = self.time.and_then(|time| time.parse::<Timestamp>().ok());
        self.audio_files.into_iter().map(move |file| Told {
            file,
            said: said.clone(),
            title: title.clone(),
            at,
            device: None,
        })
    }
}

/// Reads the list as HTML; cells without sound are left out.
///
/// # Errors
/// [`Error::NotThat`] where it has no cells.
pub fn parse_html(page: &str) -> Result<Vec<Told>, Error> {
    let is_class = |attributes: &str, wanted: &str| {
        html::attribute(attributes, "class")
            .is_some_and(|classes| classes.split_whitespace().any(|class| class == wanted))
    };
    let mut cells: Vec<Cell> = Vec::new();
    for token in html::tokens(page) {
        if let Token::Open { attributes, .. } = token
            && is_class(attributes, "outer-cell")
        {
            cells.push(Cell::default());
        }
        if let Some(cell) = cells.last_mut() {
            if let Token::Open { attributes, .. } = token
                && is_class(attributes, "content-cell")
            {
                cell.contents += 1;
            }
            cell.take(token);
        }
    }
    if cells.is_empty() {
        return Err(Error::NotThat {
            expected: "a list of activities: there is no cell of class outer-cell in it",
        });
    }
    Ok(cells.into_iter().flat_map(Cell::told).collect())
}

#[derive(Default)]
struct Cell {
    contents: usize,
    title: String,
    /// The title ends at the first line break of the first content cell.
    title_is_done: bool,
    files: Vec<String>,
}

impl Cell {
    fn take(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) if self.contents == 1 && !self.title_is_done => {
                self.title.push_str(&html::resolved(text));
            }
            Token::Open { name, attributes } => {
                if name.eq_ignore_ascii_case("br") && self.contents == 1 {
                    self.title_is_done = true;
                }
                let sources = ["src", "href"];
                let found = sources
                    .iter()
                    .find_map(|key| html::attribute(attributes, key));
                if let Some(file) = found.filter(|file| is_here(file))
                    && !self.files.contains(&file)
                {
                    self.files.push(file);
                }
            }
            Token::Close { name } if name.eq_ignore_ascii_case("div") && self.contents == 1 => {
                self.title_is_done = true;
            }
            Token::Text(_) | Token::Close { .. } => {}
        }
    }

    fn told(self) -> impl Iterator<Item = Told> {
        let (said, title) = said_in(&html::one_line(&self.title));
        self.files.into_iter().map(move |file| Told {
            file,
            said: said.clone(),
            title: title.clone(),
            ..Told::default()
        })
    }
}

/// A sound file of the download, not one on the web.
fn is_here(file: &str) -> bool {
    !file.contains("://") && is_named_like_sound(file)
}

/// What was said, or what else the record is called.
fn said_in(title: &str) -> (Option<String>, Option<String>) {
    let title = title.trim();
    match title.strip_prefix("Said ").map(str::trim) {
        Some(said) if !said.is_empty() => (Some(said.to_owned()), None),
        _ => (None, (!title.is_empty()).then(|| title.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::foreign::hostile;

    #[test]
    fn records_with_sound_are_read_from_json() {
        let file = r#"[{"header": "Assistant", "title": "Said set a timer", "titleUrl": "https://x",
            "time": "2018-11-21T17:31:56.905Z", "products": ["Assistant"],
            "audioFiles": ["2018-11-21_17_31_56_905_UTC.mp3"]},
            {"header": "Search", "title": "Searched for x", "time": "2018-11-21T17:31:56.905Z"},
            {"title": "Used Assistant", "time": "no time", "audioFiles": ["b.mp3"]}]"#;
        let Activities { told, left_out } = parse_json(file).unwrap();
        assert_eq!((told.len(), left_out.len()), (2, 0));
        assert_eq!(told[0].said.as_deref(), Some("set a timer"));
        assert_eq!(told[0].at, "2018-11-21T17:31:56.905Z".parse().ok());
        assert_eq!(
            (told[1].said.as_deref(), told[1].title.as_deref()),
            (None, Some("Used Assistant"))
        );
    }

    #[test]
    fn a_record_that_is_not_as_it_should_be_costs_itself_and_is_counted() {
        let file = r#"[{"title": "Said one", "audioFiles": ["a.mp3"]}, {"title": null}, 7,
            {"title": null, "time": "2018-11-21T17:31:56.905Z", "audioFiles": ["b.mp3"]},
            {"title": "Said three", "audioFiles": "c.mp3"},
            {"title": "Said four", "time": null, "audioFiles": ["d.mp3"]}, {"title": 7}]"#;
        let Activities { told, left_out } = parse_json(file).unwrap();
        // The last one names no sound, however it is written.
        assert_eq!(left_out, [3, 5]);
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.file.as_str(), one.said.as_deref()))
            .collect();
        let expected = [
            ("a.mp3", Some("one")),
            ("b.mp3", None),
            ("d.mp3", Some("four")),
        ];
        assert_eq!(told, expected);
        assert!(parse_json("{}").is_err() && parse_json("[{]").is_err());
    }

    #[test]
    fn cells_with_sound_are_read_from_html() {
        let page = r#"<html><body><div class="outer-cell mdl-cell"><div class="mdl-grid">
            <div class="header-cell"><p class="mdl-typography--title">Assistant<br></p></div>
            <div class="content-cell mdl-cell--6-col">Said <a href="https://www.google.com/search?q=a">what&#39;s up</a><br>
            Nov 21, 2018, 5:31:56 PM UTC</div><div class="content-cell"><audio controls>
            <source src="2018-11-21_17_31_56_905_UTC.mp3" type="audio/mpeg"></audio>
            <a href="2018-11-21_17_31_56_905_UTC.mp3">Audio</a></div></div></div>
            <div class="outer-cell"><div class="content-cell">Searched<br></div></div></body></html>"#;
        let told = parse_html(page).unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].file, "2018-11-21_17_31_56_905_UTC.mp3");
        assert_eq!(told[0].said.as_deref(), Some("what's up"));
        assert!(parse_html("<p>x</p>").is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(file in hostile::text()) {
            let _ = (parse_json(&file), parse_html(&file));
        }
    }
}
