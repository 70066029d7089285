//! Takes in sound files, folders of them, and data downloads, with the dates, titles and
//! transcripts that come with them. Works while the vault is locked.
//!
//! What is read and where that is described: `docs/IMPORT.md`. Nothing is unpacked or
//! written anywhere but into the vault.

mod batch;
mod dates;
mod lists;
mod pipe;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::batch::Batch;
use self::lists::Lists;
use self::words::{Found, Sidecars};
use super::record::{self, Held, Taken, Transcribing};
use super::{Context, Listening, Progress, Unit, clock, tag};
use crate::error::{Exit, Failure};
use crate::fence::fenced;
use crate::foreign::{Spoken, archive};
use crate::recording::{Moment, Source};
use crate::vault::Vault;
use crate::worker::taking;

/// How many characters of what was said make a title.
const TITLE_CHARS: usize = 60;

/// What to take in.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// Files, folders and zip archives.
    pub paths: Vec<PathBuf>,
    /// The title; each file's name unless given.
    pub title: Option<String>,
    /// Tags for all of them, in order.
    pub tags: Vec<String>,
    /// Whether to transcribe at the end.
    pub transcribing: Transcribing,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The recordings that are in the vault now.
    pub taken: Vec<Taken>,
    /// The files that could not be taken in; they have been told already.
    pub refused: Vec<(PathBuf, Failure)>,
    /// The files whose sound the vault holds already, as far as that is known by now: of a
    /// vault that is locked, the next merge finds them.
    pub held: Vec<Held>,
    /// Lists of downloads of which records were left out, and the places of these in it, from
    /// 1; they have been told already.
    pub left_out: Vec<(PathBuf, Vec<usize>)>,
    /// How many files of folders and archives are neither sound nor about it.
    pub skipped: usize,
    /// What ended the work early; what was taken in by then stays.
    pub stopped: Option<Failure>,
}

/// Takes in every file that is sound. A file is taken in whole or not at all.
///
/// # Errors
/// When there is no vault or a tag can't be used. What happens later is in the
/// outcome: files that were taken in by then stay.
pub fn run(context: &Context, args: &Args, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let args = Args {
        tags: tag::parse_tags(&args.tags)?,
        ..args.clone()
    };
    let vault = context.vault()?;
    if let Some(warning) = clock::warning(context, &vault) {
        progress.note(&warning);
    }
    record::tell_of_no_way_in(&vault, progress);
    let mut outcome = Outcome::default();
    outcome.stopped = take_all(context, &vault, &args, &mut outcome, progress).err();
    match outcome.skipped {
        0 => {}
        1 => progress.note("1 file that is not sound was skipped"),
        more => progress.note(&format!("{more} files that are not sound were skipped")),
    }
    let (taken, held) = (&mut outcome.taken, &mut outcome.held);
    let finished = record::finish(context, taken, held, args.transcribing, progress);
    outcome.stopped = outcome.stopped.or(finished.err());
    Ok(outcome)
}

/// What one import works with.
struct Importing<'a> {
    context: &'a Context,
    vault: &'a Vault,
    args: &'a Args,
    /// How far the clock is behind what the vault makes of it.
    behind_ms: i64,
    progress: &'a dyn Progress,
}

fn take_all(
    context: &Context,
    vault: &Vault,
    args: &Args,
    outcome: &mut Outcome,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let importing = Importing {
        context,
        vault,
        args,
        behind_ms: clock::behind_ms(context, vault),
        progress,
    };
    for path in &args.paths {
        if path.is_dir() {
            importing.several(&mut Batch::of_folder(path), outcome)?;
        } else if path.is_file() && archive::is_archive(path).unwrap_or(false) {
            match Batch::of_archive(path) {
                Ok(mut batch) => importing.several(&mut batch, outcome)?,
                Err(failure) => importing.refuse(path.clone(), failure, outcome),
            }
        } else if is_text(path) && path.exists() {
            importing.text(path, outcome);
        } else {
            importing.one(&mut Batch::of_file(path), outcome)?;
        }
    }
    Ok(())
}

