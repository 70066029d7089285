//! Which microphones and loudspeakers there are, and which one is meant.
//!
//! Everything that asks cpal about devices is here. On Linux the names are
//! those of ALSA, through whose plug-ins PulseAudio and PipeWire are reached;
//! a device is named by its identifier (`default`, `hw:0,0`) or by any part of
//! its description that no other device shares.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{Device, SampleFormat, SupportedStreamConfig, SupportedStreamConfigRange};

use super::error::AudioError;
use super::hush::Hush;

/// How long closing a device may take.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

/// Rates that are looked for in the ranges a device names.
const USUAL_RATES_HZ: [u32; 10] = [
    8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000,
];

/// A microphone, as `devices` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// By what it is chosen.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// It is used when none is named.
    pub default: bool,
    /// The usual rates that it can do.
    pub rates_hz: Vec<u32>,
    /// The numbers of channels that it can do.
    pub channels: Vec<u16>,
}

/// All microphones that can be opened right now, the default one first.
///
/// # Errors
/// [`AudioError::Device`] if the sound system can't be asked.
pub fn microphones() -> Result<Vec<DeviceInfo>, AudioError> {
    let _hush = Hush::new();
    let host = cpal::default_host();
    let default = host.default_input_device();
    let listed = host
        .input_devices()
        .map_err(|error| refused("the sound system", &error))?;
    let mut seen = BTreeSet::new();
    let mut found: Vec<DeviceInfo> = default
        .iter()
        .cloned()
        .chain(listed)
        .filter(|device| seen.insert(name_of(device)))
        .filter_map(|device| describe(&device, default.as_ref()))
        .collect();
    found.sort_by_key(|device| !device.default);
    Ok(found)
}

/// None for what can't be opened: ALSA lists many names without a device.
fn describe(device: &Device, default: Option<&Device>) -> Option<DeviceInfo> {
    let ranges: Vec<_> = device.supported_input_configs().ok()?.collect();
    let does = |rate: &u32| ranges.iter().any(|range| covers(range, *rate));
    let channels: BTreeSet<u16> = ranges
        .iter()
        .map(SupportedStreamConfigRange::channels)
        .collect();
    if channels.is_empty() {
        return None;
    }
    Some(DeviceInfo {
        name: name_of(device),
        description: description_of(device),
        default: default.is_some_and(|default| name_of(default) == name_of(device)),
        rates_hz: USUAL_RATES_HZ.into_iter().filter(does).collect(),
        channels: channels.into_iter().collect(),
    })
}

fn covers(range: &SupportedStreamConfigRange, rate_hz: u32) -> bool {
    (range.min_sample_rate()..=range.max_sample_rate()).contains(&rate_hz)
}

/// Whether sound goes in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Input,
    Output,
}

/// The device of this name, or the default one.
pub(super) fn find(name: Option<&str>, direction: Direction) -> Result<Device, AudioError> {
    let host = cpal::default_host();
    let Some(name) = name else {
        let default = match direction {
            Direction::Input => host.default_input_device(),
            Direction::Output => host.default_output_device(),
        };
        return default.ok_or(AudioError::NoMicrophone);
    };
    let devices = host.devices().map_err(|error| refused(name, &error))?;
    let mut devices: Vec<Device> = devices
        .filter(|device| match direction {
            Direction::Input => device.supports_input(),
            Direction::Output => device.supports_output(),
        })
        .collect();
    if let Some(exact) = devices.iter().position(|device| name_of(device) == name) {
        return Ok(devices.swap_remove(exact));
    }
    let wanted = name.to_lowercase();
    let mut alike = devices.into_iter().filter(|device| {
        name_of(device).to_lowercase().contains(&wanted)
            || description_of(device).to_lowercase().contains(&wanted)
    });
    match (alike.next(), alike.next()) {
        (Some(one), None) => Ok(one),
        (first, _) => {
            let why = if first.is_some() {
                "several have that name"
            } else {
                "there is none"
            };
            Err(AudioError::NoSuchDevice {
                name: name.to_owned(),
                why: why.to_owned(),
            })
        }
    }
}

