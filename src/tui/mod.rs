//! tui placeholder
use std::sync::Arc;
use crate::command::Context;
use crate::error::Failure;
/// Runs it.
pub fn run(_context: Arc<Context>) -> Result<(), Failure> { Ok(()) }
