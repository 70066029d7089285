#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::archivist::{self, Leaves, Task, Work};
use super::halt::Leave;
use super::notes::Notes;
use super::*;
use crate::command::record::Transcribing;
use crate::command::{Progress, Silent, SystemClock, import};
use crate::config::{Config, Paths};
use crate::crypto::WorkFactor;
use crate::recording::RecordingId;
use crate::tui::engine::{Archive, Archived, BackupShape, Chosen, Format};
use crate::tui::secret::Secret;
use crate::vault::site::Site;
use crate::vault::{InitOptions, OpenVault, Vault};

mod replaced;

const PASSPHRASE: &str = "six words that nobody guesses";

/// What the engine's threads share, over a vault of its own.
struct Fixture {
    dir: TempDir,
    shared: Shared,
    answers: Receiver<Answer>,
}

impl Fixture {
    fn new(config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths {
            vault: dir.path().join("vault"),
            models: dir.path().join("models"),
            state: dir.path().join("state"),
            config_file: dir.path().join("config.toml"),
        };
        let options = InitOptions {
            work: WorkFactor::NONE,
            ..InitOptions::default()
        };
        let passphrase = Passphrase::new(PASSPHRASE.to_owned());
        drop(Vault::init_at(Site::new(&paths.vault, None), &passphrase, options).unwrap());
        let context = Context::new(paths, config, Arc::new(SystemClock), Box::new(NoKey));
        let (mail, answers) = Mailbox::kept().unwrap();
        let shared = Shared {
            context: Arc::new(context),
            mail,
            halt: Halt::default(),
            copies: Copies::default(),
            _alive: None,
        };
        Self {
            dir,
            shared,
            answers,
        }
    }

    fn unlock(&self) -> Arc<OpenVault> {
        let passphrase = Passphrase::new(PASSPHRASE.to_owned());
        self.shared.context.unlock_with(&passphrase).unwrap()
    }

    /// Takes a sound in; the vault is open then.
    fn with_a_recording(&self) -> RecordingId {
        let sound = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound/tone-s16.wav");
        let args = import::Args {
            paths: vec![sound],
            transcribing: Transcribing::NotNow,
            ..import::Args::default()
        };
        import::run(&self.shared.context, &args, &Silent).unwrap();
        let open = self.unlock();
        open.merge().unwrap();
        open.recordings().unwrap().first().unwrap().id
    }

    fn copies(&self) -> PathBuf {
        self.dir.path().join("copies")
    }

    fn export(&self, id: RecordingId, leave: Leave) -> Errand {
        let export = Keyed::Export {
            ids: vec![id],
            format: Format::Wav,
            destination: format!("{}/", self.copies().display()),
        };
        Errand::Keyed(export, leave)
    }

    fn run_errands(&self, errands: impl IntoIterator<Item = Errand>) {
        let (todo, waiting) = channel();
        errands
            .into_iter()
            .chain([Errand::End])
            .for_each(|errand| todo.send(errand).unwrap());
        errands::run(&self.shared, &channel().0, &waiting);
    }
}

#[test]
fn an_export_asked_for_before_locking_is_not_written_after_it() {
    let fixture = Fixture::new(Config::default());
    let id = fixture.with_a_recording();
    let leave = fixture.shared.halt.leave();
    // Locked, and at once unlocked again: what was asked before is still off.
    fixture.shared.halt.raise();
    fixture.run_errands([fixture.export(id, leave)]);
    assert!(!fixture.copies().exists());
    assert!(fixture.answers.try_recv().is_err());
    fixture.run_errands([fixture.export(id, fixture.shared.halt.leave())]);
    assert_eq!(fixture.copies().read_dir().unwrap().count(), 1);
}

#[test]
fn commands_under_way_hear_of_the_locking() {
    let halt = Halt::default();
    let leave = halt.leave();
    let notes = Notes::until(&leave);
    assert!(!notes.cancelled());
    halt.raise();
    assert!(notes.cancelled());
    assert!(!Notes::default().cancelled());
}

