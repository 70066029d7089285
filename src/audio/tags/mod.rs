//! When sound was recorded, as its own file says it.
//!
//! Broadcast WAV (`bext`) and `ICRD`; M4A (`©day`, Apple's creation date, `mvhd`); the
//! comments of FLAC, Ogg Vorbis and Opus; ID3v2. Read by ourselves: it takes a few bytes
//! of each, and Symphonia gives neither `bext` nor `mvhd`. What can't be made sense of
//! tells nothing, and a year alone is no date. WebM and AIFF are not asked.

mod comments;
mod id3;
mod movie;
mod riff;

use std::io::{Read, Seek, SeekFrom};

use crate::time::stamp::Stamp;

/// How much is looked at where the length is only known at the end: the first pages of an
/// Ogg file, one block of a header.
const MOST_BYTES: u64 = 256 << 10;

/// When the sound in a file was recorded. The file is left anywhere.
pub fn recorded<F: Read + Seek>(file: &mut F) -> Option<Stamp> {
    file.rewind().ok()?;
    let mut head = Vec::new();
    file.by_ref().take(12).read_to_end(&mut head).ok()?;
    match head.as_slice() {
        [
            b'R' | b'B',
            b'I' | b'F' | b'W',
            b'F' | b'6',
            b'F' | b'4',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
        ] => riff::recorded(file),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => movie::recorded(file),
        [b'f', b'L', b'a', b'C', ..] => comments::in_flac(file),
        [b'O', b'g', b'g', b'S', ..] => comments::in_ogg(file),
        [b'I', b'D', b'3', ..] => id3::recorded(file),
        _ => None,
    }
}

