//! What the interface needs done, and what comes back.
//!
//! The port between the screen and the rest of the program: requests go in as
//! data, answers come back as data through the mailbox the engine was made
//! with. `ask` never waits: work that takes time runs on the engine's own
//! threads. The interface is tested against an engine of these types alone.

mod answer;
mod backups;
mod real;
mod request;
mod retention;
mod running;

pub use answer::{Access, Answer, Equipment, Hit, HitMoment, Logged, LoggedEntry, Piece, Vault};
pub use backups::{Archive, Archived, Archiving, BackupEntry, BackupShape, Backups};
pub use real::Real;
pub use request::{Chosen, Format, Request};
pub use retention::{Coming, Leap, Retention};
pub use running::{Phase, PlayerStatus, RecorderStatus};

/// Does the work.
pub trait Engine {
    /// Starts something; what comes of it arrives as [`Answer`]s.
    fn ask(&mut self, request: Request);
    /// Ends everything: a recording is stopped and kept, threads end, keys and
    /// text are wiped. Returns within a second.
    fn close(&mut self);
}
