//! Finds recordings by what was said in them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Context, merge_quietly};
use crate::error::Failure;
use crate::recording::{Recording, RecordingId};
use crate::search::{Hits, Index, Query};
use crate::transcript::Transcript;
use crate::vault::{Damage, OpenVault};

/// What to look for.
#[derive(Debug, Clone)]
pub struct Args {
    /// The query as typed; anything is a query.
    pub query: String,
    /// How many hits to give at most.
    pub limit: usize,
}

/// What was found.
#[derive(Debug)]
pub struct Outcome {
    /// The hits, best first, with their recordings.
    pub hits: Hits,
    /// The recordings that the hits name.
    pub recordings: HashMap<RecordingId, Recording>,
    /// How long the search itself took, without building the index.
    pub took: Duration,
}

/// Searches the newest transcript of every recording.
///
/// # Errors
/// When the vault can't be unlocked or read.
pub fn run(
    context: &Context,
    args: &Args,
    progress: &dyn super::Progress,
) -> Result<Outcome, Failure> {
    let vault = context.unlocked()?;
    merge_quietly(&vault, progress)?;
    let recordings = super::recordings(&vault, progress)?;
    let (index, damaged) = index_of(&vault, &recordings)?;
    super::tell_of_damage(&damaged, progress);
    let started = Instant::now();
    let hits = index.search(&Query::parse(&args.query), &context.clock.now(), args.limit);
    let took = started.elapsed();
    let wanted: Vec<RecordingId> = hits.hits.iter().map(|hit| hit.id).collect();
    let recordings = recordings
        .into_iter()
        .filter(|recording| wanted.contains(&recording.id))
        .map(|recording| (recording.id, recording))
        .collect();
    Ok(Outcome {
        hits,
        recordings,
        took,
    })
}

/// An index over all that the vault holds and that can be read.
///
/// # Errors
/// When the vault can't be read.
pub fn build_index(vault: &OpenVault, recordings: &[Recording]) -> Result<Index, Failure> {
    Ok(index_of(vault, recordings)?.0)
}

/// The same, with the transcripts that could not be read.
fn index_of(vault: &OpenVault, recordings: &[Recording]) -> Result<(Index, Vec<Damage>), Failure> {
    let mut transcripts: HashMap<RecordingId, Transcript> = HashMap::new();
    let damaged = vault.newest_transcripts(&mut |id, _number, transcript| {
        transcripts.insert(id, transcript);
    })?;
    let mut index = Index::new();
    for recording in recordings {
        index.insert(recording, transcripts.remove(&recording.id).as_ref());
    }
    Ok((index, damaged))
}
