//! tui placeholder
use crate::command::Context;
use crate::error::Failure;
use std::sync::Arc;
/// Runs it.
pub fn run(_context: Arc<Context>) -> Result<(), Failure> {
    Ok(())
}
