//! Frames as the bytes a terminal understands, and few of them.
//!
//! A backend for ratatui of our own. crossterm's resets every attribute at the
//! end of each frame, hides the cursor again in each, writes a basic colour as
//! eight bytes and, under `NO_COLOR`, as an empty sequence that a terminal takes
//! for a reset and so loses reverse video. Over a slow line all of that counts.
//! This one remembers the pen and the cursor from frame to frame and only says
//! what changes. It writes nowhere: the loop takes the finished frame and sends
//! it in one piece.

use std::convert::Infallible;
use std::io::Write as _;

use crossterm::Command;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use zeroize::{Zeroize, Zeroizing};

/// Collects a frame.
pub struct Wire {
    out: Vec<u8>,
    size: Size,
    pen: Pen,
    at: Option<Position>,
    cursor: Cursor,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cursor {
    Unknown,
    Hidden,
    Shown(Option<Position>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    ink: Color,
    paper: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen {
    ink: Color::Reset,
    paper: Color::Reset,
    modifier: Modifier::empty(),
};

impl Wire {
    /// For a terminal of this size.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            out: Vec::with_capacity(8 * 1024),
            size,
            pen: PLAIN,
            at: None,
            cursor: Cursor::Unknown,
        }
    }

    /// The terminal has another size now.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.at = None;
    }

    /// Somebody else wrote to the terminal: nothing is known of its state.
    pub fn forget(&mut self) {
        self.out.extend_from_slice(b"\x1b[m");
        self.pen = PLAIN;
        self.at = None;
        self.cursor = Cursor::Unknown;
    }

    /// The bytes of the frame, bracketed so that a terminal shows it whole;
    /// nothing when nothing changed.
    #[must_use]
    pub fn take_frame(&mut self) -> Zeroizing<Vec<u8>> {
        let mut frame = Zeroizing::new(Vec::new());
        if !self.out.is_empty() {
            frame.reserve_exact(self.out.len() + 16);
            frame.extend_from_slice(ansi(BeginSynchronizedUpdate).as_bytes());
            frame.extend_from_slice(&self.out);
            frame.extend_from_slice(ansi(EndSynchronizedUpdate).as_bytes());
            // The screen shows what was said and written; nothing of it stays here.
            self.out.zeroize();
        }
        frame
    }

    fn go(&mut self, x: u16, y: u16) {
        let here = Position { x, y };
        if self.at == Some(here) {
            return;
        }
        match self.at {
            Some(at) if at.y == y && x > at.x && x - at.x < 10 => {
                self.say(format_args!("\x1b[{}C", x - at.x));
            }
            _ => self.say(format_args!(
                "\x1b[{};{}H",
                y.saturating_add(1),
                x.saturating_add(1)
            )),
        }
        self.at = Some(here);
    }

    fn ink(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        let mut codes: Vec<u8> = Vec::with_capacity(24);
        // Attributes end only by a reset that every terminal knows.
        let mut from = self.pen;
        if !(self.pen.modifier - pen.modifier).is_empty() || pen == PLAIN {
            codes.extend_from_slice(b"0;");
            from = PLAIN;
        }
        for (modifier, code) in MODIFIERS {
            if pen.modifier.contains(modifier) && !from.modifier.contains(modifier) {
                codes.extend_from_slice(code);
                codes.push(b';');
            }
        }
        if pen.ink != from.ink {
            colour(&mut codes, pen.ink, 30);
        }
        if pen.paper != from.paper {
            colour(&mut codes, pen.paper, 40);
        }
        codes.pop();
        if codes == b"0" {
            codes.clear();
        }
        self.out.extend_from_slice(b"\x1b[");
        self.out.extend_from_slice(&codes);
        self.out.push(b'm');
        self.pen = pen;
    }

    fn say(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a vector can't fail.
        let _ = self.out.write_fmt(what);
    }
}

const MODIFIERS: [(Modifier, &[u8]); 7] = [
    (Modifier::BOLD, b"1"),
    (Modifier::DIM, b"2"),
    (Modifier::ITALIC, b"3"),
    (Modifier::UNDERLINED, b"4"),
    (Modifier::SLOW_BLINK, b"5"),
    (Modifier::REVERSED, b"7"),
    (Modifier::CROSSED_OUT, b"9"),
];

