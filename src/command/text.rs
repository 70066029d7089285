//! The forms in which a transcript is read by people and programs.

use crate::listing::{RecordingView, TranscriptView};
use crate::recording::Recording;
use crate::transcript::{Transcript, markdown, srt, text, vtt};

/// A form of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// Plain text.
    Txt,
    /// Markdown with title, date and times.
    Md,
    /// `SubRip` subtitles.
    Srt,
    /// `WebVTT` subtitles.
    Vtt,
    /// Everything that is known, as JSON.
    Json,
}

impl TextFormat {
    /// The ending of its files, without the dot.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Txt => "txt",
            Self::Md => "md",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
            Self::Json => "json",
        }
    }

    /// The transcript in this form, ending with a newline. JSON says what is
    /// known of the recording too.
    ///
    /// # Errors
    /// When a number can't be written as JSON.
    pub fn render(
        self,
        recording: &Recording,
        transcript: &Transcript,
    ) -> Result<String, serde_json::Error> {
        Ok(match self {
            Self::Txt => text::render(transcript),
            Self::Md => markdown::render(recording, transcript),
            Self::Srt => srt::render(transcript),
            Self::Vtt => vtt::render(transcript),
            Self::Json => {
                let recording = RecordingView::new(recording);
                let mut json =
                    serde_json::to_string_pretty(&TranscriptView::new(recording, transcript))?;
                json.push('\n');
                json
            }
        })
    }
}
