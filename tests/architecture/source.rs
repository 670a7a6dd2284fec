//! Reads Rust just well enough to see what a file names: comments and texts are blanked, then words and `::` are told
//! from the rest. No macro is expanded; what a macro names is seen where its body stands.

use std::fs;
use std::path::Path;

/// A file with everything blanked that is no code; lines keep their numbers.
pub(crate) struct Source {
    /// Its path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// How many lines it has.
    pub(crate) lines: usize,
    /// Its code, tests included.
    pub(crate) code: String,
    /// Its code outside `#[cfg(test)] mod … {}`.
    pub(crate) live: String,
    /// Modules in files of their own that are compiled for tests only: their paths without the ending.
    test_modules: Vec<String>,
}

/// A `#[cfg(test)] mod name;`
struct Declared {
    name: String,
    /// The line of its `#[path = …]`, counted from 0.
    path_line: Option<usize>,
}

/// A path as code names it, `use` groups taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Where.
    pub(crate) line: usize,
    /// Its parts; `{` stands for a group that follows `crate::` itself.
    pub(crate) parts: Vec<String>,
    /// Whether a `use` names it.
    pub(crate) used: bool,
}

impl Source {
    /// Reads a text as the file of that path.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let (live, declared) = without_test_modules(&code);
        let beside = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let below = match path.rsplit_once('/') {
            Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder,
            _ => path.trim_end_matches(".rs"),
        };
        let place = |declared: Declared| match declared.path_line.and_then(|line| text.lines().nth(line)) {
            Some(line) => {
                format!("{beside}/{}", line.split('"').nth(1).unwrap_or_default().trim_end_matches(".rs"))
            }
            None => format!("{below}/{}", declared.name),
        };
        let test_modules = declared.into_iter().map(place).collect();
        Self { path: path.to_owned(), lines: text.lines().count(), code, live, test_modules }
    }
}

/// Every Rust file under a folder of the repository.
pub(crate) fn read(root: &Path, folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in files(root, folder).into_iter().filter(|path| path.ends_with(".rs")) {
        let text = fs::read_to_string(root.join(&path)).expect("a source file could not be read");
        sources.push(Source::new(&path, &text));
    }
    together(sources)
}

/// Files that know of each other: those that only tests compile have no live code.
pub(crate) fn together(mut sources: Vec<Source>) -> Vec<Source> {
    let of_tests: Vec<_> = sources.iter().flat_map(|source| source.test_modules.clone()).collect();
    for source in &mut sources {
        let of_test = |module: &String| {
            source.path == format!("{module}.rs") || source.path.starts_with(&format!("{module}/"))
        };
        if of_tests.iter().any(of_test) {
            source.live.clear();
        }
    }
    sources
}

/// The paths of all files under a folder, from the root, in order; none when there is no such folder.
pub(crate) fn files(root: &Path, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries.map(|entry| entry.expect("a folder could not be read")) {
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let list =
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) { &mut folders } else { &mut found };
            list.push(path);
        }
    }
    found.sort();
    found
}

