//! Tables as text: values set apart by commas, semicolons or tabs (RFC 4180).

/// The rows of a table. What sets the values apart is what the first line has most of.
/// Never fails: a quote that is not closed ends with the file.
#[must_use]
pub fn rows(file: &str) -> Vec<Vec<String>> {
    let head = file.lines().next().unwrap_or_default();
    let mark = [',', ';', '\t']
        .into_iter()
        .max_by_key(|mark| (head.matches(*mark).count(), *mark == ','))
        .unwrap_or(',');
    let mut rows = Vec::new();
    let (mut row, mut value) = (Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, file.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                value.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if value.trim().is_empty() => {
                value.clear();
                quoted = true;
            }
            '\n' if !quoted => {
                row.push(std::mem::take(&mut value));
                rows.push(std::mem::take(&mut row));
            }
            c if c == mark && !quoted => row.push(std::mem::take(&mut value)),
            c => value.push(c),
        }
    }
    if !value.is_empty() || !row.is_empty() {
        row.push(value);
        rows.push(row);
    }
    rows.retain(|row| row.iter().any(|value| !value.trim().is_empty()));
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_commas_and_line_breaks_are_told_apart() {
        let file = "file,text\na.wav,\"one, \"\"two\"\"\nthree\"\n\nb.wav,four\n";
        assert_eq!(
            rows(file),
            [
                ["file", "text"],
                ["a.wav", "one, \"two\"\nthree"],
                ["b.wav", "four"]
            ]
        );
        assert_eq!(
            rows("a;b,c;d\n1;2;3"),
            [vec!["a", "b,c", "d"], vec!["1", "2", "3"]]
        );
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(values in prop::collection::vec("[^\r]{1,8}", 2..5)) {
            prop_assume!(values.iter().any(|value| !value.trim().is_empty()));
            let quoted: Vec<String> = values
                .iter()
                .map(|value| format!("\"{}\"", value.replace('"', "\"\"")))
                .collect();
            let file = format!("a,b\n{}\n", quoted.join(","));
            prop_assert_eq!(rows(&file).pop(), Some(values));
        }
    }
}