/// The identifier, by which the same device is found again.
pub(super) fn name_of(device: &Device) -> String {
    device
        .id()
        .map_or_else(|_| device.to_string(), |id| id.id().to_owned())
}

fn description_of(device: &Device) -> String {
    device.description().map_or_else(
        |_| name_of(device),
        |description| {
            let lines: Vec<&str> = description.extended().collect();
            if lines.is_empty() {
                description.name().to_owned()
            } else {
                lines.join(", ")
            }
        },
    )
}

/// The configuration of a stream that exists for this device, with `rate_hz`
/// and `channels` if it can do both.
pub(super) fn config_with(
    device: &Device,
    direction: Direction,
    rate_hz: u32,
    channels: u16,
) -> Option<SupportedStreamConfig> {
    let ranges: Vec<_> = match direction {
        Direction::Input => device.supported_input_configs().ok()?.collect(),
        Direction::Output => device.supported_output_configs().ok()?.collect(),
    };
    let matching = ranges
        .into_iter()
        .filter(|range| range.channels() == channels && covers(range, rate_hz));
    // The finest of what can be worked with.
    matching
        .filter(|range| is_pcm(range.sample_format()))
        .max_by(SupportedStreamConfigRange::cmp_default_heuristics)
        .and_then(|range| range.try_with_sample_rate(rate_hz))
}

/// One-bit formats have no samples in the usual sense.
pub(super) fn is_pcm(format: SampleFormat) -> bool {
    !matches!(
        format,
        SampleFormat::DsdU8 | SampleFormat::DsdU16 | SampleFormat::DsdU32
    )
}

pub(super) fn refused(name: &str, error: &cpal::Error) -> AudioError {
    AudioError::Device {
        name: name.to_owned(),
        why: reason(error),
    }
}

/// What cpal says, as the end of a sentence.
fn reason(error: &cpal::Error) -> String {
    let text = error
        .message()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    text.trim_end_matches('.').to_owned()
}

/// Closes a stream, and gives up waiting for that after half a second: ALSA's
/// pulse plug-in never lets go of a stream whose server died (cpal joins its
/// worker, which waits for a lock of the plug-in for ever). What hangs is left
/// to the end of the process.
pub(super) fn close(stream: cpal::Stream) {
    let (done, closed) = mpsc::channel();
    let closing = thread::Builder::new()
        .name("close sound".to_owned())
        .spawn(move || {
            drop(stream);
            // Nobody listens any more if it took too long, which is no matter.
            done.send(()).ok();
        });
    if closing.is_ok() {
        closed.recv_timeout(CLOSE_WITHIN).ok();
    }
}

/// Builds a stream for whichever of cpal's formats the device has: `$format`
/// chooses the sample type `$T` that `$build` is written in.
macro_rules! with_sample_type {
    ($format:expr, $T:ident => $build:expr, otherwise $other:expr) => {
        match $format {
            cpal::SampleFormat::I8 => {
                type $T = i8;
                $build
            }
            cpal::SampleFormat::I16 => {
                type $T = i16;
                $build
            }
            cpal::SampleFormat::I24 => {
                type $T = cpal::I24;
                $build
            }
            cpal::SampleFormat::I32 => {
                type $T = i32;
                $build
            }
            cpal::SampleFormat::I64 => {
                type $T = i64;
                $build
            }
            cpal::SampleFormat::U8 => {
                type $T = u8;
                $build
            }
            cpal::SampleFormat::U16 => {
                type $T = u16;
                $build
            }
            cpal::SampleFormat::U24 => {
                type $T = cpal::U24;
                $build
            }
            cpal::SampleFormat::U32 => {
                type $T = u32;
                $build
            }
            cpal::SampleFormat::U64 => {
                type $T = u64;
                $build
            }
            cpal::SampleFormat::F32 => {
                type $T = f32;
                $build
            }
            cpal::SampleFormat::F64 => {
                type $T = f64;
                $build
            }
            _ => $other,
        }
    };
}
pub(super) use with_sample_type;
