//! Ogg Opus back into the segments that the vault keeps, packet by packet.
//!
//! Reads what [`OggOpusWriter`](super::OggOpusWriter) wrote and nothing else: one
//! stream, one channel, packets of the vault's own size, none of them over two pages.
//! Nothing is decoded or encoded again, so what comes back is what was kept. Another
//! Opus file is refused with a reason: importing takes it. Whole pages are held in
//! memory, which have at most 64 KiB; their checksums are not looked at, for who
//! reads a backup has a better one of all of it.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::encode::{PACKET_BYTES, PACKET_SAMPLES, SEGMENT_BYTES, SEGMENT_PACKETS};
use super::error::AudioError;
use super::silence::silent_packet;

const PAGE_HEADER_BYTES: usize = 27;
const CONTINUED: u8 = 1;
const LAST: u8 = 4;

/// Reads the segments of one recording.
pub struct OggOpusReader<R> {
    from: R,
    pre_skip: u16,
    /// Packets of the newest page that were not given yet.
    packets: VecDeque<Vec<u8>>,
    /// Where the newest page ends, samples at 48 kHz with the pre-skip.
    position: u64,
    given: u64,
    ended: bool,
}

impl<R: Read> OggOpusReader<R> {
    /// Reads the headers.
    ///
    /// # Errors
    /// [`AudioError::Stored`] if it is no such file, [`AudioError::Read`] if it
    /// can't be read.
    pub fn new(from: R) -> Result<Self, AudioError> {
        let mut reader = Self {
            from,
            pre_skip: 0,
            packets: VecDeque::new(),
            position: 0,
            given: 0,
            ended: false,
        };
        let head = reader.header()?;
        let fixed = [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', 1, 1];
        let Some(rest) = head.strip_prefix(&fixed) else {
            return Err(foreign("it is not Opus with one channel"));
        };
        // The rate that it had once says nothing; gain and mapping family are 0.
        let [low, high, _, _, _, _, 0, 0, 0] = *rest else {
            return Err(foreign("its Opus header is not one of a vault"));
        };
        reader.pre_skip = u16::from_le_bytes([low, high]);
        match reader.header()?.starts_with(b"OpusTags") {
            true => Ok(reader),
            false => Err(foreign("its second packet is not OpusTags")),
        }
    }

    /// Samples at 48 kHz that a decoder drops at the start.
    #[must_use]
    pub const fn pre_skip(&self) -> u16 {
        self.pre_skip
    }

    /// Samples of the recording up to where it was read.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.position.saturating_sub(self.pre_skip.into())
    }

    /// The next segment, `None` behind the last one. The last one is filled up with
    /// silence that nobody ever hears.
    ///
    /// # Errors
    /// [`AudioError::Stored`] if a packet is not of the vault's size or the file
    /// ends too early, [`AudioError::Read`] if it can't be read.
    pub fn next_segment(&mut self) -> Result<Option<Vec<u8>>, AudioError> {
        let mut segment = Vec::with_capacity(SEGMENT_BYTES);
        while segment.len() < SEGMENT_BYTES {
            match self.next_packet()? {
                Some(packet) if packet.len() == PACKET_BYTES => segment.extend(packet),
                Some(packet) => {
                    let why = format!("a packet of {} bytes", packet.len());
                    return Err(AudioError::Stored { why });
                }
                None => break,
            }
        }
        self.given += (segment.len() / PACKET_BYTES) as u64;
        if segment.is_empty() {
            let most = self.given.saturating_mul(PACKET_SAMPLES as u64);
            return match self.position <= most {
                true => Ok(None),
                false => Err(foreign("it says that it is longer than it is")),
            };
        }
        if segment.len() < SEGMENT_BYTES {
            let silent = silent_packet()?;
            let there = segment.len() / PACKET_BYTES;
            segment.extend(std::iter::repeat_n(silent, SEGMENT_PACKETS - there).flatten());
        }
        Ok(Some(segment))
    }

    /// A packet that is alone on its page.
    fn header(&mut self) -> Result<Vec<u8>, AudioError> {
        match (self.next_packet()?, self.packets.is_empty()) {
            (Some(packet), true) => Ok(packet),
            (_, _) => Err(foreign("its headers are damaged")),
        }
    }

    fn next_packet(&mut self) -> Result<Option<Vec<u8>>, AudioError> {
        while self.packets.is_empty() {
            if self.ended {
                return Ok(None);
            }
            self.page()?;
        }
        Ok(self.packets.pop_front())
    }

