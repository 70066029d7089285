//! A note of Google Keep as Takeout writes it: one JSON file, the sound beside it.
//!
//! After <https://developers.google.com/data-portability/schema-reference> there is no
//! description; the fields read here are those that several importers agree on: `title`,
//! `textContent`, `createdTimestampUsec`, `attachments` with `filePath` and `mimetype`.
//! The text of a spoken note is what Keep heard.

use jiff::Timestamp;
use serde::Deserialize;

use super::Error;
use super::told::Told;

#[derive(Debug, Deserialize)]
struct Note {
    #[serde(default)]
    title: String,
    #[serde(default, rename = "textContent")]
    text: String,
    #[serde(default, rename = "createdTimestampUsec")]
    created_us: Option<serde_json::Value>,
    attachments: Vec<Attachment>,
}

#[derive(Debug, Deserialize)]
struct Attachment {
    #[serde(rename = "filePath")]
    file: String,
    #[serde(default)]
    mimetype: String,
}

/// Reads a note; a note without sound tells nothing.
///
/// # Errors
/// [`Error::Json`] where it is no note with attachments.
pub fn parse(file: &str) -> Result<Vec<Told>, Error> {
    let note: Note = serde_json::from_str(file)?;
    let at = note.created_us.as_ref().and_then(|value| {
        let microseconds = match value {
            serde_json::Value::String(digits) => digits.parse().ok()?,
            other => other.as_i64()?,
        };
        Timestamp::from_microsecond(microseconds).ok()
    });
    let filled = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let sounds: Vec<Attachment> = note
        .attachments
        .into_iter()
        .filter(|attachment| attachment.mimetype.starts_with("audio/"))
        .collect();
    // With several, nobody knows which of them the text is of.
    let said = filled(&note.text).filter(|_| sounds.len() == 1);
    let told = sounds.into_iter().map(|sound| Told {
        file: sound.file,
        said: said.clone(),
        title: filled(&note.title),
        at,
        device: None,
    });
    Ok(told.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::foreign::hostile;

    #[test]
    fn a_spoken_note_is_read() {
        let file = r#"{"color": "DEFAULT", "isPinned": false, "title": "Shopping", "textContent": "milk and eggs",
            "createdTimestampUsec": 1556893392000000, "attachments": [
            {"filePath": "16a7.ogg", "mimetype": "audio/ogg"}, {"filePath": "x.jpg", "mimetype": "image/jpeg"}]}"#;
        let told = parse(file).unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].said.as_deref(), Some("milk and eggs"));
        assert_eq!(told[0].title.as_deref(), Some("Shopping"));
        assert_eq!(told[0].at, "2019-05-03T14:23:12Z".parse().ok());
        assert!(parse(r#"{"title": "no sound"}"#).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(file in hostile::text()) {
            let _ = parse(&file);
        }
    }
}