/// The parameters that choose `colour`, each ended by `;`. `base` is 30 for
/// the ink and 40 for the paper (ECMA-48); the bright eight stand 60 higher.
fn colour(codes: &mut Vec<u8>, colour: Color, base: u8) {
    let basic = match colour {
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + 60,
        Color::LightRed => base + 61,
        Color::LightGreen => base + 62,
        Color::LightYellow => base + 63,
        Color::LightBlue => base + 64,
        Color::LightMagenta => base + 65,
        Color::LightCyan => base + 66,
        Color::White => base + 67,
        Color::Reset => base + 9,
        Color::Indexed(index) => {
            let _ = write!(codes, "{};5;{index};", base + 8);
            return;
        }
        Color::Rgb(red, green, blue) => {
            let _ = write!(codes, "{};2;{red};{green};{blue};", base + 8);
            return;
        }
    };
    let _ = write!(codes, "{basic};");
}

/// A crossterm command as the bytes it stands for.
#[must_use]
pub fn ansi(command: impl Command) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = command.write_ansi(&mut text);
    text
}

impl Backend for Wire {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (x, y, cell) in content {
            self.go(x, y);
            self.ink(Pen {
                ink: cell.fg,
                paper: cell.bg,
                modifier: cell.modifier,
            });
            let symbol = cell.symbol();
            self.out.extend_from_slice(symbol.as_bytes());
            // Terminals disagree about how wide anything unusual is, so the
            // place after it is always said; at the edge it is undefined.
            let usual =
                symbol.chars().count() == 1 && unicode_width::UnicodeWidthStr::width(symbol) == 1;
            let next = x.saturating_add(1);
            self.at = (usual && next < self.size.width).then_some(Position { x: next, y });
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        if self.cursor != Cursor::Hidden {
            self.out.extend_from_slice(b"\x1b[?25l");
            self.cursor = Cursor::Hidden;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        if !matches!(self.cursor, Cursor::Shown(_)) {
            self.out.extend_from_slice(b"\x1b[?25h");
            self.cursor = Cursor::Shown(None);
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(self.at.unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        let place: Position = position.into();
        if let Cursor::Shown(shown) = self.cursor
            && (shown != Some(place) || self.at != Some(place))
        {
            self.at = None;
            self.go(place.x, place.y);
            self.cursor = Cursor::Shown(Some(place));
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> Result<(), Infallible> {
        self.ink(PLAIN);
        let code: &[u8] = match region {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[K",
        };
        self.out.extend_from_slice(code);
        Ok(())
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use ratatui::Terminal;
    use ratatui::style::Style;
    use std::num::NonZero;

    fn frame(terminal: &mut Terminal<Wire>, text: &str, style: Style) -> String {
        terminal
            .draw(|frame| {
                frame.buffer_mut().set_string(0, 0, text, style);
            })
            .unwrap();
        String::from_utf8(terminal.backend_mut().take_frame().to_vec()).unwrap()
    }

    #[test]
    fn a_frame_in_which_nothing_changed_sends_nothing() {
        let mut terminal = Terminal::new(Wire::new(Size::new(20, 3))).unwrap();
        assert!(!frame(&mut terminal, "hello", Style::new().cyan()).is_empty());
        assert_eq!(frame(&mut terminal, "hello", Style::new().cyan()), "");
    }

    #[test]
    fn a_changed_digit_costs_a_move_and_the_digit() {
        let mut terminal = Terminal::new(Wire::new(Size::new(20, 3))).unwrap();
        frame(&mut terminal, "0:41", Style::new());
        assert_eq!(
            frame(&mut terminal, "0:42", Style::new()),
            "\x1b[?2026h\x1b[1;4H2\x1b[?2026l"
        );
    }

    #[test]
    fn a_terminal_that_follows_the_bytes_shows_the_frame() {
        let mut terminal = Terminal::new(Wire::new(Size::new(12, 2))).unwrap();
        let mut screen = vt100::Parser::new(NonZero::new(2).unwrap(), NonZero::new(12).unwrap(), 0);
        for (text, style) in [
            ("日本e\u{301}xyz", Style::new().bold()),
            ("日x", Style::new().reversed().red()),
            ("plain", Style::new()),
        ] {
            let bytes = frame(&mut terminal, text, style);
            screen.process(bytes.as_bytes());
            assert_eq!(screen.screen().contents().trim_end(), text);
        }
    }
}
