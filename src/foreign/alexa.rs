//! The list of transcripts in a data download from Alexa.
//!
//! Amazon describes neither its files nor its columns, and they have changed. So a list is
//! known by what is in it: a table (CSV or TSV) or an array of JSON objects of which one
//! column names sound files and another, by its heading, holds what was said. Anything
//! else is refused; the sound is taken all the same.

use jiff::Timestamp;
use jiff::civil;
use serde_json::Value;

use super::told::{Told, is_named_like_sound};
use super::{Error, table};

/// Parts of the headings under which something may stand, most telling first.
const SAID: [&str; 7] = [
    "transcript",
    "utterance",
    "what you said",
    "said",
    "summary",
    "text",
    "transkript",
];
const AT: [&str; 7] = [
    "timestamp",
    "recorded",
    "creation",
    "created",
    "datetime",
    "time",
    "date",
];
/// Further columns are not looked at.
const MOST_COLUMNS: usize = 100;
const DEVICE: [&str; 2] = ["device", "gerät"];

/// Reads a table.
///
/// # Errors
/// [`Error::NotThat`] where its columns are not those of such a list.
pub fn parse_table(file: &str) -> Result<Vec<Told>, Error> {
    let mut rows = table::rows(file).into_iter();
    let head = rows.next().ok_or(Error::Empty)?;
    read(&head, &rows.collect::<Vec<_>>())
}

/// Reads an array of objects, or an object of which one member is that.
///
/// # Errors
/// [`Error::Json`], and [`Error::NotThat`] where its members are not those of such a list.
pub fn parse_json(file: &str) -> Result<Vec<Told>, Error> {
    let objects = match serde_json::from_str(file)? {
        Value::Array(objects) => objects,
        Value::Object(members) => members
            .into_iter()
            .find_map(|(_, value)| match value {
                Value::Array(objects) if objects.iter().any(Value::is_object) => Some(objects),
                _ => None,
            })
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut head: Vec<String> = Vec::new();
    for key in objects
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|object| object.keys())
    {
        if !head.contains(key) && head.len() < 100 {
            head.push(key.clone());
        }
    }
    let rows: Vec<Vec<String>> = objects
        .iter()
        .map(|object| {
            let value = |key: &String| match object.get(key) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => String::new(),
            };
            head.iter().map(value).collect()
        })
        .collect();
    read(&head, &rows)
}

