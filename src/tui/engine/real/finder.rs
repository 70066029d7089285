//! The thread that has the search index. Of several queries that wait only the
//! last is answered: the person has typed on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use super::{Answer, Shared};
use crate::recording::{Recording, RecordingId};
use crate::search::{Index, Query};
use crate::transcript::Transcript;
use crate::tui::engine::{Hit, HitMoment};
use crate::vault::OpenVault;

/// Hits shown at most; nobody pages further, they type on.
const MOST_HITS: usize = 200;

/// Something for the finder.
pub(super) enum Find {
    /// Make the index anew.
    Build {
        /// Where the words are.
        open: Arc<OpenVault>,
        /// All recordings.
        recordings: Arc<Vec<Recording>>,
    },
    /// One recording changed.
    Update {
        /// As it is now.
        recording: Box<Recording>,
        /// Its newest words.
        transcript: Option<Transcript>,
    },
    /// These are gone.
    Remove(Vec<RecordingId>),
    /// Search.
    Search {
        /// The request's.
        serial: u64,
        /// As typed.
        query: String,
    },
    /// The vault is locked.
    Forget,
    /// The end.
    End,
}

pub(super) fn run(shared: &Shared, finds: &Receiver<Find>) {
    let mut index = Index::new();
    let mut asked: Option<(u64, String)> = None;
    loop {
        // What changes the index comes before the search that waits.
        let next = match (finds.try_recv(), asked.take()) {
            (Ok(next), waiting) => {
                asked = waiting;
                next
            }
            (Err(TryRecvError::Empty), Some((serial, query))) => {
                search(shared, &index, serial, &query);
                continue;
            }
            (Err(TryRecvError::Empty), None) => match finds.recv() {
                Ok(next) => next,
                Err(_) => return,
            },
            (Err(TryRecvError::Disconnected), _) => return,
        };
        match next {
            Find::Build { open, recordings } => match build(&open, &recordings) {
                Ok(built) => index = built,
                Err(failure) => shared.complain(failure),
            },
            Find::Update {
                recording,
                transcript,
            } => index.insert(&recording, transcript.as_ref()),
            Find::Remove(ids) => {
                ids.into_iter().for_each(|id| index.remove(id));
                // No word that only they held may stay.
                index.sweep();
            }
            Find::Search { serial, query } => asked = Some((serial, query)),
            Find::Forget => {
                index = Index::new();
                asked = None;
            }
            Find::End => return,
        }
    }
}

fn build(open: &OpenVault, recordings: &[Recording]) -> Result<Index, crate::error::Failure> {
    crate::command::search::build_index(open, recordings)
}

fn search(shared: &Shared, index: &Index, serial: u64, query: &str) {
    let now = shared.context.clock.now();
    let started = Instant::now();
    let found = index.search(&Query::parse(query), &now, MOST_HITS);
    let took_ms = started.elapsed().as_secs_f64() * 1000.0;
    let hits = found.hits.into_iter().map(|hit| Hit {
        id: hit.id,
        moments: hit
            .moments
            .into_iter()
            .map(|moment| HitMoment {
                start_s: moment.start_s,
                text: moment.text,
                marks: moment
                    .marks
                    .into_iter()
                    .map(|(from, to)| [from, to])
                    .collect(),
            })
            .collect(),
    });
    shared.tell(Answer::Found {
        serial,
        took_ms,
        total: found.total,
        hits: hits.collect(),
    });
}
