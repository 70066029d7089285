//! One line of text being edited.

use unicode_width::UnicodeWidthChar;

use crate::tui::input::Key;

/// Longest line, bytes: a note fits, a pasted book doesn't.
const LONGEST: usize = 4096;

/// Text and the place in it where the next character goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    cursor: usize,
}

/// What a key did to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// The text is another.
    Text,
    /// Only the cursor moved.
    Cursor,
    /// The key is no editing key.
    Nothing,
}

impl Line {
    /// With this text, the cursor behind it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        Self {
            cursor: text.len(),
            text,
        }
    }

    /// What stands there.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor is, bytes from the start.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Puts the cursor at this byte, or before the letter that it is in.
    pub fn put_cursor(&mut self, at: usize) {
        self.cursor = self.text.floor_char_boundary(at);
    }

    /// Puts text in at the cursor, without its control characters.
    pub fn insert(&mut self, text: &str) {
        for letter in text.chars() {
            let letter = if letter == '\n' || letter == '\t' {
                ' '
            } else {
                letter
            };
            if !letter.is_control() && self.text.len() + letter.len_utf8() <= LONGEST {
                self.text.insert(self.cursor, letter);
                self.cursor += letter.len_utf8();
            }
        }
    }

    /// Does what a key means in a line.
    pub fn edit(&mut self, key: Key) -> Edited {
        let before = self.text.len();
        match key {
            Key::Char(letter) => self.insert(letter.encode_utf8(&mut [0; 4])),
            Key::Backspace | Key::Ctrl('h') => {
                let from = self.left();
                self.text.drain(from..self.cursor);
                self.cursor = from;
            }
            Key::Delete => {
                let to = self.right();
                self.text.drain(self.cursor..to);
            }
            Key::Ctrl('u') => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::Ctrl('w') => {
                let kept = self.text.get(..self.cursor).unwrap_or_default().trim_end();
                let from = kept.rfind(' ').map_or(0, |space| space + 1);
                self.text.drain(from..self.cursor);
                self.cursor = from;
            }
            Key::Left => self.cursor = self.left(),
            Key::Right => self.cursor = self.right(),
            Key::Home | Key::Ctrl('a') => self.cursor = 0,
            Key::End | Key::Ctrl('e') => self.cursor = self.text.len(),
            _ => return Edited::Nothing,
        }
        if self.text.len() == before {
            Edited::Cursor
        } else {
            Edited::Text
        }
    }

    fn left(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        self.cursor - before.chars().next_back().map_or(0, char::len_utf8)
    }

    fn right(&self) -> usize {
        let after = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor + after.chars().next().map_or(0, char::len_utf8)
    }

    /// The part that fits into `width` columns with the cursor in it, and the
    /// cursor's column in that part.
    #[must_use]
    pub fn window(&self, width: usize) -> (&str, usize) {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let mut columns = 0;
        let mut from = self.cursor;
        for (place, letter) in before.char_indices().rev() {
            let wide = letter.width().unwrap_or(0);
            if columns + wide >= width {
                break;
            }
            columns += wide;
            from = place;
        }
        (self.text.get(from..).unwrap_or_default(), columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing_respects_letters_of_several_bytes() {
        let mut line = Line::new("añ한");
        line.edit(Key::Left);
        line.edit(Key::Backspace);
        assert_eq!(line.text(), "a한");
        line.edit(Key::Char('b'));
        assert_eq!(line.text(), "ab한");
        assert_eq!(line.edit(Key::Home), Edited::Cursor);
        line.edit(Key::Delete);
        assert_eq!(line.text(), "b한");
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let line = Line::new("0123456789");
        assert_eq!(line.window(5), ("6789", 4));
        assert_eq!(line.window(1), ("", 0));
        assert_eq!(line.window(0), ("", 0));
    }
}
