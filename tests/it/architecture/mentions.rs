//! What a Rust source file mentions: every path it names, wherever it stands,
//! as a list of its parts.
//!
//! Not a parser. Comments and literals are dropped, what is left is cut into
//! words and signs, and words joined by `::` are paths; braces after `::` (and
//! after `use`) open a group whose paths go on from what stood before. That is
//! all that imports need, and it can't be fooled by formatting. Paths that a
//! macro puts together are not seen.

use std::path::Path;

/// One source file, and the paths it names.
pub(super) struct Source {
    /// Where it lies, from `src`.
    pub(super) path: String,
    /// The top-level module it belongs to; `lib` and `main` for the roots.
    pub(super) module: String,
    named: Vec<Named>,
}

/// A path as it is written, and how deep in modules it is written.
struct Named {
    line: usize,
    parts: Vec<String>,
    depth: usize,
}

impl Source {
    /// The file at `path` (from `src`), whose text is `text`.
    pub(super) fn read(path: &Path, text: &str) -> Self {
        let place: Vec<String> = path
            .with_extension("")
            .components()
            .map(|part| part.as_os_str().to_str().unwrap().to_owned())
            .collect();
        let is_root = place.len() == 1 && (place[0] == "lib" || place[0] == "main");
        let is_mod = place.last().is_some_and(|name| name == "mod");
        let depth = if is_root {
            0
        } else {
            place.len() - usize::from(is_mod)
        };
        Self {
            path: path.display().to_string(),
            module: place[0].clone(),
            named: named(&tokens(text), depth),
        }
    }

    /// Every path, with its line: those into this crate, those into libraries,
    /// and those that start at a name in scope.
    pub(super) fn paths(&self) -> impl Iterator<Item = (usize, &[String])> {
        self.named
            .iter()
            .map(|named| (named.line, named.parts.as_slice()))
    }

    /// The top-level modules of this crate that it names, with the line.
    pub(super) fn own_modules(&self) -> impl Iterator<Item = (usize, &String)> {
        self.named.iter().filter_map(|named| {
            let supers = named
                .parts
                .iter()
                .take_while(|part| *part == "super")
                .count();
            let at = match named.parts[0].as_str() {
                "crate" | "voxvault" => 1,
                "super" if supers >= named.depth => supers,
                "self" if named.depth == 0 => 1,
                _ => return None,
            };
            named.parts.get(at).map(|module| (named.line, module))
        })
    }
}

/// The modules that a file declares at its top level, in order.
pub(super) fn declared_modules(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let declared = tokens
        .windows(3)
        .filter(|next| next[0].is("mod") && next[2].is(";"));
    declared.map(|next| next[1].text.clone()).collect()
}

/// A word, or a sign that matters.
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is(&self, text: &str) -> bool {
        self.text == text
    }

    /// A word that starts no path, though `::path` may follow it.
    fn is_keyword(&self) -> bool {
        const KEYWORDS: [&str; 16] = [
            "use", "as", "mut", "dyn", "impl", "for", "in", "return", "pub", "where", "mod",
            "match", "if", "else", "let", "fn",
        ];
        KEYWORDS.contains(&self.text.as_str())
    }

    fn is_word(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The words and signs of a source text, without comments and literals.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let rest = &chars[at..];
        let length = skipped(rest).unwrap_or_else(|| {
            let length = match rest {
                [':', ':', ..] => 2,
                [c, ..] if c.is_alphanumeric() || *c == '_' => rest
                    .iter()
                    .take_while(|c| c.is_alphanumeric() || **c == '_')
                    .count(),
                _ => 1,
            };
            if !rest[0].is_whitespace() {
                tokens.push(Token {
                    text: rest[..length].iter().collect(),
                    line,
                });
            }
            length
        });
        line += rest[..length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    tokens
}

/// The length of the comment or literal that starts here, if one does.
fn skipped(rest: &[char]) -> Option<usize> {
    match rest {
        ['/', '/', ..] => Some(rest.iter().take_while(|c| **c != '\n').count()),
        ['/', '*', ..] => Some(block_comment(rest)),
        ['"', ..] => Some(quoted(rest, 1)),
        ['b' | 'c', '"', ..] => Some(quoted(rest, 2)),
        ['r', '"' | '#', ..] => raw_string(rest, 1),
        ['b' | 'c', 'r', '"' | '#', ..] => raw_string(rest, 2),
        ['\'', '\\', _, tail @ ..] => Some(4 + tail.iter().take_while(|c| **c != '\'').count()),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn quoted(rest: &[char], opening: usize) -> usize {
    let mut at = opening;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// `None` where this is a raw identifier (`r#type`).
fn raw_string(rest: &[char], prefix: usize) -> Option<usize> {
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let opening = prefix + hashes;
    if rest.get(opening) != Some(&'"') {
        return None;
    }
    let mut at = opening + 1;
    while at < rest.len() {
        let closing = rest[at + 1..].iter().take_while(|c| **c == '#').count();
        if rest[at] == '"' && closing >= hashes {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(at)
}

/// What an opening brace opened.
enum Block {
    /// The paths of a group, which go on from this one.
    Group(Vec<String>),
    /// A module written in place.
    Module,
    /// Anything else.
    Other,
}

/// The paths in a file whose own module lies `depth` below the crate.
fn named(tokens: &[Token], depth: usize) -> Vec<Named> {
    let mut found = Vec::new();
    let mut open: Vec<Block> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let behind = |back: usize, text: &str| at >= back && tokens[at - back].is(text);
        if token.is("{") {
            open.push(match () {
                () if behind(1, "use") => Block::Group(Vec::new()),
                () if behind(2, "mod") => Block::Module,
                () => Block::Other,
            });
            at += 1;
        } else if token.is("}") {
            open.pop();
            at += 1;
        } else if token.is_word() && !token.is_keyword() {
            let group = match open.last() {
                Some(Block::Group(prefix)) => Some(prefix.clone()),
                _ => None,
            };
            // `as name`, in a group, is a new name and no path.
            let renames = group.is_some() && behind(1, "as");
            let imports = group.is_some()
                || behind(1, "use")
                || (behind(1, "::") && behind(2, "use"))
                || (behind(1, "crate") && behind(2, "extern"));
            let (own, opens_group, next) = path(tokens, at);
            at = next;
            // Outside an import a word alone is no path.
            let is_path = imports || own.len() > 1;
            let mut parts = group.unwrap_or_default();
            parts.extend(own);
            if opens_group {
                open.push(Block::Group(parts));
            } else if is_path && !renames {
                let inner = open
                    .iter()
                    .filter(|block| matches!(block, Block::Module))
                    .count();
                found.push(Named {
                    line: token.line,
                    parts,
                    depth: depth + inner,
                });
            }
        } else {
            at += 1;
        }
    }
    found
}

/// The words joined by `::` from `at` on, whether they end in `::{`, and where
/// the next token stands.
fn path(tokens: &[Token], mut at: usize) -> (Vec<String>, bool, usize) {
    let mut parts = vec![tokens[at].text.clone()];
    at += 1;
    while at + 1 < tokens.len() && tokens[at].is("::") {
        let next = &tokens[at + 1];
        at += 2;
        if next.is("{") {
            return (parts, true, at);
        }
        if !next.is_word() {
            break;
        }
        parts.push(next.text.clone());
    }
    (parts, false, at)
}
