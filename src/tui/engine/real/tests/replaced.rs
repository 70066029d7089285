//! Another process replaces the keys of a vault that is open here.

use std::thread::{self, JoinHandle};

use super::*;
use crate::error::Exit;

/// A desk at work, with the vault unlocked; it has heard of nothing else.
struct Opened {
    jobs: Sender<Job>,
    ended: JoinHandle<()>,
}

impl Opened {
    /// Does this, ends, and says what it answered.
    fn answers(self, fixture: &Fixture, job: Job) -> Vec<Answer> {
        self.jobs.send(job).unwrap();
        self.jobs.send(Job::End).unwrap();
        self.ended.join().unwrap();
        fixture.answers.try_iter().collect()
    }
}

impl Fixture {
    fn opened(&self) -> Opened {
        let ((jobs, todo), (finder, _)) = (channel(), channel());
        let ((errands, _), (player, _)) = (channel(), channel());
        let shared = self.shared.clone();
        let back = jobs.clone();
        jobs.send(Job::Ask(Request::Unlock(typed(PASSPHRASE))))
            .unwrap();
        let ended = thread::spawn(move || {
            desk::Desk::new(shared, back, finder, errands, player, None).run(&todo);
        });
        let is_open = |answer| matches!(answer, Answer::Unlocked { .. });
        assert!(self.answers.iter().any(is_open), "it stays locked");
        // What is transcribed by itself, which is nothing without a model.
        let is_idle = |answer| matches!(answer, Answer::TranscriberIdle);
        assert!(self.answers.iter().any(is_idle));
        Opened { jobs, ended }
    }

    fn replace_the_keys(&self) {
        let vault = Vault::open_at(Site::new(&self.shared.context.paths.vault, None)).unwrap();
        let passphrase = Passphrase::new(PASSPHRASE.to_owned());
        let other = vault.unlock(&passphrase).unwrap();
        let new = Passphrase::new("another six words by now".to_owned());
        other
            .change_passphrase_with(&new, WorkFactor::NONE)
            .unwrap();
    }
}

fn is_told(answer: &Answer) -> bool {
    match answer {
        Answer::LockedOut(failure) => {
            failure.exit == Exit::Locked && failure.why.contains("replaced meanwhile")
        }
        _ => false,
    }
}

#[test]
fn who_asks_for_anything_after_the_keys_were_replaced_is_told_so() {
    let asks: [fn(RecordingId) -> Job; 6] = [
        |id| Job::Ask(Request::Shred(vec![id])),
        |id| {
            let span_ms = 0..500;
            Job::Ask(Request::Redact { id, span_ms })
        },
        |id| {
            Job::Ask(Request::Edit {
                id,
                title: "named".to_owned(),
                tags: Vec::new(),
                note: String::new(),
            })
        },
        |id| Job::Ask(Request::Read(id)),
        |_| Job::Ask(Request::ClockIsRight),
        |_| Job::Inbox,
    ];
    for (number, ask) in asks.into_iter().enumerate() {
        let fixture = Fixture::new(Config::default());
        let id = fixture.with_a_recording();
        fixture.shared.context.lock();
        let opened = fixture.opened();
        fixture.replace_the_keys();
        let answers = opened.answers(&fixture, ask(id));
        assert!(answers.iter().any(is_told), "request {number}");
        let as_another =
            |answer: &Answer| matches!(answer, Answer::Failed(_) | Answer::DestroyingFailed(_));
        assert!(!answers.iter().any(as_another), "request {number}");
    }
}

#[test]
fn an_errand_is_told_of_replaced_keys_and_not_of_locking() {
    let fixture = Fixture::new(Config::default());
    let id = fixture.with_a_recording();
    let errand = || Errand::Keyed(Keyed::Waveform(id), fixture.shared.halt.leave());
    fixture.replace_the_keys();
    fixture.run_errands([errand()]);
    let answers: Vec<Answer> = fixture.answers.try_iter().collect();
    assert!(matches!(answers.as_slice(), [answer] if is_told(answer)));

    fixture.shared.context.lock();
    fixture.run_errands([errand()]);
    assert!(fixture.answers.try_recv().is_err());
}

#[test]
fn destroying_that_fails_is_answered_as_such() {
    let fixture = Fixture::new(Config::default());
    fixture.with_a_recording();
    fixture.shared.context.lock();
    let nobody = RecordingId::from_bytes([7; 16]);
    let requests = [
        Request::Shred(vec![nobody]),
        Request::Redact {
            id: nobody,
            span_ms: 0..500,
        },
    ];
    for request in requests {
        let answers = fixture.opened().answers(&fixture, Job::Ask(request));
        let is_it = |answer: &Answer| match answer {
            Answer::DestroyingFailed(failure) => failure.exit == Exit::NotFound,
            _ => false,
        };
        assert_eq!(answers.iter().filter(|answer| is_it(answer)).count(), 1);
    }
}
