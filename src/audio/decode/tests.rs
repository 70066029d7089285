#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use std::io::{self, Cursor, Read, Write};

use super::*;
use crate::audio::synthetic::{level_of, s16le, tone, tone_at, wav};

fn stream_of(bytes: Vec<u8>) -> Result<SoundFile, AudioError> {
    SoundFile::from_stream(Box::new(Cursor::new(bytes)), None)
}

fn file_of(bytes: &[u8], name: &str) -> Result<SoundFile, AudioError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    File::create(&path).unwrap().write_all(bytes).unwrap();
    SoundFile::open(&path)
}

fn all_of(sound: &mut SoundFile) -> Vec<f32> {
    let mut samples = Vec::new();
    while let Some(block) = sound.next_block().unwrap() {
        assert!(!block.is_empty());
        samples.extend_from_slice(block);
    }
    samples
}

#[test]
fn a_wav_is_read_to_the_sample() {
    let data = s16le(&tone(440.0, -12.0, 10_000));
    let size = data.len() as u32;
    let mut sound = file_of(&wav(48_000, 1, &data, size), "a.wav").unwrap();
    assert_eq!(sound.duration_hint().unwrap().as_millis(), 208);
    assert_eq!(s16le(&all_of(&mut sound)).len(), data.len());
    let reading = Reading {
        frames: 10_000,
        truncated: false,
        skipped_packets: 0,
    };
    assert_eq!(sound.reading(), reading);
}

#[test]
fn a_stream_whose_header_knows_no_size_is_read_to_its_end() {
    let data = s16le(&tone(440.0, -12.0, 10_000));
    for claimed in [
        0,
        0x7fff_ffff,
        0x7fff_f000,
        0x8000_0000,
        u32::MAX - 36,
        u32::MAX,
    ] {
        let mut sound = stream_of(wav(48_000, 1, &data, claimed)).unwrap();
        assert_eq!(all_of(&mut sound).len(), 10_000, "{claimed:x}");
        assert!(!sound.reading().truncated, "{claimed:x}");
    }
}

#[test]
fn a_file_that_claims_more_than_it_has_is_said_to_be_cut_off() {
    let data = s16le(&tone(440.0, -12.0, 10_000));
    let mut sound = file_of(&wav(48_000, 1, &data, 40_000), "a.wav").unwrap();
    assert_eq!(all_of(&mut sound).len(), 10_000);
    assert!(sound.reading().truncated);
}

#[test]
fn a_file_that_claims_less_than_it_has_is_read_to_its_end() {
    let data = s16le(&tone(440.0, -12.0, 10_000));
    let mut sound = file_of(&wav(48_000, 1, &data, 8_000), "a.wav").unwrap();
    assert_eq!(all_of(&mut sound).len(), 10_000);
    assert!(!sound.reading().truncated);
}

#[test]
fn a_chunk_behind_the_sound_is_no_sound() {
    let data = s16le(&tone(440.0, -12.0, 1_000));
    let mut file = wav(48_000, 1, &data, 2_000);
    file.extend(b"LIST\x1a\x00\x00\x00INFOISFT\x0e\x00\x00\x00Lavf59.27.100\x00");
    let mut sound = file_of(&file, "a.wav").unwrap();
    assert_eq!(all_of(&mut sound).len(), 1_000);
}

#[test]
fn a_frame_that_is_cut_in_two_is_left_out() {
    let mut data = s16le(&tone(440.0, -12.0, 1_000));
    data.extend([1, 2, 3]);
    let mut sound = stream_of(wav(48_000, 2, &data, u32::MAX)).unwrap();
    assert_eq!(all_of(&mut sound).len(), 1_000);
}

#[test]
fn raw_samples_are_read_as_they_are_described() {
    let sound = tone_at(16_000, 440.0, -12.0, 5_000);
    let formats: [(&str, Vec<u8>); 3] = [
        ("s16le", s16le(&sound)),
        (
            "f32le",
            sound.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ),
        ("s24le", {
            let whole = sound.iter().map(|x| (x * 8_388_607.0) as i32);
            whole
                .flat_map(|x| x.to_le_bytes().into_iter().take(3))
                .collect()
        }),
    ];
    for (name, bytes) in formats {
        let format = RawFormat {
            sample: name.parse().unwrap(),
            rate_hz: 16_000,
            channels: 1,
        };
        let mut raw = SoundFile::from_raw(Box::new(Cursor::new(bytes)), format).unwrap();
        let read = all_of(&mut raw);
        assert_eq!(read.len(), 5_000);
        let worst = read
            .iter()
            .zip(&sound)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-4, "{name}: {worst}");
    }
}

