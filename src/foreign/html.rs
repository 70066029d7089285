//! As much of HTML as subtitles and activity lists need: tags, attributes, character
//! references. No tree is built, and nothing in it is executed or fetched.

/// A piece of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// `<name …>`; what stands behind the name as it is written.
    Open {
        /// The tag, as it is written.
        name: &'a str,
        /// The rest of it.
        attributes: &'a str,
    },
    /// `</name>`
    Close {
        /// The tag, as it is written.
        name: &'a str,
    },
    /// Text, its character references not resolved.
    Text(&'a str),
}

/// The pieces of a page, in order. Comments are left out. A `<` that begins no tag is
/// text.
pub fn tokens(page: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = page;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            if let Some(comment) = rest.strip_prefix("<!--") {
                rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
                continue;
            }
            if let Some((tag, behind)) = tag_at_start(rest) {
                rest = behind;
                return Some(tag);
            }
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let more = rest.get(first..).unwrap_or_default();
            let length = more.find('<').map_or(rest.len(), |at| at + first);
            let (text, behind) = rest.split_at(length);
            rest = behind;
            return Some(Token::Text(text));
        }
        None
    })
}

fn tag_at_start(text: &str) -> Option<(Token<'_>, &str)> {
    let inner = text.strip_prefix('<')?;
    let starts = inner.strip_prefix('/').unwrap_or(inner);
    let first = starts.chars().next()?;
    // Digits begin the times inside of WebVTT cues.
    if !first.is_ascii_alphanumeric() && first != '!' {
        return None;
    }
    let (inside, behind) = inner.split_once('>')?;
    if let Some(name) = inside.strip_prefix('/') {
        return Some((Token::Close { name: name.trim() }, behind));
    }
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    let end = inside
        .find(|c: char| c.is_whitespace())
        .unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(end);
    Some((Token::Open { name, attributes }, behind))
}

/// The value of an attribute, its references resolved.
#[must_use]
pub fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some((key, behind)) = rest.split_once('=') {
        let key = key.split_whitespace().next_back().unwrap_or_default();
        let behind = behind.trim_start();
        let (value, after) = match behind.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inside = behind.get(1..).unwrap_or_default();
                inside.split_once(quote).unwrap_or((inside, ""))
            }
            _ => behind
                .split_once(char::is_whitespace)
                .unwrap_or((behind, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(resolved(value));
        }
        rest = after;
    }
    None
}

/// The text of a piece of HTML on one line: without tags, single spaced.
#[must_use]
pub fn text(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    for token in tokens(html) {
        match token {
            Token::Text(text) => plain.push_str(&resolved(text)),
            Token::Open { name, .. } | Token::Close { name } => {
                let parts = ["br", "p", "div", "li", "td", "tr"];
                if parts.iter().any(|part| part.eq_ignore_ascii_case(name)) {
                    plain.push(' ');
                }
            }
        }
    }
    one_line(&plain)
}

/// The text without control characters, single spaced.
#[must_use]
pub fn one_line(text: &str) -> String {
    let text = text.replace(|c: char| c.is_control() || c == '\u{feff}', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with its character references resolved; one that is not known stays.
#[must_use]
pub fn resolved(text: &str) -> String {
    /// `&thetasym;` is the longest that could be meant.
    const LONGEST: usize = 10;
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, reference) = rest.split_at(at);
        plain.push_str(before);
        let end = reference
            .char_indices()
            .take(LONGEST)
            .find(|(_, c)| *c == ';');
        let found = end.and_then(|(end, _)| {
            let name = reference.get(1..end)?;
            Some((meant(name)?, reference.get(end + 1..)?))
        });
        match found {
            Some((c, behind)) => {
                plain.push(c);
                rest = behind;
            }
            None => {
                plain.push('&');
                rest = reference.get(1..).unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn meant(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" => ' ',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_references_are_resolved() {
        let html = "<i>it&#39;s</i> 3 < 4 &amp;&nbsp;<b class=\"x\">bold</b><br>new<!-- no -->";
        assert_eq!(text(html), "it's 3 < 4 & bold new");
        assert_eq!(
            text("<00:00:01.000><c.yellow>word</c> &unknown; & <"),
            "word &unknown; & <"
        );
    }

    #[test]
    fn attributes_are_found_however_they_are_quoted() {
        let tag = r#" controls type='audio/mpeg' src="a &amp; b.mp3" data-x=1 "#;
        assert_eq!(attribute(tag, "SRC").as_deref(), Some("a & b.mp3"));
        assert_eq!(attribute(tag, "type").as_deref(), Some("audio/mpeg"));
        assert_eq!(attribute(tag, "data-x").as_deref(), Some("1"));
        assert_eq!(attribute(tag, "controls"), None);
    }
}