/// Blanks comments, texts and characters; what is left is code, on the lines where it was.
pub(crate) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_blank(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&char| if char == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where a comment, text or character that starts here ends; here itself when none starts.
fn end_of_blank(chars: &[char], at: usize) -> usize {
    let char = |place: usize| chars.get(place).copied().unwrap_or('\0');
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let find = |from: usize, wanted: &str| {
        let wanted: Vec<char> = wanted.chars().collect();
        let found = chars[from.min(chars.len())..].windows(wanted.len()).position(|part| part == wanted);
        found.map_or(chars.len(), |place| from + place + wanted.len())
    };
    match (char(at), char(at + 1)) {
        ('/', '/') => find(at, "\n") - usize::from(find(at, "\n") < chars.len()),
        ('/', '*') => end_of_block_comment(chars, at),
        ('"', _) => end_of_text(chars, at),
        ('r', '"' | '#')
            if at == 0 || !is_word(char(at - 1)) || (char(at - 1) == 'b' || char(at - 1) == 'c') =>
        {
            let hashes = chars[at + 1..].iter().take_while(|&&char| char == '#').count();
            // `r#type` is a word, not a text.
            if char(at + 1 + hashes) != '"' {
                return at;
            }
            find(at + 2 + hashes, &format!("\"{}", "#".repeat(hashes)))
        }
        ('\'', '\\') => find(at + 3, "'"),
        // A character has its closing quote right after it; a lifetime has none.
        ('\'', _) if char(at + 2) == '\'' => at + 3,
        _ => at,
    }
}

fn end_of_block_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_text(chars: &[char], at: usize) -> usize {
    let mut place = at + 1;
    while place < chars.len() {
        match chars[place] {
            '\\' => place += 2,
            '"' => return place + 1,
            _ => place += 1,
        }
    }
    chars.len()
}

/// The code without its `#[cfg(test)] mod …`, and those of them that are files of their own.
fn without_test_modules(code: &str) -> (String, Vec<Declared>) {
    let mut live = code.to_owned();
    let mut declared = Vec::new();
    for (start, mark) in code.match_indices("#[cfg(test)]") {
        let after = start + mark.len();
        let Some(stop) = code[after..].find(['{', ';']).map(|place| after + place) else { continue };
        let words: Vec<&str> = code[after..stop].split_whitespace().collect();
        let Some(&["mod", name]) = words.last_chunk::<2>() else { continue };
        let mut end = stop + 1;
        if code[stop..].starts_with(';') {
            let lines_before = |place: usize| code[..place].matches('\n').count();
            let path_line = code[start..stop].find("#[path").map(|place| lines_before(start + place));
            declared.push(Declared { name: name.to_owned(), path_line });
        } else {
            end = end_of_braces(code, stop);
        }
        let gone: String =
            code[start..end].chars().map(|char| if char == '\n' { '\n' } else { ' ' }).collect();
        // Blanks are as many bytes as what they stand for only in ASCII, so the rest is measured from its end.
        let tail = live.len() - (code.len() - end);
        let head = live.len() - (code.len() - start);
        live.replace_range(head..tail, &gone);
    }
    (live, declared)
}

fn end_of_braces(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (place, char) in code[open..].char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return open + place + 1;
        }
    }
    code.len()
}

/// The words and signs of code with their lines; `::` is one sign.
pub(crate) fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(rest.len());
            let len = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                _ => word,
            };
            tokens.push((line + 1, &rest[..len]));
            rest = rest[len..].trim_start();
        }
    }
    tokens
}

/// Every path that code names.
pub(crate) fn named(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        // `use<'a>` behind a type names what it captures, and imports nothing.
        if tokens[at].1 == "use" && tokens.get(at + 1).is_none_or(|(_, next)| *next != "<") {
            at = used(&tokens, at + 1, &[], &mut found);
        } else if is_word(tokens[at].1) {
            let start = at;
            while at + 2 < tokens.len() && tokens[at + 1].1 == "::" && is_word(tokens[at + 2].1) {
                at += 2;
            }
            let parts = tokens[start..=at].iter().step_by(2).map(|(_, part)| (*part).to_owned()).collect();
            found.push(Named { line: tokens[start].0, parts, used: false });
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|char: char| char.is_alphabetic() || char == '_')
}

/// Takes one branch of a `use` apart; returns the place behind it.
fn used(tokens: &[(usize, &str)], mut at: usize, stem: &[String], found: &mut Vec<Named>) -> usize {
    let mut parts = stem.to_vec();
    let line = tokens.get(at).map_or(0, |(line, _)| *line);
    while let Some(&(_, token)) = tokens.get(at) {
        match token {
            "{" => {
                if parts == ["crate"] {
                    found.push(Named { line, parts: vec!["crate".into(), "{".into()], used: true });
                }
                at += 1;
                while tokens.get(at).is_some_and(|(_, token)| *token != "}") {
                    at = used(tokens, at, &parts, found);
                    at += usize::from(tokens.get(at).is_some_and(|(_, token)| *token == ","));
                }
                return at + 1;
            }
            "," | "}" | ";" => break,
            // The new name says nothing of the room.
            "as" => at += 2,
            "::" => at += 1,
            part => {
                parts.push(part.to_owned());
                at += 1;
            }
        }
    }
    found.push(Named { line, parts, used: true });
    at
}