#[test]
fn raw_samples_that_end_within_a_frame_are_said_to_be_cut_off() {
    let format = RawFormat {
        sample: SampleFormat::S16le,
        rate_hz: 8_000,
        channels: 2,
    };
    let mut raw = SoundFile::from_raw(Box::new(Cursor::new(vec![0; 1_001])), format).unwrap();
    assert_eq!(all_of(&mut raw).len(), 500);
    assert!(raw.reading().truncated);
}

#[test]
fn nothing_is_refused_as_empty() {
    assert!(matches!(
        file_of(b"", "a.wav"),
        Err(AudioError::Empty { .. })
    ));
    assert!(matches!(
        stream_of(Vec::new()),
        Err(AudioError::Empty { .. })
    ));
    let format = RawFormat {
        sample: SampleFormat::S16le,
        rate_hz: 8_000,
        channels: 1,
    };
    let raw = SoundFile::from_raw(Box::new(Cursor::new(Vec::new())), format);
    assert!(matches!(raw, Err(AudioError::Empty { .. })));
}

#[test]
fn text_named_wav_is_refused_as_no_sound() {
    let text = "Dear diary, today I recorded nothing at all.\n".repeat(200);
    let refused = file_of(text.as_bytes(), "diary.wav").err().unwrap();
    assert!(refused.is_not_sound());
    let told = crate::error::Failure::from(refused).to_string();
    assert!(
        told.ends_with("it is not a sound file that voxvault knows"),
        "{told}"
    );
}

#[test]
fn an_mpeg_mark_within_other_bytes_is_no_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
    let mut program = b"\x7fELF\x02\x01\x01\0".repeat(64);
    program.extend(
        std::fs::read(folder.join("tone.mp3"))
            .unwrap()
            .split_off(512),
    );
    assert!(file_of(&program, "program").err().unwrap().is_not_sound());
    assert!(file_of(&program, "damaged.mp3").is_ok());
}

#[test]
fn a_wav_without_samples_is_refused_with_a_reason() {
    for file in [wav(48_000, 1, &[], 0), wav(48_000, 1, &[], 2_000)] {
        assert!(matches!(
            file_of(&file, "a.wav"),
            Err(AudioError::NoSound { .. })
        ));
    }
    let cut = wav(48_000, 1, &[], 0);
    assert!(matches!(
        file_of(&cut[..30], "a.wav"),
        Err(AudioError::Damaged { .. })
    ));
}

#[test]
fn crafted_headers_are_refused_and_never_panic() {
    let data = s16le(&tone(440.0, -12.0, 100));
    let good = wav(48_000, 2, &data, 200);
    for at in 0..44 {
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            if let Ok(mut sound) = stream_of(bad) {
                while let Ok(Some(_)) = sound.next_block() {}
            }
        }
    }
}

#[test]
fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        SoundFile::open(folder.path()),
        Err(AudioError::Read { .. })
    ));
}

/// A stream that fails after some bytes, as a dead disk or connection does.
struct Failing(Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the line went dead")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_stream_that_fails_is_an_error_and_no_end() {
    let data = s16le(&tone(440.0, -12.0, 10_000));
    let failing = Failing(Cursor::new(wav(48_000, 1, &data, u32::MAX)));
    let mut sound = SoundFile::from_stream(Box::new(failing), None).unwrap();
    let error = loop {
        match sound.next_block() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended as if nothing was wrong"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("the line went dead"));
}

#[test]
fn every_format_comes_out_as_long_as_it_went_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
    for (name, rate_hz, channels, frames, level) in [
        ("tone-s16.wav", 44_100, 2, 22_050, -24.0),
        ("tone-mulaw.wav", 8_000, 1, 4_000, -21.0),
        ("tone-alaw.wav", 8_000, 1, 4_000, -21.0),
        ("tone-ima.wav", 16_000, 1, 8_164, -21.0),
        ("tone-ms.wav", 16_000, 1, 8_144, -21.0),
        ("tone-u8.wav", 8_000, 1, 4_000, -21.0),
        ("tone-s24-6.wav", 96_000, 6, 4_800, -21.0),
        ("tone-f32.wav", 48_000, 1, 4_800, -21.0),
        ("tone.aiff", 16_000, 1, 8_000, -21.0),
        ("tone.flac", 44_100, 2, 22_050, -24.0),
        ("tone.mp3", 44_100, 2, 22_050, -24.0),
        ("tone.m4a", 44_100, 2, 22_050, -24.0),
        ("tone-index-last.m4a", 44_100, 2, 22_050, -24.0),
        ("tone-vorbis.ogg", 44_100, 2, 22_050, -24.0),
        ("tone.opus", 48_000, 1, 24_000, -21.0),
        ("tone-6.opus", 48_000, 6, 24_000, -21.0),
        ("tone-opus.webm", 48_000, 1, 24_000, -21.0),
        ("tone-vorbis.webm", 44_100, 2, 22_050, -24.0),
    ] {
        let mut sound = match SoundFile::open(&folder.join(name)) {
            Ok(sound) => sound,
            Err(error) => panic!("{name}: {error}"),
        };
        let shape = sound.shape().clone();
        assert_eq!(
            (shape.rate_hz(), shape.channels()),
            (rate_hz, channels),
            "{name}"
        );
        let samples = all_of(&mut sound);
        let reading = sound.reading();
        // The end of the sound in WebM is known only to the nearest packet.
        let slack = if name.ends_with("webm") { 2_048 } else { 0 };
        let got = samples.len() / channels;
        assert!(got.abs_diff(frames) <= slack, "{name}: {got} of {frames}");
        assert!(
            !reading.truncated && reading.skipped_packets == 0,
            "{name}: {reading:?}"
        );
        let mut mono = Vec::new();
        shape.mix(&samples, &mut mono);
        let scaled = 440.0 * 48_000.0 / f64::from(rate_hz);
        let middle = &mono[mono.len() / 8..mono.len() / 8 * 7];
        let heard = level_of(middle, scaled);
        assert!((heard - level).abs() < 1.0, "{name}: {heard}");
    }
}

