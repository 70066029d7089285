//! Whisper itself: the one place that knows whisper-rs.
//!
//! A loaded model is shared; every worker has an [`Ear`] of its own, whose
//! state is kept from piece to piece. whisper.cpp's log goes nowhere.

use std::num::TryFromIntError;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError,
    WhisperState,
};

use super::detect::SPEECH_RATE_HZ;
use super::words::{Heard, Token};
use super::{Error, Fault};

/// whisper.cpp wants more than a second; less is filled up with silence.
const SHORTEST_SAMPLES: usize = SPEECH_RATE_HZ as usize * 11 / 10;
/// Steps of the encoder's context in a second of sound.
const CONTEXT_PER_S: f64 = 50.0;
/// Below 100 words at the end get lost.
const CONTEXT_MARGIN: f64 = 128.0;
/// Clips: with less, one of 3 s climbed the ladder of temperatures, which cost
/// more than the context (measured: 5.4 s against 4.2 s for twelve clips).
const CLIP_FLOOR: i32 = 384;
/// Long recordings: with less, short lonely pieces loop.
const PIECE_FLOOR: i32 = 512;

/// How a piece is transcribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// A whole clip of a few seconds, as fast as can be.
    Clip,
    /// A piece of a longer recording, which may be short and lonely.
    Piece,
}

impl Manner {
    /// Steps of the encoder's context for so much sound.
    fn context(self, seconds: f64, most: i32) -> i32 {
        let context = (CONTEXT_PER_S * seconds + CONTEXT_MARGIN).ceil() as i32;
        let floor = match self {
            Self::Clip => CLIP_FLOOR,
            Self::Piece => PIECE_FLOOR,
        };
        context.max(floor).min(most)
    }
}

/// Most tokens for so much sound, so that a loop ends.
fn most_tokens(seconds: f64) -> i32 {
    (10.0 * seconds) as i32 + 12
}

/// A loaded model.
pub(super) struct Engine {
    context: WhisperContext,
}

impl Engine {
    /// Loads a file that was checked before: whisper.cpp aborts on some others.
    pub(super) fn load(path: &Path) -> Result<Self, Fault> {
        // Without a log feature the hooks discard what whisper.cpp would
        // print to stderr.
        whisper_rs::install_logging_hooks();
        let mut parameters = WhisperContextParameters::default();
        parameters.use_gpu(false);
        // Slower in whisper.cpp 1.8.3 on a processor.
        parameters.flash_attn(false);
        let context = WhisperContext::new_with_params(path, parameters);
        context
            .map(|context| Self { context })
            .map_err(|_| Fault::Rejected)
    }

    /// Languages the model knows: whisper.cpp's ids below this number.
    pub(super) fn languages(&self) -> i32 {
        if self.context.is_multilingual() {
            self.context.n_vocab() - 51_766
        } else {
            1
        }
    }

    /// A new worker's state.
    pub(super) fn ear(&self) -> Result<Ear, Error> {
        let state = self
            .context
            .create_state()
            .map_err(|error| whisper("can't start", &error))?;
        Ok(Ear { state })
    }
}

/// One worker's state.
pub(super) struct Ear {
    state: WhisperState,
}

/// The settings that stay the same for all pieces of a recording.
///
/// Built once per worker and recording: whisper-rs 0.16 never frees the
/// language and the callback it is given.
pub(super) struct Settings {
    parameters: FullParams<'static, 'static>,
}

impl Settings {
    /// Settings for this language; `stop` ends whatever is being transcribed.
    pub(super) fn new(language: &str, stop: &Arc<AtomicBool>) -> Self {
        let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        // whisper-rs copies the text, so that its lifetime does not matter;
        // only the signature asks for one.
        parameters.set_language(whisper_language(language));
        parameters.set_translate(false);
        parameters.set_no_context(true);
        parameters.set_token_timestamps(true);
        parameters.set_temperature_inc(0.2);
        parameters.set_print_special(false);
        parameters.set_print_progress(false);
        parameters.set_print_realtime(false);
        parameters.set_print_timestamps(false);
        let stop = Arc::clone(stop);
        // whisper-rs 0.16.0 hands its trampoline a `Box<dyn FnMut() -> bool>`
        // but instantiates it for the closure's own type
        // (`set_abort_callback_safe` in whisper_params.rs): sound only when
        // the two are the same type.
        let stopped: Box<dyn FnMut() -> bool> = Box::new(move || stop.load(Ordering::Relaxed));
        parameters.set_abort_callback_safe::<_, Box<dyn FnMut() -> bool>>(stopped);
        Self { parameters }
    }
}

