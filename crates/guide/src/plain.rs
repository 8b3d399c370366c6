//! Blocks on a terminal: words, indents and lines, nothing that a serial console at two in the morning cannot show.

use crate::blocks::words;
use stead_client::wire::{GuideBlock as Block, GuideSpan as Span};

/// How far what is in something stands in.
const INDENT: &str = "    ";

/// Lays blocks out, no line of prose wider than `width`. Code is never broken.
pub fn render(blocks: &[Block], width: usize) -> String {
    let mut text = String::new();
    for block in blocks {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&one(block, width));
    }
    text
}

fn one(block: &Block, width: usize) -> String {
    match block {
        Block::Heading { spans, .. } => {
            let title = words(spans);
            let line = "-".repeat(title.chars().count());
            format!("{title}\n{line}\n")
        }
        Block::Text { spans } => wrapped(&prose(spans), width, "", ""),
        Block::Code { text, .. } => text
            .lines()
            .map(|line| format!("{INDENT}{line}").trim_end().to_owned() + "\n")
            .collect(),
        Block::List { ordered, items } => list(*ordered, items, width),
        Block::Table { head, rows } => table(head, rows, width),
    }
}

fn list(ordered: bool, items: &[Vec<Block>], width: usize) -> String {
    let mut text = String::new();
    for (number, item) in items.iter().enumerate() {
        let mark = if ordered {
            format!("{}. ", number + 1)
        } else {
            "- ".to_owned()
        };
        let inner = width.saturating_sub(mark.len());
        let loose = item.iter().any(|block| !matches!(block, Block::Text { .. }));
        let said = render(item, inner);
        for (line_number, line) in said.lines().enumerate() {
            let start = if line_number == 0 {
                &mark
            } else {
                &" ".repeat(mark.len())
            };
            text.push_str(format!("{start}{line}").trim_end());
            text.push('\n');
        }
        if loose && number + 1 < items.len() {
            text.push('\n');
        }
    }
    text
}

/// A table whose last column is wrapped: columns before it are names.
fn table(head: &[Vec<Span>], rows: &[Vec<Vec<Span>>], width: usize) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(head)
        .chain(rows.iter().map(Vec::as_slice))
        .map(|row| row.iter().map(|cell| prose(cell)).collect())
        .collect();
    let columns = head.len();
    let widest = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns.saturating_sub(1))
        .map(|column| widest(column).unwrap_or(0))
        .collect();
    let before: usize = widths.iter().map(|width| width + 2).sum();
    let mut text = String::new();
    for row in &rows {
        let mut start = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            start.push_str(cell);
            start.push_str(&" ".repeat(width.saturating_sub(cell.chars().count()) + 2));
        }
        let last = row.last().map_or("", String::as_str);
        text.push_str(&wrapped(
            last,
            width.max(before + 24),
            &start,
            &" ".repeat(before),
        ));
    }
    text
}

/// Spans as a terminal shows them.
fn prose(spans: &[Span]) -> String {
    let text = |span: &Span| match span {
        Span::Plain { text } | Span::Strong { text } => text.clone(),
        Span::Code { text } => format!("`{text}`"),
        Span::Link { text, to } => match to.strip_prefix("guide:") {
            Some(name) => format!("{text} (`stead guide {name}`)"),
            None => format!("{text} ({to})"),
        },
    };
    spans.iter().map(text).collect()
}

/// Breaks between words, not within those in backticks.
fn wrapped(text: &str, width: usize, first: &str, rest: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in pieces(text) {
        let wide = line.chars().count() + usize::from(!empty) + word.chars().count();
        if !empty && wide > width {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word);
        empty = false;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

/// Words, those between two backticks as one.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut open = false;
    for word in text.split_whitespace() {
        match (open, pieces.last_mut()) {
            (true, Some(last)) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
        open ^= word.matches('`').count() % 2 == 1;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_laid_out_for_a_terminal() {
        let page = "## Looking\n\nRun `stead status now` and read [the guide](outage.md) or\n[power](../power.md).\n\n\
                    1. First\n2. Then:\n\n   ```console\n   $ true\n   ```\n\n| it | is |\n|---|---|\n| a | b c |\n";
        let text = render(&crate::blocks(page), 40);
        assert_eq!(
            text,
            "Looking\n-------\n\nRun `stead status now` and read the\nguide (`stead guide outage`) or power\n(docs/power.md).\n\n\
             1. First\n2. Then:\n\n       $ true\n\nit  is\na   b c\n"
        );
    }

    #[test]
    fn lines_of_prose_fit_whatever_the_width() {
        for guide in crate::all() {
            let blocks = crate::blocks(guide.page);
            let prose: Vec<Block> = blocks
                .into_iter()
                .filter(|block| matches!(block, Block::Text { .. }))
                .collect();
            for line in render(&prose, 80).lines() {
                let alone = pieces(line).len() == 1;
                assert!(
                    alone || line.chars().count() <= 80,
                    "{}: {line}",
                    guide.about.name
                );
            }
        }
    }
}