#[test]
fn asking_to_lock_withdraws_leave_before_the_desk_hears_of_it() {
    let fixture = Fixture::new(Config::default());
    let mail = fixture.shared.mail.clone();
    let mut engine = Real::start(&fixture.shared.context, None, mail).unwrap();
    let before = engine.shared.halt.leave();
    engine.ask(Request::Lock);
    assert!(before.is_over());
    let later = engine.shared.halt.leave();
    engine.close();
    assert!(later.is_over());
}

fn typed(text: &str) -> Secret {
    let mut secret = Secret::default();
    text.chars().for_each(|c| secret.push(c));
    secret
}

impl Fixture {
    /// What the desk answers to unlocking, the listing aside.
    fn answers_to_unlocking(&self) -> Vec<Answer> {
        let ((desk, jobs), (finder, _)) = (channel(), channel());
        let ((errands, _), (player, _)) = (channel(), channel());
        desk.send(Job::Ask(Request::Unlock(typed(PASSPHRASE))))
            .unwrap();
        desk.send(Job::End).unwrap();
        desk::Desk::new(self.shared.clone(), desk, finder, errands, player, None).run(&jobs);
        self.answers.try_iter().collect()
    }
}

#[test]
fn an_inbox_that_cannot_be_merged_is_told_of_and_the_vault_opens() {
    let fixture = Fixture::new(Config::default());
    let inbox = fixture.dir.path().join("vault/inbox");
    std::fs::remove_dir(&inbox).unwrap();
    std::fs::write(&inbox, "in the way").unwrap();
    let answers = fixture.answers_to_unlocking();
    let Some(Answer::Unlocked { notices }) = answers.first() else {
        panic!("it stays locked");
    };
    let told = |notice: &String| notice.contains("inbox");
    assert!(notices.iter().any(told), "{notices:?}");
}

#[test]
fn a_language_that_is_none_is_told_of_when_nothing_will_be_transcribed() {
    let fixture = Fixture::new(Config {
        language: "klingon".to_owned(),
        ..Config::default()
    });
    let answers = fixture.answers_to_unlocking();
    assert!(matches!(answers.first(), Some(Answer::Unlocked { .. })));
    let about_the_settings = answers.iter().any(|answer| match answer {
        Answer::Failed(failure) => {
            failure.what == "can't use the language"
                && failure
                    .which
                    .iter()
                    .any(|which| which.ends_with("config.toml"))
        }
        _ => false,
    });
    assert!(about_the_settings);
}

impl Fixture {
    /// What came of this work on a backup.
    fn archived(&self, task: Task, leaves: Leaves) -> Vec<Answer> {
        let (todo, works) = channel();
        todo.send(Work::Do(task, leaves)).unwrap();
        todo.send(Work::End).unwrap();
        archivist::run(&self.shared, &channel().0, &works);
        self.answers.try_iter().collect()
    }

    fn back_up(&self, chosen: Chosen) -> Vec<Answer> {
        let folder = self.backup().display().to_string();
        self.archived(Task::BackUp { folder, chosen }, self.leaves())
    }

    fn backup(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("backup")
    }

    fn leaves(&self) -> Leaves {
        Leaves {
            keys: self.shared.halt.leave(),
            asked: Halt::default().leave(),
        }
    }

    fn look_at_backups(&self) -> crate::tui::engine::Backups {
        let ((desk, jobs), (finder, _)) = (channel(), channel());
        let ((errands, _), (player, _)) = (channel(), channel());
        desk.send(Job::Ask(Request::Look)).unwrap();
        desk.send(Job::Ask(Request::Backups)).unwrap();
        desk.send(Job::End).unwrap();
        let open = self.unlock();
        desk::Desk::new(self.shared.clone(), desk, finder, errands, player, None).run(&jobs);
        self.shared.context.remember(open);
        let mut answers = self.answers.try_iter();
        answers
            .find_map(|answer| match answer {
                Answer::Backups(found) => Some(found),
                _ => None,
            })
            .unwrap()
    }
}

