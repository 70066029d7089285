//! Looks whether sound that could not be backed up whole can be read by now.

use std::collections::BTreeSet;

use super::fill::{is_damage, spans};
use super::supply::{self, Next};
use super::task::Task;
use crate::backup::error::{Error, Result};
use crate::vault::copying::Opened;
use crate::vault::{self, OpenVault};

/// What of the sound of a recording can't be read now.
pub(super) struct Probed {
    /// From the first segment to behind the last.
    pub lost: Vec<(u64, u64)>,
    /// Why the first of them can't, if there is one.
    pub why: Option<Error>,
}

/// Reads all of the sound of a task.
pub(super) fn probe(vault: &OpenVault, task: &Task) -> Result<Probed> {
    let (mut next, mut lost, mut first) = (0, BTreeSet::new(), None);
    let mut gone = Vec::new();
    supply::supply(vault, std::slice::from_ref(task), |piece| {
        match piece.opened {
            Ok(Opened::Head(head)) => gone = head.gone,
            Ok(Opened::Sound(segments)) => {
                for segment in segments {
                    let number = next;
                    next += 1;
                    match segment {
                        Err(error) if is_damage(&error) => {
                            if !gone.iter().any(|span| span.contains(&number)) {
                                lost.insert(number);
                                first.get_or_insert(error);
                            }
                        }
                        Ok(_) | Err(_) => {}
                    }
                }
            }
            // Whoever writes it finds out.
            Err(vault::Error::Damaged { .. } | vault::Error::Outdated { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Next::More)
    })?;
    let why = first.map(|why| Error::SoundLost {
        id: task.stocked.id,
        segments: lost.len() as u64,
        why: why.to_string(),
    });
    Ok(Probed {
        lost: spans(&lost),
        why,
    })
}