fn whisper_language(code: &str) -> Option<&'static str> {
    whisper_rs::get_lang_id(code).and_then(whisper_rs::get_lang_str)
}

impl Ear {
    /// The language spoken in a piece of sound, an ISO 639-1 code.
    pub(super) fn language(&mut self, sound: &[f32], threads: usize) -> Result<String, Error> {
        let sound = filled_up(sound);
        self.state
            .pcm_to_mel(&sound, threads)
            .map_err(|error| whisper("can't listen for the language", &error))?;
        let (id, _) = self
            .state
            .lang_detect(0, threads)
            .map_err(|error| whisper("can't tell the language", &error))?;
        let code = whisper_rs::get_lang_str(id).unwrap_or(super::language::UNDETERMINED);
        Ok(code.to_owned())
    }

    /// What is said in a piece of sound, mono f32 at 16 kHz, at most 30 s.
    pub(super) fn hear(
        &mut self,
        engine: &Engine,
        settings: &Settings,
        sound: &[f32],
        manner: Manner,
        threads: usize,
    ) -> Result<Vec<Heard>, Error> {
        let sound = filled_up(sound);
        let seconds = sound.len() as f64 / f64::from(SPEECH_RATE_HZ);
        let mut parameters = settings.parameters.clone();
        let count = |threads: usize| -> Result<i32, TryFromIntError> { threads.try_into() };
        parameters.set_n_threads(count(threads).unwrap_or(1));
        parameters.set_audio_ctx(manner.context(seconds, engine.context.n_audio_ctx()));
        parameters.set_max_tokens(most_tokens(seconds));
        self.state
            .full(parameters, &sound)
            .map_err(|error| whisper("no text came", &error))?;
        let end_of_text = engine.context.token_eot();
        Ok(self
            .state
            .as_iter()
            .map(|segment| heard(&segment, end_of_text))
            .collect())
    }
}

fn heard(segment: &whisper_rs::WhisperSegment<'_>, end_of_text: i32) -> Heard {
    let tokens = (0..segment.n_tokens())
        .filter_map(|index| segment.get_token(index))
        // The special tokens and the times come behind the text's.
        .filter(|token| token.token_id() < end_of_text)
        .map(|token| {
            let data = token.token_data();
            Token {
                bytes: token.to_bytes().map(<[u8]>::to_vec).unwrap_or_default(),
                start_cs: data.t0,
                end_cs: data.t1,
                probability: data.p,
            }
        })
        .collect();
    Heard {
        tokens,
        start_cs: segment.start_timestamp(),
        end_cs: segment.end_timestamp(),
        no_speech_probability: segment.no_speech_probability(),
    }
}

fn filled_up(sound: &[f32]) -> std::borrow::Cow<'_, [f32]> {
    if sound.len() >= SHORTEST_SAMPLES {
        return sound.into();
    }
    let mut longer = sound.to_vec();
    longer.resize(SHORTEST_SAMPLES, 0.0);
    longer.into()
}

fn whisper(what: &str, error: &WhisperError) -> Error {
    Error::Whisper {
        why: format!("{what}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_is_as_long_as_the_sound_but_never_too_short() {
        assert_eq!(Manner::Clip.context(11.0, 1500), 678);
        assert_eq!(Manner::Clip.context(3.0, 1500), 384);
        assert_eq!(Manner::Piece.context(3.0, 1500), 512);
        assert_eq!(Manner::Piece.context(15.0, 1500), 878);
        assert_eq!(Manner::Piece.context(28.0, 1500), 1500);
    }

    #[test]
    fn a_loop_ends() {
        assert_eq!(most_tokens(15.0), 162);
    }
}
