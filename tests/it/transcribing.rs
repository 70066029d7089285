//! Several look for what waits to be transcribed, and each of it is transcribed once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use voxvault::command::{Context, NoKey, Progress, SystemClock, Unit, transcribe};
use voxvault::config::{Config, Paths};
use voxvault::error::Failure;
use voxvault::recording::RecordingId;
use voxvault::speech::Language;
use voxvault::vault::OpenVault;
use voxvault::worker::transcriber::{Event, Settings, Transcriber};

use crate::support::library::{transcript, unlock};
use crate::support::prepared::quick_home;
use crate::support::{Home, PASSPHRASE, clip, models_dir, require_model};

/// A home with three recordings that wait. `None`, after saying so, without a speech model.
fn home_with_three() -> Option<Home> {
    if !require_model() {
        return None;
    }
    let home = quick_home();
    let mut args = vec!["import".into(), "--no-transcribe".into()];
    args.extend(["dentist", "shopping", "train"].map(|name| clip(name).into_os_string()));
    home.voxvault(args).run().ok();
    Some(home)
}

/// Another process: once somebody is at work on a recording it is faster with two of them.
struct Rival {
    vault: OpenVault,
    has_done: AtomicBool,
}

impl Rival {
    fn of(home: &Home) -> Self {
        Self {
            vault: unlock(&home.vault(), PASSPHRASE),
            has_done: AtomicBool::new(false),
        }
    }

    fn is_faster(&self, with: impl Fn(RecordingId) -> bool) {
        if self.has_done.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.vault.recordings().unwrap();
        waiting.sort_by_key(|one| !with(one.id));
        for one in &waiting[..2] {
            let words = transcript("said by the rival");
            self.vault
                .add_transcript(one.id, one.epoch, &words)
                .unwrap();
        }
    }

    /// How many have a transcript of the rival's, each of all having that many.
    fn counted(&self, versions: usize) -> usize {
        let all = self.vault.recordings().unwrap();
        assert_eq!(all.len(), 3);
        let is_rivals = |id| {
            self.vault
                .transcript(id, 1)
                .unwrap()
                .text()
                .contains("rival")
        };
        assert!(all.iter().all(|one| one.versions.len() == versions));
        all.iter().filter(|one| is_rivals(one.id)).count()
    }
}

#[test]
fn in_the_background_nothing_is_transcribed_twice() {
    let Some(home) = home_with_three() else {
        return;
    };
    let rival = Arc::new(Rival::of(&home));
    let (told, events) = channel();
    let other = Arc::clone(&rival);
    let listener = move |event: Event| {
        if let Event::Progress { id, .. } = &event {
            other.is_faster(|one| one == *id);
        }
        told.send(event).unwrap();
    };
    let settings = Settings {
        models: models_dir(),
        language: Language::Auto,
    };
    let vault = Arc::new(unlock(&home.vault(), PASSPHRASE));
    let transcriber = Transcriber::start(vault, settings, Box::new(listener)).unwrap();
    let (mut overtaken, mut done, mut heard) = (0, 0, BTreeSet::new());
    for event in events.iter().take_while(|event| *event != Event::Idle) {
        match event {
            Event::Overtaken { .. } => overtaken += 1,
            Event::Done { version, .. } => done += version,
            Event::Progress { id, .. } => drop(heard.insert(id)),
            Event::Started { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    transcriber.stop();
    assert_eq!((overtaken, done), (2, 1));
    assert_eq!(heard.len(), 2, "what had its transcript is not listened to");
    assert_eq!(rival.counted(1), 2);
}

/// Wakes the rival as soon as there is progress.
struct Watching<'a>(&'a Rival);

impl Progress for Watching<'_> {
    fn begin(&self, _what: &str, _total: Option<u64>, _unit: Unit) {}
    fn advance(&self, _done: u64) {
        self.0.is_faster(|_| true);
    }
    fn end(&self) {}
    fn note(&self, message: &str) {
        panic!("{message}");
    }
    fn refuse(&self, failure: &Failure) {
        panic!("{failure}");
    }
    fn deliver(&self, _line: &str) {}
    fn cancelled(&self) -> bool {
        false
    }
}

fn context(vault: &Path) -> Context {
    let paths = Paths {
        vault: vault.to_owned(),
        models: models_dir(),
        state: vault.with_extension("state"),
        config_file: vault.with_extension("toml"),
    };
    let clock = Arc::new(SystemClock);
    let context = Context::new(paths, Config::default(), clock, Box::new(NoKey));
    context.remember(Arc::new(unlock(vault, PASSPHRASE)));
    context
}

#[test]
fn a_command_adds_to_what_waited_only_its_first_transcript_and_to_what_is_named_always() {
    let Some(home) = home_with_three() else {
        return;
    };
    let (rival, context) = (Rival::of(&home), context(&home.vault()));
    let run = |args| transcribe::run(&context, &args, &Watching(&rival)).unwrap();
    let outcome = run(transcribe::Args::default());
    assert_eq!((outcome.made.len(), outcome.refused.len()), (1, 0));
    assert_eq!(rival.counted(1), 2);

    let ids = rival.vault.ids().unwrap();
    let ids = ids.iter().map(ToString::to_string).collect();
    let outcome = run(transcribe::Args {
        ids,
        ..transcribe::Args::default()
    });
    assert_eq!(outcome.made.len(), 3);
    assert!(outcome.made.iter().all(|made| made.version == 2));
    assert_eq!(rival.counted(2), 2);
}