fn read(head: &[String], rows: &[Vec<String>]) -> Result<Vec<Told>, Error> {
    let refused = Error::NotThat {
        expected: "a list of transcripts: no column names sound files, or none holds what was said",
    };
    let columns = head.len().max(rows.iter().map(Vec::len).max().unwrap_or(0));
    let columns = columns.min(MOST_COLUMNS);
    let value = |row: &[String], column: usize| {
        let text = row.get(column).map(|text| text.trim())?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let names_sound = |column: &usize| {
        rows.iter()
            .any(|row| value(row, *column).is_some_and(|text| is_named_like_sound(&text)))
    };
    let file = (0..columns).find(names_sound).ok_or(refused.clone())?;
    let headings: Vec<String> = head.iter().map(|text| text.to_lowercase()).collect();
    let headed = |wanted: &[&str]| -> Vec<usize> {
        let parts = wanted.iter();
        let places = parts.flat_map(|part| (0..columns).map(move |column| (part, column)));
        let fits = |(part, column): &(&&str, usize)| {
            let heading = headings.get(*column);
            *column != file && heading.is_some_and(|heading| heading.contains(**part))
        };
        places.filter(fits).map(|(_, column)| column).collect()
    };
    let said = *headed(&SAID).first().ok_or(refused)?;
    // A time zone and the kind of a device have such headings too.
    let tells_when = |column: &usize| {
        let mut values = rows.iter().filter_map(|row| value(row, *column));
        values.any(|text| moment(&text).is_some())
    };
    let at = headed(&AT).into_iter().find(tells_when);
    let devices = headed(&DEVICE);
    let is_name = |column: &&usize| {
        headings
            .get(**column)
            .is_some_and(|text| text.contains("name"))
    };
    let device = devices.iter().find(is_name).or(devices.first()).copied();
    let told = rows.iter().filter_map(|row| {
        Some(Told {
            file: value(row, file)?,
            said: value(row, said),
            title: None,
            at: at.and_then(|column| moment(&value(row, column)?)),
            device: device.and_then(|column| value(row, column)),
        })
    });
    Ok(told
        .filter(|told| is_named_like_sound(&told.file))
        .collect())
}

/// RFC 3339, or the same without an offset, which is UTC; or seconds or milliseconds since
/// 1970. Anything else could be read in two ways.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        return match number {
            1_000_000_000..=9_999_999_999 => Timestamp::from_second(number).ok(),
            1_000_000_000_000..=9_999_999_999_999 => Timestamp::from_millisecond(number).ok(),
            _ => None,
        };
    }
    let plain = text.trim_end_matches("UTC").trim_end_matches("GMT").trim();
    plain.parse().ok().or_else(|| {
        let date: civil::DateTime = plain.parse().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(date).ok()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::foreign::hostile;

    #[test]
    fn a_table_is_known_by_its_columns() {
        let file = "\"Timestamp\",\"Device Name\",\"Audio File\",\"Transcript\"\n\
                    2019-05-03T14:23:12Z,Kitchen,Audio/0001.wav,\"alexa, what time is it\"\n\
                    1556893392000,Kitchen,0002.wav,\n\
                    ,,,no sound\n";
        let told = parse_table(file).unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].file, "Audio/0001.wav");
        assert_eq!(told[0].said.as_deref(), Some("alexa, what time is it"));
        assert_eq!(told[0].device.as_deref(), Some("Kitchen"));
        assert_eq!(told[0].at, "2019-05-03T14:23:12Z".parse().ok());
        assert_eq!((told[1].said.as_deref(), told[1].at), (None, told[0].at));
        assert!(parse_table("order,price\n1,2\n").is_err());
    }

    #[test]
    fn of_several_columns_that_may_be_meant_the_one_that_holds_it_is_taken() {
        let file = "Timezone,Date,Device Type,Device Name,Audio File,Transcript\n\
                    Europe/Berlin,2019-05-03T14:23:12Z,ECHO_DOT,Kitchen,1.wav,hello\n";
        let told = &parse_table(file).unwrap()[0];
        assert_eq!(told.at, "2019-05-03T14:23:12Z".parse().ok());
        assert_eq!(told.device.as_deref(), Some("Kitchen"));
        let file = "Timezone,Device Type,Audio File,Transcript\n\
                    Europe/Berlin,ECHO_DOT,1.wav,hello\n";
        let told = &parse_table(file).unwrap()[0];
        assert_eq!((told.at, told.device.as_deref()), (None, Some("ECHO_DOT")));
    }

    #[test]
    fn an_array_is_known_by_its_members() {
        let file = r#"{"recordings": [{"audioFile": "a.wav", "text": "hello", "creationTimestamp": 1556893392}]}"#;
        let told = parse_json(file).unwrap();
        assert_eq!(told[0].said.as_deref(), Some("hello"));
        assert_eq!(told[0].at, "2019-05-03T14:23:12Z".parse().ok());
        assert!(parse_json(r#"{"a": [{"b": "c.wav"}]}"#).is_err());
    }

    #[test]
    fn a_date_that_can_be_read_in_two_ways_is_not_read() {
        assert_eq!(moment("05/03/2019 14:23"), None);
        assert_eq!(
            moment("2019-05-03 14:23:12 UTC"),
            "2019-05-03T14:23:12Z".parse().ok()
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(file in hostile::text()) {
            let _ = (parse_table(&file), parse_json(&file));
        }
    }
}
