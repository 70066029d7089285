//! Fetches and opens what is to be written, on several threads, and hands it on in
//! order.
//!
//! Opening sealed sound takes most of a backup's time. Each thread has at most one
//! piece of work waiting and one that is done, so memory does not grow with what is
//! backed up.

use std::num::NonZero;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use super::task::{Sound, Task};
use crate::backup::error::{Error, Result};
use crate::fence::fenced;
use crate::vault::copying::{Opened, Part, Portion};
use crate::vault::{self, OpenVault};

/// More would wait for each other at the store.
const MOST_THREADS: usize = 8;

/// Segments of sound that are fetched at once: a megabyte, during which the vault's
/// lock is held.
const SEGMENTS_AT_ONCE: u64 = 350;

/// How many of them the card and the words of a recording are counted as.
const HEAD_SEGMENTS: u64 = 5;

/// A portion of a task, opened or why not.
pub(super) struct Piece {
    /// Which of the tasks.
    pub task: usize,
    /// What it is.
    pub opened: Result<Opened, vault::Error>,
}

type Job = Vec<(usize, Portion)>;
type Done = Result<Vec<Piece>, vault::Error>;

/// What `take` wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// More.
    More,
    /// Nothing: what was fetched ahead is dropped.
    Enough,
}

/// Gives every portion of the tasks to `take`, in order, until it has enough.
pub(super) fn supply(
    vault: &OpenVault,
    tasks: &[Task],
    mut take: impl FnMut(Piece) -> Result<Next>,
) -> Result<()> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads.min(MOST_THREADS);
    thread::scope(|scope| {
        let workers: Vec<(SyncSender<Job>, Receiver<Done>)> = (0..threads)
            .map(|_| {
                let (to_worker, jobs) = mpsc::sync_channel::<Job>(1);
                let (answer, answers) = mpsc::sync_channel::<Done>(1);
                thread::Builder::new()
                    .name("backup".into())
                    .spawn_scoped(scope, move || {
                        for job in jobs {
                            let done =
                                fenced(|| open(vault, job)).unwrap_or_else(|| Err(panicked()));
                            // Nobody waits for it any more once there is enough.
                            if answer.send(done).is_err() {
                                break;
                            }
                        }
                    })
                    .map_err(Error::io("start a thread for", "the backup".as_ref()))?;
                Ok((to_worker, answers))
            })
            .collect::<Result<_>>()?;
        let mut jobs = jobs(tasks);
        let (mut sent, mut taken) = (0, 0);
        loop {
            while sent < taken + 2 * threads
                && let Some(job) = jobs.next()
            {
                if workers[sent % threads].0.send(job).is_err() {
                    return Err(panicked().into());
                }
                sent += 1;
            }
            if taken == sent {
                return Ok(());
            }
            let done = workers[taken % threads].1.recv();
            taken += 1;
            for piece in done.map_err(|_| panicked())?? {
                if take(piece)? == Next::Enough {
                    return Ok(());
                }
            }
        }
    })
}

fn panicked() -> vault::Error {
    vault::Error::store_damaged(vault::STORE_FILE.as_ref(), "its tree is damaged")
}

fn open(vault: &OpenVault, job: Job) -> Done {
    let (tasks, portions): (Vec<usize>, Vec<Portion>) = job.into_iter().unzip();
    let fetched = vault.fetch(&portions)?;
    let pieces = tasks.into_iter().zip(fetched).map(|(task, sealed)| Piece {
        task,
        opened: sealed.and_then(|sealed| sealed.open()),
    });
    Ok(pieces.collect())
}

/// The portions of the tasks, as many in each job as are fetched at once.
fn jobs(tasks: &[Task]) -> impl Iterator<Item = Job> {
    let mut portions = tasks.iter().enumerate().flat_map(portions_of).peekable();
    std::iter::from_fn(move || {
        let (mut job, mut weight) = (Job::new(), 0);
        while let Some((_, portion)) = portions.peek() {
            let more = match &portion.part {
                Part::Head => HEAD_SEGMENTS,
                Part::Sound(segments) => segments.end - segments.start,
            };
            if !job.is_empty() && weight + more > SEGMENTS_AT_ONCE {
                break;
            }
            weight += more;
            job.extend(portions.next());
        }
        (!job.is_empty()).then_some(job)
    })
}

/// How many pieces a task comes in.
pub(super) fn pieces_of(task: &Task) -> u64 {
    let Range { start, end } = sound_segments(task);
    1 + (end - start).div_ceil(SEGMENTS_AT_ONCE)
}

/// Segments of sound that are to be read for it.
fn sound_segments(task: &Task) -> Range<u64> {
    match task.sound {
        Sound::Here(stretch) => stretch.span(),
        Sound::At(_) | Sound::Gone | Sound::Lost => 0..0,
    }
}

fn portions_of((at, task): (usize, &Task)) -> impl Iterator<Item = (usize, Portion)> + use<> {
    let (id, epoch) = (task.stocked.id, task.stocked.epoch);
    let Range { start, end } = sound_segments(task);
    let pieces = (0..(end - start).div_ceil(SEGMENTS_AT_ONCE)).map(move |piece| {
        let from = start + piece * SEGMENTS_AT_ONCE;
        Part::Sound(from..end.min(from + SEGMENTS_AT_ONCE))
    });
    std::iter::once(Part::Head)
        .chain(pieces)
        .map(move |part| (at, Portion { id, epoch, part }))
}
