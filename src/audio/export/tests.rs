#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::io::Cursor;

use super::*;
use crate::audio::synthetic::{level_of, stored, tone};
use crate::audio::{SoundFile, StoredShape};

fn read(file: Vec<u8>) -> (u32, usize, Vec<f32>) {
    let mut sound = SoundFile::from_stream(Box::new(Cursor::new(file)), None).unwrap();
    let (rate_hz, channels) = (sound.shape().rate_hz(), sound.shape().channels());
    let mut samples = Vec::new();
    while let Some(block) = sound.next_block().unwrap() {
        samples.extend_from_slice(block);
    }
    assert!(!sound.reading().truncated);
    (rate_hz, channels, samples)
}

fn ogg_of(segments: &[Vec<u8>], shape: StoredShape) -> Vec<u8> {
    let mut writer = OggOpusWriter::new(Vec::new(), shape).unwrap();
    segments
        .iter()
        .for_each(|segment| writer.push(segment).unwrap());
    writer.finish().unwrap()
}

#[test]
fn a_wav_holds_the_samples_to_16_bits() {
    let sound = tone(440.0, -12.0, 10_001);
    let mut writer = WavWriter::new(Vec::new(), 10_001, 48_000).unwrap();
    sound
        .chunks(999)
        .for_each(|block| writer.push(block).unwrap());
    let file = writer.finish().unwrap();
    assert_eq!(file.len(), 44 + 2 * 10_001);
    let (rate_hz, channels, samples) = read(file);
    assert_eq!((rate_hz, channels, samples.len()), (48_000, 1, 10_001));
    assert!(
        samples
            .iter()
            .zip(&sound)
            .all(|(a, b)| (a - b).abs() <= 1.0 / 65_536.0)
    );
}

#[test]
fn a_wav_cuts_off_what_is_beyond_full_scale() {
    let mut writer = WavWriter::new(Vec::new(), 3, 48_000).unwrap();
    writer.push(&[1.5, -1.5, f32::NAN]).unwrap();
    let file = writer.finish().unwrap();
    assert_eq!(file[44..], [0xff, 0x7f, 0x00, 0x80, 0, 0]);
}

#[test]
fn a_flac_holds_the_same_as_the_wav() {
    let sound = tone(440.0, -12.0, 10_001);
    let mut flac = FlacWriter::new(Vec::new(), 10_001, 48_000).unwrap();
    let mut wav = WavWriter::new(Vec::new(), 10_001, 48_000).unwrap();
    for block in sound.chunks(1_000) {
        flac.push(block).unwrap();
        wav.push(block).unwrap();
    }
    let flac = flac.finish().unwrap();
    assert!(flac.len() < 15_000, "{}", flac.len());
    assert_eq!(read(flac), read(wav.finish().unwrap()));
}

#[test]
fn an_ogg_plays_as_long_as_the_recording_is() {
    for samples in [1, 960, 20_000, 38_088, 38_089, 38_400, 100_001] {
        let (segments, shape) = stored(&tone(440.0, -12.0, samples));
        let (rate_hz, channels, sound) = read(ogg_of(&segments, shape));
        assert_eq!((rate_hz, channels, sound.len()), (48_000, 1, samples));
        if samples > 90_000 {
            assert!((level_of(&sound[24_000..72_000], 440.0) + 12.0).abs() < 1.0);
        }
    }
}

#[test]
fn how_long_an_ogg_will_be_is_known_before_it_is_written() {
    for samples in [1, 960, 20_000, 38_088, 38_089, 38_400, 100_001] {
        let (mut segments, shape) = stored(&tone(440.0, -12.0, samples));
        let file = ogg_of(&segments, shape);
        assert_eq!(ogg_opus_bytes(shape.packets()), file.len() as u64);
        // One that lacks its last segment.
        segments.truncate(segments.len() - 1);
        let packets = shape.packets().min(40 * segments.len() as u64);
        let file = ogg_of(&segments, shape);
        assert_eq!(ogg_opus_bytes(packets), file.len() as u64);
    }
}

#[test]
fn an_interrupted_recording_makes_an_ogg_that_ends() {
    let (mut segments, mut shape) = stored(&tone(440.0, -12.0, 100_000));
    segments.truncate(2);
    shape.samples = 2 * 38_400;
    let (_, _, sound) = read(ogg_of(&segments, shape));
    assert_eq!(sound.len(), 2 * 38_400 - usize::from(shape.pre_skip));
}

#[test]
fn an_ogg_names_no_program() {
    let (segments, shape) = stored(&tone(440.0, -12.0, 960));
    let file = ogg_of(&segments, shape);
    let tags = file
        .windows(8)
        .position(|bytes| bytes == b"OpusTags")
        .unwrap();
    assert_eq!(file[tags + 8..tags + 16], [0; 8]);
}

#[test]
fn an_ogg_that_is_cut_off_is_read_as_far_as_it_goes_and_said_to_be() {
    let (segments, shape) = stored(&tone(440.0, -12.0, 300_000));
    let file = ogg_of(&segments, shape);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.opus");
    for (kept, truncated) in [(file.len(), false), (file.len() / 2, true)] {
        std::fs::write(&path, &file[..kept]).unwrap();
        let mut sound = SoundFile::open(&path).unwrap();
        while sound.next_block().unwrap().is_some() {}
        let reading = sound.reading();
        assert_eq!(reading.truncated, truncated, "{reading:?}");
        assert!(reading.frames > 100_000, "{reading:?}");
    }
}

/// The same, by another writer.
fn ogg_by_the_library(segments: &[Vec<u8>], shape: StoredShape) -> Vec<u8> {
    use ogg::PacketWriteEndInfo::{EndPage, EndStream, NormalPacket};
    let mut bytes = Vec::new();
    let mut ogg = ogg::PacketWriter::new(&mut bytes);
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend(shape.pre_skip.to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0; 3]);
    ogg.write_packet(head, 1, EndPage, 0).unwrap();
    ogg.write_packet([b"OpusTags", &[0; 8][..]].concat(), 1, EndPage, 0)
        .unwrap();
    let whole = segments.len() * 40;
    let due = usize::try_from(shape.packets()).unwrap().min(whole);
    let packets = segments.iter().flat_map(|segment| segment.chunks(70));
    for (number, packet) in (1..=due).zip(packets) {
        let end = match number {
            last if last == due => EndStream,
            full if full % 40 == 0 => EndPage,
            _ => NormalPacket,
        };
        let position = (number as u64 * 960).min(shape.samples + u64::from(shape.pre_skip));
        ogg.write_packet(packet.to_vec(), 1, end, position).unwrap();
    }
    drop(ogg);
    bytes
}

proptest::proptest! {
    #[test]
    fn pages_are_those_that_another_writer_makes(samples in 0_u64..200_000, lacking: bool, seed: u8) {
        let shape = StoredShape { samples, pre_skip: 312 };
        let whole = shape.packets().div_ceil(40);
        let segments: Vec<Vec<u8>> = (0..whole - u64::from(lacking && whole > 0))
            .map(|number| (0..2_800_u64).map(|at| (at * at + number) as u8 ^ seed).collect())
            .collect();
        let ours = ogg_of(&segments, shape);
        let packets = shape.packets().min(segments.len() as u64 * 40);
        proptest::prop_assert_eq!(ours.len() as u64, ogg_opus_bytes(packets));
        proptest::prop_assert!(ours == ogg_by_the_library(&segments, shape));
    }
}