/// So many bytes from a place on, or as many as there are.
fn bytes_at<F: Read + Seek>(file: &mut F, at: u64, most: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let mut bytes = Vec::new();
    file.by_ref()
        .take(most.min(MOST_BYTES))
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn told(bytes: Vec<u8>) -> Option<String> {
        let stamp = recorded(&mut Cursor::new(bytes))?;
        let moment = stamp.moment(&jiff::tz::TimeZone::UTC, None)?;
        Some(moment.timestamp().to_string())
    }

    fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut chunk = id.to_vec();
        chunk.extend((body.len() as u32).to_le_bytes());
        chunk.extend(body);
        chunk.extend(std::iter::repeat_n(0, body.len() % 2));
        chunk
    }

    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut atom = (body.len() as u32 + 8).to_be_bytes().to_vec();
        atom.extend(kind);
        atom.extend(body);
        atom
    }

    fn comment(values: &[&str]) -> Vec<u8> {
        let mut block = 4u32.to_le_bytes().to_vec();
        block.extend(b"test");
        block.extend((values.len() as u32).to_le_bytes());
        for value in values {
            block.extend((value.len() as u32).to_le_bytes());
            block.extend(value.as_bytes());
        }
        block
    }

    fn ogg(packet: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0\0".to_vec();
        page.extend([0; 20]);
        let lacing: Vec<u8> = std::iter::repeat_n(255, packet.len() / 255)
            .chain([(packet.len() % 255) as u8])
            .collect();
        page.push(lacing.len() as u8);
        page.extend(lacing);
        page.extend(packet);
        page
    }

    /// A file of each kind that was recorded at the same moment.
    fn files() -> Vec<(&'static str, Vec<u8>)> {
        let mut bext = vec![0; 602];
        bext[320..330].copy_from_slice(b"2019-05-03");
        bext[330..338].copy_from_slice(b"14:23:12");
        let wave = |chunk: Vec<u8>| [b"RIFF\xff\xff\xff\xffWAVE".to_vec(), chunk].concat();
        let late = [chunk(b"data", &[0; 3]), chunk(b"bext", &bext)].concat();
        let info = chunk(
            b"LIST",
            &[b"INFO".to_vec(), chunk(b"ICRD", b"2019-05-03T14:23:12\0")].concat(),
        );

        let mut header = vec![0; 100];
        header[4..8].copy_from_slice(&3_639_738_192_u32.to_be_bytes());
        let ftyp = atom(b"ftyp", b"M4A \0\0\0\0");
        let day = atom(b"data", b"\0\0\0\x01\0\0\0\x002019-05-03T16:23:12+0200");
        let list = atom(b"ilst", &atom(b"\xa9day", &day));
        let meta = atom(
            b"udta",
            &atom(b"meta", &[&[0; 4], list.as_slice()].concat()),
        );
        let movie =
            |body: &[u8]| [ftyp.clone(), atom(b"mdat", &[0; 9]), atom(b"moov", body)].concat();
        let other = atom(b"mvhd", &[0; 100]);

        let date = comment(&["TITLE=x", "date=2019-05-03 14:23:12"]);
        let mut flac = b"fLaC\0\0\0\x02xx\x84".to_vec();
        flac.extend(&(date.len() as u32).to_be_bytes()[1..]);
        flac.extend(&date);
        let opus = [
            ogg(b"OpusHead"),
            ogg(&[b"OpusTags", date.as_slice()].concat()),
        ]
        .concat();
        let vorbis = [
            ogg(b"\x01vorbis"),
            ogg(&[b"\x03vorbis", date.as_slice()].concat()),
        ]
        .concat();

        let frame = |id: &[u8; 4], text: &[u8]| {
            let mut frame = id.to_vec();
            frame.extend((text.len() as u32 + 1).to_be_bytes());
            frame.extend([0, 0, 0]);
            frame.extend(text);
            frame
        };
        let id3 = |version: u8, frames: Vec<u8>| {
            let length = frames.len() as u32;
            let mut file = vec![b'I', b'D', b'3', version, 0, 0];
            file.extend([0, 0, (length >> 7) as u8, (length & 127) as u8]);
            [file, frames].concat()
        };
        let old = [
            frame(b"TYER", b"2019"),
            frame(b"TDAT", b"0305"),
            frame(b"TIME", b"1423"),
        ]
        .concat();
        vec![
            ("bext", wave(chunk(b"bext", &bext))),
            ("bext behind the sound", wave(late)),
            ("ICRD", wave(info)),
            ("mvhd", movie(&atom(b"mvhd", &header))),
            ("©day", movie(&[other, meta].concat())),
            ("FLAC", flac),
            ("Opus", opus),
            ("Vorbis", vorbis),
            ("ID3v2.4", id3(4, frame(b"TDRC", b"2019-05-03T14:23:12"))),
            ("ID3v2.3", id3(3, old)),
        ]
    }

    #[test]
    fn every_kind_of_tag_is_read() {
        for (name, file) in files() {
            let wanted = match name {
                "ID3v2.3" => "2019-05-03T14:23:00Z",
                _ => "2019-05-03T14:23:12Z",
            };
            assert_eq!(told(file).as_deref(), Some(wanted), "{name}");
        }
    }

    #[test]
    fn a_file_without_a_date_tells_none() {
        let zero = atom(b"moov", &atom(b"mvhd", &[0; 100]));
        assert_eq!(told([atom(b"ftyp", b"M4A "), zero].concat()), None);
        assert_eq!(
            told(ogg(
                &[b"OpusTags", comment(&["DATE=2019"]).as_slice()].concat()
            )),
            None
        );
        assert_eq!(told(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn damage_makes_nothing_panic(
            which in 0..10usize,
            cut in 0..700usize,
            changes in prop::collection::vec((0..700usize, any::<u8>()), 0..6),
        ) {
            let (_, mut file) = files().swap_remove(which);
            for (at, byte) in changes {
                if let Some(place) = file.get_mut(at) {
                    *place = byte;
                }
            }
            file.truncate(cut.max(12));
            let _ = told(file);
        }
    }
}