impl Importing<'_> {
    /// The date of what comes in now.
    fn now(&self) -> Moment {
        let now = self.context.now();
        Moment {
            unix_ms: now.unix_ms.saturating_add(self.behind_ms),
            ..now
        }
    }

    /// All sound of a folder or an archive.
    fn several(&self, batch: &mut Batch, outcome: &mut Outcome) -> Result<(), Failure> {
        for (path, failure) in std::mem::take(&mut batch.refused) {
            self.refuse(path, failure, outcome);
        }
        let sounds: BTreeSet<usize> = (0..batch.items.len())
            .filter(|item| batch.items.get(*item).is_some_and(batch::Item::is_sound))
            .collect();
        let sidecars = Sidecars::of(&batch.items);
        let beside = sidecars.of_sounds(batch.items.iter().filter(|item| item.is_sound()));
        let lists = Lists::of(batch, &|item| {
            sounds.contains(&item) || beside.contains(&item)
        });
        for (item, failure) in &lists.refused {
            self.refuse(shown(batch, *item), failure.clone(), outcome);
        }
        for (list, places) in &lists.left_out {
            let list = shown(batch, *list);
            self.progress.note(&left_out(&list, places));
            outcome.left_out.push((list, places.clone()));
        }
        if let Some((count, example)) = &lists.missing {
            self.progress.note(&format!(
                "{count} sound files that its lists name are not there, or not the only ones of \
                 their name: {example}"
            ));
        }
        for (place, item) in batch.items.iter().enumerate() {
            if item.is_sound() || beside.contains(&place) || lists.read.contains(&place) {
                continue;
            }
            if words::is_subtitle(item) {
                self.refuse(
                    item.shown.clone(),
                    alone().about(item.shown.display()),
                    outcome,
                );
            } else {
                outcome.skipped += 1;
            }
        }
        outcome.skipped += batch.skipped;
        for sound in sounds {
            self.take(batch, sound, &sidecars, &lists, outcome)?;
        }
        Ok(())
    }

    /// One file, with the transcripts beside it.
    fn one(&self, batch: &mut Batch, outcome: &mut Outcome) -> Result<(), Failure> {
        let sidecars = Sidecars::of(&batch.items);
        self.take(batch, 0, &sidecars, &Lists::default(), outcome)
    }

    /// A transcript is taken along with its sound file, if that is given too.
    fn text(&self, path: &Path, outcome: &mut Outcome) {
        let belongs = |sound: &PathBuf| {
            !is_text(sound)
                && Batch::of_file(sound).items.iter().any(|item| {
                    item.shown.file_name() == path.file_name() && sound.parent() == path.parent()
                })
        };
        if !self.args.paths.iter().any(belongs) {
            let failure = alone().about(path.display());
            self.refuse(path.to_owned(), failure, outcome);
        }
    }

    fn refuse(&self, path: PathBuf, failure: Failure, outcome: &mut Outcome) {
        self.progress.refuse(&failure);
        outcome.refused.push((path, failure));
    }

    fn take(
        &self,
        batch: &mut Batch,
        sound: usize,
        sidecars: &Sidecars,
        lists: &Lists,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        if self.progress.cancelled() {
            return Err(Failure::new(Exit::Failed, "stopped", "it was cancelled"));
        }
        let looked = sidecars.read(batch, sound);
        // What a library does not stand is the fault of this one file.
        let taken = fenced(|| self.take_one(batch, sound, looked.found, lists));
        let taken = taken.unwrap_or_else(|| {
            self.progress.end();
            Err(taking::gave_up().about(shown(batch, sound).display()))
        });
        match taken {
            Ok(taken) => outcome.taken.push(taken),
            Err(failure) if self.progress.cancelled() || stops_all(failure.exit) => {
                return Err(failure);
            }
            Err(failure) => self.refuse(shown(batch, sound), failure, outcome),
        }
        for (item, failure) in looked.refused {
            self.refuse(shown(batch, item), failure, outcome);
        }
        for item in looked
            .others
            .into_iter()
            .filter(|item| !lists.read.contains(item))
        {
            self.progress.note(&format!(
                "{} holds no transcript that is known; it was left out",
                shown(batch, item).display()
            ));
        }
        Ok(())
    }

    fn take_one(
        &self,
        batch: &mut Batch,
        sound: usize,
        mut found: Vec<Found>,
        lists: &Lists,
    ) -> Result<Taken, Failure> {
        let shown = shown(batch, sound);
        let (opened, tag) = pipe::telling(&shown, self.progress, || batch.sound(sound))?;
        let name = batch
            .items
            .get(sound)
            .map(|item| item.base_name().to_owned());
        let name = name.unwrap_or_default();
        let told = lists.about(sound);
        if let Some((told, list)) = told
            && let Some(said) = &told.said
        {
            found.insert(
                0,
                Found {
                    file: list.clone(),
                    language: None,
                    spoken: Spoken::untimed(said),
                },
            );
        }
        let told = told.map(|(told, _)| told);
        let title = self.args.title.clone();
        let title = title
            .or_else(|| told?.title.clone())
            .or_else(|| told?.said.as_deref().map(shortened))
            .unwrap_or_else(|| stem(&name));
        let now = self.now();
        let mut card = taking::card(Source::Import, title, self.args.tags.clone(), now);
        card.device = told.and_then(|told| told.device.clone());
        let known = dates::Known {
            told: told.and_then(|told| told.at),
            tag,
            name: &name,
            changed: batch.changed(sound),
        };
        if let Some(moment) = dates::best(&known, clock::latest(now)) {
            card.recorded_at = moment;
        }
        let total = opened
            .duration_hint()
            .map(|length| length.as_millis() as u64);
        let (mut notes, mut transcripts) = (Vec::new(), 0);
        let mut said = |length| {
            let versions = found.iter().filter_map(|found| {
                let (transcript, note) = words::version(found, length, now);
                notes.extend(note);
                transcript
            });
            let versions: Vec<_> = versions.collect();
            transcripts = versions.len();
            versions
        };
        let progress = self.progress;
        progress.begin(&format!("importing {name}"), total, Unit::SoundMs);
        let taken = taking::with_words(self.vault, opened, card, &mut said, &Listening(progress));
        progress.end();
        let taken = taken.map_err(|failure| match failure.which {
            Some(_) => failure,
            None => failure.about(shown.display()),
        })?;
        for note in notes {
            progress.note(&note);
        }
        if taken.cut_short {
            progress.note(&format!(
                "{} is shorter than its header says; what is there was taken",
                shown.display()
            ));
        }
        Ok(Taken {
            id: taken.id,
            file: Some(shown.display().to_string()),
            duration: taken.duration,
            state: taken.state,
            transcripts,
        })
    }
}

