//! Sound of numbers that a float can hold and no filter can work with, from a pipe
//! and from files: it is taken, and so is the good sound around and behind it.

use std::fs;

use serde_json::Value;

use crate::support::Home;
use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;

const RATES_HZ: [u32; 2] = [16_000, 44_100];

/// What lies in the middle of good sound.
fn kinds() -> [(&'static str, Vec<f32>); 4] {
    let (most, tiny) = (f32::MAX, f32::from_bits(1));
    [
        ("two samples of 3e38", vec![3e38; 2]),
        ("all that a float can hold", vec![most; 30_000]),
        ("from end to end", [most, -most].repeat(15_000)),
        ("denormals", [tiny, -tiny].repeat(15_000)),
    ]
}

/// Four seconds of a tone with that behind the first two.
fn spoiled(rate_hz: u32, wild: &[f32]) -> Vec<f32> {
    let tone = Pcm::tone(rate_hz, 4.0).samples;
    let mut sound: Vec<f32> = tone.iter().map(|x| f32::from(*x) / 32_768.0).collect();
    let middle = sound.len() / 2;
    sound[middle..middle + wild.len()].copy_from_slice(wild);
    sound
}

fn float_wav(rate_hz: u32, samples: &[f32]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate_hz,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    for sample in samples {
        writer.write_sample(*sample).unwrap();
    }
    writer.finalize().unwrap();
    file.into_inner()
}

fn assert_sane(recording: &Value, what: &str) {
    let figure = |name: &str| {
        let figure = recording["signal"][name].as_f64();
        figure.unwrap_or_else(|| panic!("{what}: no {name} in {recording}"))
    };
    assert_eq!(recording["duration_s"], 4.0, "{what}");
    assert!(figure("peak_dbfs") < 18.1, "{what}: {recording}");
    assert!(figure("rms_dbfs") < 18.1, "{what}: {recording}");
    assert!(figure("silent_fraction") < 0.9, "{what}: {recording}");
    assert!(figure("clipped_fraction") < 0.6, "{what}: {recording}");
}

/// The tone is still there at the end.
fn assert_audible(home: &Home, id: &str, what: &str) {
    home.voxvault([
        "export",
        id,
        "--format",
        "wav",
        "-o",
        "heard.wav",
        "--force",
    ])
    .run()
    .ok();
    let heard = Pcm::decode(&home.path("heard.wav"));
    let last_second = &heard.samples[heard.samples.len() - heard.rate_hz as usize..];
    let loudest = last_second.iter().map(|x| x.unsigned_abs()).max();
    assert!(loudest > Some(12_000), "{what}: {loudest:?}");
}

#[test]
fn numbers_near_the_end_of_what_a_float_can_hold_end_no_recording_from_a_pipe() {
    let home = quick_home();
    for rate_hz in RATES_HZ {
        for (kind, wild) in kinds() {
            let what = format!("{kind} at {rate_hz} Hz");
            let sound = spoiled(rate_hz, &wild);
            let raw: Vec<u8> = sound.iter().flat_map(|x| x.to_le_bytes()).collect();
            let rate = rate_hz.to_string();
            let args = ["record", "-", "--format", "f32le", "--rate", &rate];
            let record = home.voxvault(args.into_iter().chain(["--no-transcribe"]));
            let id = record.stdin(raw).run().ok().text().trim().to_owned();
            let list = home.list();
            let recording = list.iter().find(|one| one["id"] == id.as_str()).unwrap();
            assert_sane(recording, &what);
            assert_audible(&home, &id, &what);
        }
    }
    // Bytes that were never floats.
    let wav = Pcm::tone(16_000, 3.0).wav();
    let args = ["record", "-", "--format", "f32le", "--rate", "16000"];
    let record = home.voxvault(args.into_iter().chain(["--no-transcribe"]));
    record.stdin(wav).run().ok();
}

#[test]
fn numbers_near_the_end_of_what_a_float_can_hold_refuse_no_file_and_none_behind_it() {
    let home = quick_home();
    fs::create_dir(home.path("sounds")).unwrap();
    for rate_hz in RATES_HZ {
        for (kind, wild) in kinds() {
            let name = format!("sounds/{kind} {rate_hz}.wav");
            home.write(&name, &float_wav(rate_hz, &spoiled(rate_hz, &wild)));
        }
    }
    home.write("sounds/good.wav", &Pcm::tone(16_000, 4.0).wav());
    home.write("sounds/very good.wav", &Pcm::tone(44_100, 4.0).wav());
    let import = ["import", "sounds", "--no-transcribe"];
    home.voxvault(import).locked().run().ok();
    let list = home.list();
    assert_eq!(list.len(), 2 * RATES_HZ.len() * 2 + 2, "{list:?}");
    for recording in &list {
        let title = recording["title"].as_str().unwrap();
        assert_sane(recording, title);
        assert_audible(&home, recording["id"].as_str().unwrap(), title);
    }
}
