//! What the lists of a data download tell about the sound files of a batch.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::{Batch, Item};
use crate::error::{Exit, Failure};
use crate::foreign::takeout::Activities;
use crate::foreign::told::base_name;
use crate::foreign::{Error, Told, alexa, keep, takeout, text};

/// The longest list that is read.
const MOST_BYTES: u64 = 32 << 20;

/// What lists tell, by the number of the sound file.
#[derive(Default)]
pub(super) struct Lists {
    told: BTreeMap<usize, (Told, String)>,
    /// Files that were read as lists, or refused.
    pub(super) read: BTreeSet<usize>,
    /// What could not be read, and why.
    pub(super) refused: Vec<(usize, Failure)>,
    /// Lists of which records were left out, and the places of these in it, from 1.
    pub(super) left_out: Vec<(usize, Vec<usize>)>,
    /// How many sounds are named that are not there, or more than once; and one of them.
    pub(super) missing: Option<(usize, String)>,
}

impl Lists {
    /// Reads all lists of a batch. `taken` are files that are something else already.
    pub(super) fn of(batch: &mut Batch, taken: &dyn Fn(usize) -> bool) -> Self {
        let mut lists = Self::default();
        let names = Names::of(&batch.items);
        if names.whole.is_empty() {
            return lists;
        }
        let mut places: Vec<usize> = (0..batch.items.len())
            .filter(|item| !taken(*item))
            .collect();
        // JSON says more exactly what HTML says for people.
        places.sort_by_key(|item| {
            batch
                .items
                .get(*item)
                .is_some_and(|item| item.ending() != "json")
        });
        for place in places {
            match read(batch, place) {
                None => {}
                Some(Ok(Activities { told, left_out })) => {
                    lists.read.insert(place);
                    if !left_out.is_empty() {
                        lists.left_out.push((place, left_out));
                    }
                    lists.add(&names, batch, place, told);
                }
                Some(Err(failure)) => {
                    lists.read.insert(place);
                    lists.refused.push((place, failure));
                }
            }
        }
        lists
    }

    /// What is told about a sound file, and by which list.
    pub(super) fn about(&self, item: usize) -> Option<&(Told, String)> {
        self.told.get(&item)
    }

    fn add(&mut self, names: &Names, batch: &Batch, list: usize, told: Vec<Told>) {
        let Some(list) = batch.items.get(list) else {
            return;
        };
        for one in told {
            match names.find(&list.name, &one.file) {
                Some(item) => {
                    let by = list.base_name().to_owned();
                    self.told.entry(item).or_insert((one, by));
                }
                None => {
                    let (count, _) = self.missing.get_or_insert((0, one.file));
                    *count += 1;
                }
            }
        }
    }
}

/// Reads a file as a list: `None` where it is something else, and nobody expected a list.
fn read(batch: &mut Batch, place: usize) -> Option<Result<Activities, Failure>> {
    let item = batch.items.get(place)?;
    let (ending, is_activity) = (item.ending(), takeout::is_list(&item.name));
    let shown = item.shown.display().to_string();
    let expected = is_activity || is_transcript_list(&item.name);
    if ending == "pdf" && expected {
        let why = "text in PDF can't be read; the sound is taken without it";
        return Some(Err(Failure::new(
            Exit::Failed,
            "can't take in the list",
            why,
        )
        .about(shown)));
    }
    let is_candidate = match ending.as_str() {
        "json" | "csv" | "tsv" => true,
        "html" | "htm" => is_activity,
        _ => false,
    };
    if !is_candidate {
        return None;
    }
    let bytes = match batch.bytes(place, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(failure) => return expected.then_some(Err(failure)),
    };
    let whole = |told| Activities {
        told,
        left_out: Vec::new(),
    };
    let parsed = match ending.as_str() {
        "json" if is_activity => takeout::parse_json(&text::decode_json(&bytes)),
        "json" => {
            let text = text::decode_json(&bytes);
            let told = keep::parse(&text).or_else(|_| alexa::parse_json(&text));
            told.map(whole)
        }
        "html" | "htm" => takeout::parse_html(&text::decode(&bytes)).map(whole),
        _ => alexa::parse_table(&text::decode(&bytes)).map(whole),
    };
    match parsed {
        Ok(read) => Some(Ok(read)),
        Err(error @ (Error::Json { .. } | Error::NotThat { .. })) if expected => {
            Some(Err(Failure::from(error).about(shown)))
        }
        Err(_) => None,
    }
}

/// A name that promises a list of what was said.
fn is_transcript_list(name: &str) -> bool {
    base_name(name).to_lowercase().contains("transcript")
}

/// The sound files of a batch by their names.
struct Names {
    whole: BTreeMap<String, usize>,
    /// By the last part; none where it is not the only one.
    base: BTreeMap<String, Option<usize>>,
}

impl Names {
    fn of(items: &[Item]) -> Self {
        let (mut whole, mut base) = (BTreeMap::new(), BTreeMap::new());
        for (place, item) in items.iter().enumerate().filter(|(_, item)| item.is_sound()) {
            whole.insert(item.name.to_lowercase(), place);
            base.entry(item.base_name().to_lowercase())
                .and_modify(|only| *only = None)
                .or_insert(Some(place));
        }
        Self { whole, base }
    }

    /// The file that a list means: beside it, else the only one of that name.
    fn find(&self, list: &str, file: &str) -> Option<usize> {
        let folder = list.rsplit_once('/').map_or("", |(folder, _)| folder);
        let file = file.replace('\\', "/").to_lowercase();
        let file = file.trim_start_matches("./");
        let beside = match folder {
            "" => file.to_owned(),
            folder => format!("{}/{file}", folder.to_lowercase()),
        };
        let place = self.whole.get(&beside).or_else(|| self.whole.get(file));
        place.copied().or_else(|| *self.base.get(base_name(file))?)
    }
}