/// Whether the next file would fail in the same way.
fn stops_all(exit: Exit) -> bool {
    matches!(exit, Exit::NoSpace | Exit::Busy)
}

fn shown(batch: &Batch, item: usize) -> PathBuf {
    batch
        .items
        .get(item)
        .map(|item| item.shown.clone())
        .unwrap_or_default()
}

/// What is told of records of a list that were left out.
fn left_out(list: &Path, places: &[usize]) -> String {
    /// More are not named.
    const MOST_NAMED: usize = 10;
    let named = places.iter().take(MOST_NAMED).map(usize::to_string);
    let named = named.collect::<Vec<_>>().join(", ");
    let list = list.display();
    match places {
        [place] => format!("record {place} of {list} is not as it should be; it was left out"),
        _ => format!(
            "{} records of {list} are not as they should be; they were left out: {named}{}",
            places.len(),
            if places.len() > MOST_NAMED {
                ", …"
            } else {
                ""
            }
        ),
    }
}

/// A transcript whose sound is not there.
fn alone() -> Failure {
    let why = "no sound file of its name is with it";
    Failure::new(Exit::Failed, "can't take in the transcript", why)
        .hint("give the sound file; a transcript beside it is taken along")
}

/// Whether a file is named like a transcript.
fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        ["srt", "vtt", "json"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

/// The file's name without its ending.
fn stem(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// The beginning of what was said, up to the end of a word.
fn shortened(said: &str) -> String {
    let mut title = String::new();
    for word in said.split_whitespace() {
        if title.chars().count() + word.chars().count() >= TITLE_CHARS && !title.is_empty() {
            return title + " …";
        }
        if !title.is_empty() {
            title.push(' ');
        }
        title.extend(word.chars().take(TITLE_CHARS));
    }
    title
}