fn ended(answers: &[Answer]) -> &Archived {
    match answers.last() {
        Some(Answer::Archived(archived)) => archived,
        _ => panic!("it did not come to an end"),
    }
}

#[test]
fn a_backup_from_the_screen_is_one_that_the_screen_then_counts_and_verifies() {
    let fixture = Fixture::new(Config::default());
    let id = fixture.with_a_recording();
    let found = fixture.look_at_backups();
    assert_eq!((found.in_none, found.entries.len()), (1, 0));

    let answers = fixture.back_up(Chosen::Typed);
    let Archived::BackedUp {
        holds: 1, damage, ..
    } = ended(&answers)
    else {
        panic!("it holds something else")
    };
    assert!(damage.is_empty());
    assert!(
        answers
            .iter()
            .any(|one| matches!(one, Answer::Archiving(_)))
    );
    let found = fixture.look_at_backups();
    let [entry] = found.entries.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((found.in_none, entry.holds, entry.lacks), (0, 1, 0));
    assert_eq!(entry.shape, BackupShape::Folder(1));

    let folder = entry.path.clone();
    let answers = fixture.archived(Task::Verify { folder }, fixture.leaves());
    let sound = |archived: &Archived| {
        matches!(
            archived,
            Archived::Verified {
                recordings: 1,
                damage: 0,
                ..
            }
        )
    };
    assert!(sound(ended(&answers)));

    let open = fixture.unlock();
    open.shred(&[id], crate::vault::ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    drop(open);
    let found = fixture.look_at_backups();
    assert_eq!((found.entries[0].holds, found.entries[0].destroyed), (0, 1));

    let segment = fixture.backup().join("0001.tar.age");
    let mut bytes = std::fs::read(&segment).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let folder = found.entries[0].path.clone();
    let answers = fixture.archived(Task::Verify { folder }, fixture.leaves());
    assert!(!sound(ended(&answers)));
}

#[test]
fn a_backup_that_is_not_where_it_was_is_not_begun_anew_in_its_place() {
    let fixture = Fixture::new(Config::default());
    fixture.with_a_recording();
    fixture.back_up(Chosen::Typed);
    let not_there = |fixture: &Fixture| {
        let (todo, works) = channel();
        let leave = fixture.shared.halt.leave();
        todo.send(Work::Look(leave)).unwrap();
        todo.send(Work::End).unwrap();
        archivist::run(&fixture.shared, &channel().0, &works);
        match fixture.answers.try_iter().last() {
            Some(Answer::BackupsNotThere(gone)) => gone.len(),
            _ => panic!("nobody looked"),
        }
    };
    assert_eq!(not_there(&fixture), 0);
    // The disk is not connected; where it is mounted, an empty folder is left.
    std::fs::remove_dir_all(fixture.backup()).unwrap();
    assert_eq!(not_there(&fixture), 1);
    for _ in 0..2 {
        let answers = fixture.back_up(Chosen::Remembered);
        assert!(matches!(ended(&answers), Archived::Failed(failure) if failure.hint.is_some()));
        assert!(!fixture.backup().join("0001.tar.age").exists());
        std::fs::create_dir_all(fixture.backup()).unwrap();
    }
    let answers = fixture.back_up(Chosen::Typed);
    assert!(matches!(ended(&answers), Archived::BackedUp { .. }));
}

#[test]
fn a_backup_that_is_stopped_says_so_and_one_that_locking_stops_goes_quietly() {
    let fixture = Fixture::new(Config::default());
    fixture.with_a_recording();
    let task = || Task::BackUp {
        folder: fixture.backup().display().to_string(),
        chosen: Chosen::Typed,
    };
    let stop = Halt::default();
    let leaves = Leaves {
        keys: fixture.shared.halt.leave(),
        asked: stop.leave(),
    };
    stop.raise();
    let answers = fixture.archived(task(), leaves);
    assert_eq!(*ended(&answers), Archived::Stopped(Archive::BackUp));
    let leaves = fixture.leaves();
    fixture.shared.halt.raise();
    assert!(fixture.archived(task(), leaves).is_empty());
    assert!(!fixture.backup().exists());
}
