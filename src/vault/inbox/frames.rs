//! Reads an inbox file: frame by frame, past what is damaged, up to its end.
//!
//! A frame cut off at the end of the file is what a power cut leaves, and no
//! damage; but where whole frames follow it, its length is what is wrong. Nothing
//! here changes a file.

use std::io::{self, Read, Seek, SeekFrom};

use crate::vault::sealed::frame::{self, Frame, HEADER_BYTES, MAGIC, Unreadable};
use crate::vault::sealed::scan;

/// Frames one after the other, through one buffer.
pub(crate) struct Frames<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Where the newest frame begins, and where it ends.
    at: u64,
    end: u64,
}

impl<R: Read + Seek> Frames<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            at: 0,
            end: 0,
        }
    }

    /// Begins once more with the first frame.
    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        self.end = 0;
        self.inner.rewind()
    }

    /// Goes on at the next whole frame behind what was damaged; `false` if there
    /// is none.
    pub(crate) fn resume(&mut self) -> io::Result<bool> {
        const PIECE_BYTES: usize = 64 * 1024;
        // Where the window begins in the file, and how much of it was looked at.
        let mut start = self.at + 1;
        self.inner.seek(SeekFrom::Start(start))?;
        let (window, mut looked_at) = (&mut self.buffer, 0);
        window.clear();
        loop {
            let rest = &window[looked_at..];
            let Some(at) = rest.windows(MAGIC.len()).position(|bytes| *bytes == MAGIC) else {
                // The start of a magic may stand at the edge.
                let done = window.len().saturating_sub(MAGIC.len() - 1).max(looked_at);
                window.drain(..done);
                (start, looked_at) = (start + done as u64, 0);
                if !more(&mut self.inner, window, PIECE_BYTES)? {
                    return Ok(false);
                }
                continue;
            };
            looked_at += at;
            let needed = |window: &[u8]| match frame::body_bytes(&window[looked_at..]) {
                Ok(body) => looked_at + HEADER_BYTES + body,
                Err(_) => looked_at + HEADER_BYTES,
            };
            while needed(window) > window.len() {
                let missing = needed(window) - window.len();
                if !more(&mut self.inner, window, missing)? {
                    break;
                }
            }
            if frame::parse(&window[looked_at..]).is_ok() {
                self.end = start + looked_at as u64;
                self.inner.seek(SeekFrom::Start(self.end))?;
                return Ok(true);
            }
            looked_at += 1;
        }
    }

    /// What comes next in the file.
    pub(crate) fn next(&mut self) -> io::Result<Next<'_>> {
        self.at = self.end;
        self.buffer.resize(HEADER_BYTES, 0);
        let read = fill(&mut self.inner, &mut self.buffer)?;
        if read == 0 {
            return Ok(Next::End);
        }
        self.buffer.truncate(read);
        if let Ok(body) = frame::body_bytes(&self.buffer) {
            // A forged length must not cost memory: the buffer grows with what
            // is there to be read.
            self.inner
                .by_ref()
                .take(body as u64)
                .read_to_end(&mut self.buffer)?;
        }
        match frame::parse(&self.buffer).map(|frame| frame.facts) {
            Ok(facts) => {
                self.end += self.buffer.len() as u64;
                let (_, body) = self.buffer.split_at(HEADER_BYTES);
                Ok(Next::Frame(
                    Frame {
                        facts,
                        body,
                        bytes: &self.buffer,
                    },
                    self.at,
                ))
            }
            Err(Unreadable::Torn) if frame::is_whole_but_for_its_length(&self.buffer) => {
                Ok(Next::Damaged(Unreadable::Torn))
            }
            Err(why) => Ok(match self.torn(why)? {
                Some(behind) => Next::Torn(behind),
                None => Next::Damaged(why),
            }),
        }
    }

    /// Whether what could not be read is a write that the power cut short: from
    /// somewhere in that frame on, everything up to the end of the file is 0.
    /// (A seal never ends in 16 zeros.) Behind such a write there is nothing: if a
    /// whole frame was swallowed, the length that swallowed it is damaged. Answers
    /// with how many zeros follow behind that frame.
    fn torn(&mut self, why: Unreadable) -> io::Result<Option<u64>> {
        let swallowed = &self.buffer[1..];
        if scan::frames(swallowed).next().is_some() {
            return Ok(None);
        }
        if why == Unreadable::Torn {
            return Ok(Some(0));
        }
        let tail = &self.buffer[self.buffer.len().saturating_sub(16)..];
        if tail.iter().any(|byte| *byte != 0) {
            return Ok(None);
        }
        let (mut rest, mut behind) = ([0; 4096], 0);
        loop {
            match fill(&mut self.inner, &mut rest)? {
                0 => return Ok(Some(behind)),
                read if rest[..read].iter().any(|byte| *byte != 0) => return Ok(None),
                read => behind += read as u64,
            }
        }
    }
}

/// What comes next in an inbox file.
pub(crate) enum Next<'a> {
    /// A whole frame, and where in the file it begins.
    Frame(Frame<'a>, u64),
    /// The end, right behind a frame.
    End,
    /// The start of a frame whose writing was cut short; nothing follows but so
    /// many zeros.
    Torn(u64),
    /// Something else.
    Damaged(Unreadable),
}

/// Reads so many bytes more, or as many as there are; `false` if there are none.
fn more(from: &mut impl Read, window: &mut Vec<u8>, bytes: usize) -> io::Result<bool> {
    Ok(from.take(bytes as u64).read_to_end(window)? > 0)
}

fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