    fn page(&mut self) -> Result<(), AudioError> {
        let mut header = [0; PAGE_HEADER_BYTES];
        self.fill(&mut header)?;
        let [b'O', b'g', b'g', b'S', 0, flags, rest @ ..] = header else {
            return Err(foreign("it is not Ogg"));
        };
        let [position @ .., _, _, _, _, _, _, _, _, _, _, _, _, count] = rest;
        let mut lengths = vec![0; count.into()];
        self.fill(&mut lengths)?;
        if flags & CONTINUED != 0 || lengths.contains(&255) {
            return Err(foreign("its packets are longer than the vault's"));
        }
        for length in lengths {
            let mut packet = vec![0; length.into()];
            self.fill(&mut packet)?;
            self.packets.push_back(packet);
        }
        self.position = u64::from_le_bytes(position);
        if flags & LAST != 0 {
            self.ended = true;
            let mut more = [0];
            if self.read(&mut more)? != 0 {
                return Err(foreign("something lies behind its end"));
            }
        }
        Ok(())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), AudioError> {
        match self.from.read_exact(bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(foreign("it is cut off"))
            }
            read => read.map_err(unreadable),
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, AudioError> {
        loop {
            match self.from.read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(unreadable),
            }
        }
    }
}

fn unreadable(source: io::Error) -> AudioError {
    AudioError::Read {
        which: "audio.opus".to_owned(),
        source,
    }
}

fn foreign(why: &str) -> AudioError {
    AudioError::Stored {
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::sync::OnceLock;

    use super::*;
    use crate::audio::synthetic::{stored, tone};
    use crate::audio::{OggOpusWriter, StoredShape};

    fn written(samples: usize) -> (Vec<Vec<u8>>, StoredShape, Vec<u8>) {
        let (segments, shape) = stored(&tone(440.0, -12.0, samples));
        let mut ogg = OggOpusWriter::new(Vec::new(), shape).unwrap();
        segments.iter().for_each(|one| ogg.push(one).unwrap());
        let file = ogg.finish().unwrap();
        (segments, shape, file)
    }

    fn read(file: &[u8]) -> Result<(Vec<Vec<u8>>, u64), AudioError> {
        let mut reader = OggOpusReader::new(file)?;
        let mut segments = Vec::new();
        while let Some(segment) = reader.next_segment()? {
            segments.push(segment);
        }
        Ok((segments, reader.samples()))
    }

    #[test]
    fn what_was_written_comes_back_packet_by_packet() {
        for samples in [1, 960, 38_088, 38_089, 38_400, 100_001] {
            let (segments, shape, file) = written(samples);
            let (back, length) = read(&file).unwrap();
            assert_eq!(length, shape.samples);
            assert_eq!(back.len(), segments.len(), "{samples}");
            let due = shape.packets() as usize * PACKET_BYTES;
            assert_eq!(back.concat()[..due], segments.concat()[..due], "{samples}");
            assert!(back.iter().all(|one| one.len() == SEGMENT_BYTES));
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_lengthened_anywhere_is_refused() {
        let (_, _, file) = written(40_000);
        for end in 0..file.len() {
            assert!(read(&file[..end]).is_err(), "{end}");
        }
        assert!(read(&[&file[..], &[0]].concat()).is_err());
    }

    #[test]
    fn opus_of_another_shape_is_refused_with_a_reason() {
        let (_, _, file) = written(40_000);
        let stereo = {
            let mut file = file.clone();
            file[28 + 9] = 2;
            file
        };
        assert!(matches!(read(&stereo), Err(AudioError::Stored { .. })));
        // A packet of another size: 40 packets of 70 bytes, the table says 71.
        let table = file.windows(8).position(|bytes| bytes == [70; 8]).unwrap();
        let mut other = file;
        other[table] = 71;
        assert!(read(&other).is_err());
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_changes_never_panic(at: proptest::sample::Index, byte: u8, junk: Vec<u8>) {
            static FILE: OnceLock<Vec<u8>> = OnceLock::new();
            let mut file = FILE.get_or_init(|| written(2_000).2).clone();
            let at = at.index(file.len());
            file[at] = byte;
            let _ = read(&file);
            file.splice(at.., junk);
            let _ = read(&file);
        }
    }
}
