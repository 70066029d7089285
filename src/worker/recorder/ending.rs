//! How a recording ends that did not come to its end.

use std::time::Duration;

use super::Recorded;
use crate::error::{Exit, Failure};
use crate::recording::{RecordingId, State};
use crate::worker::space;

/// What was kept of a recording that could not be written to its end.
pub(super) fn interrupted(
    id: RecordingId,
    kept: Duration,
    missing: Duration,
    failure: Failure,
) -> Result<Recorded, Failure> {
    let failure = space::ended(failure, kept);
    match kept.is_zero() {
        true => Err(failure),
        false => Ok(Recorded {
            id,
            duration: kept,
            missing,
            state: State::Interrupted,
            shortfall: Some(failure),
        }),
    }
}

/// It had not returned.
pub(super) fn gone() -> Failure {
    Failure::new(
        Exit::NoMicrophone,
        "the microphone was lost",
        "it had not returned at the end",
    )
    .hint("what came by then is kept; `voxvault devices` lists what is there now")
}

/// It was there, and gave nothing but zeros: it is muted, or somebody else's.
pub(super) fn only_zeros() -> Failure {
    let why = "the microphone gave only silence";
    Failure::new(Exit::NoMicrophone, "nothing was heard", why)
        .hint("it is kept as a silent recording; `voxvault devices --test` shows how loud it is")
}

/// There is nothing to keep.
pub(super) fn nothing_came(why: &str) -> Failure {
    Failure::new(Exit::NoMicrophone, "nothing was recorded", why)
        .hint("`voxvault devices` lists the microphones")
}
