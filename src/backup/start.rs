//! The start of a stream, which is looked at before anything is made for what is in it.

use std::io::{self, Cursor, Read};

use super::read::Keys;
use super::segment;

/// As much as holds the header of an age file, and what age reads behind it.
const MOST_BYTES: u64 = segment::MOST_HEADER_BYTES as u64 + 1024;

/// A stream of which the start was read.
pub struct Started {
    start: Vec<u8>,
    rest: Box<dyn Read>,
}

impl Started {
    /// Reads its start.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn read(mut stream: Box<dyn Read>) -> io::Result<Self> {
        let mut start = Vec::new();
        stream.by_ref().take(MOST_BYTES).read_to_end(&mut start)?;
        Ok(Self {
            start,
            rest: stream,
        })
    }

    /// Whether one of these keys opens it. What is in it may be damaged all the same.
    #[must_use]
    pub fn opens(&self, keys: &Keys<'_>) -> bool {
        segment::open("the stream", self.start.as_slice(), keys.each()).is_ok()
    }

    /// The whole stream.
    #[must_use]
    pub fn into_stream(self) -> Box<dyn Read> {
        Box::new(Cursor::new(self.start).chain(self.rest))
    }
}