#[test]
fn a_file_cut_short_is_read_as_far_as_it_goes_and_said_to_be() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
    for name in ["tone.flac", "tone.mp3"] {
        let whole = std::fs::read(folder.join(name)).unwrap();
        let mut sound = file_of(&whole[..whole.len() * 9 / 10], name).unwrap();
        let frames = all_of(&mut sound).len() / sound.shape().channels();
        assert!(frames > 1_000, "{name}: {frames}");
        assert!(sound.reading().truncated, "{name}");
    }
}

#[test]
fn an_m4a_cut_short_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
    let whole = std::fs::read(folder.join("tone.m4a")).unwrap();
    let refused = file_of(&whole[..whole.len() * 3 / 4], "a.m4a");
    assert!(matches!(refused, Err(AudioError::Damaged { .. })));
}

#[test]
fn every_format_but_m4a_is_read_from_a_pipe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
    for (name, frames) in [
        ("tone.flac", 22_050),
        ("tone.mp3", 22_050),
        ("tone.opus", 24_000),
        ("tone-ms.wav", 8_144),
    ] {
        let mut sound = stream_of(std::fs::read(folder.join(name)).unwrap()).unwrap();
        let got = all_of(&mut sound).len() / sound.shape().channels();
        assert_eq!(got, frames, "{name}");
        assert!(!sound.reading().truncated, "{name}");
    }
    let refused = stream_of(std::fs::read(folder.join("tone.m4a")).unwrap())
        .err()
        .unwrap();
    assert!(refused.to_string().contains("pipe"), "{refused}");
}

#[test]
fn an_m4a_without_its_index_is_refused_with_a_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
    let whole = std::fs::read(folder.join("tone-index-last.m4a")).unwrap();
    let refused = file_of(&whole[..whole.len() / 2], "a.m4a").err().unwrap();
    assert!(refused.to_string().contains("cut off"), "{refused}");
}

#[test]
fn damaged_files_never_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".md") {
            continue;
        }
        let good = std::fs::read(&path).unwrap();
        for round in 0..40 {
            let mut bad = good.clone();
            for turn in 0..8 {
                let at = (round * 7_919 + turn * 104_729)
                    % bad.len().min(if round % 2 == 0 { 400 } else { usize::MAX });
                bad[at] ^= 1 << (turn % 8);
            }
            if let Ok(mut sound) = file_of(&bad, &name) {
                while let Ok(Some(_)) = sound.next_block() {}
            }
        }
    }
}

#[test]
fn the_same_samples_as_wav_and_flac_have_one_fingerprint() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
    let print = |name| {
        let mut sound = SoundFile::open(&folder.join(name)).unwrap();
        let mut print = crate::audio::Fingerprint::new(sound.shape());
        while let Some(block) = sound.next_block().unwrap() {
            print.push(block);
        }
        print.finish()
    };
    assert_eq!(print("tone-s16.wav"), print("tone.flac"));
    assert_ne!(print("tone-s16.wav"), print("tone.mp3"));
}
