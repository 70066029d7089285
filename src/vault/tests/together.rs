//! What a kill, a full disk or damage leaves of a recording.
