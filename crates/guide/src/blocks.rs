//! A page as blocks: what a terminal and a console lay out, without markup that either would have to trust.
//!
//! Promises: raw HTML comes out as the text that it is. Links to other guides become `guide:NAME`, links to other
//! documents their path from the root.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use stead_client::wire::{GuideBlock as Block, GuideSpan as Span};

/// The info string of a block whose commands a test runs.
const RUN: &str = "console run";

/// The blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut reader = Reader {
        events: Parser::new_ext(page, Options::ENABLE_TABLES).collect(),
        at: 0,
    };
    reader.blocks()
}

struct Reader<'a> {
    events: Vec<Event<'a>>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Event<'a>> {
        let event = self.events.get(self.at).cloned();
        self.at += 1;
        event
    }

    /// Blocks until the end of what they are in.
    fn blocks(&mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        while let Some(event) = self.next() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => blocks.push(Block::Heading {
                    level: level as u8,
                    spans: self.spans(),
                }),
                Event::Start(Tag::Paragraph | Tag::HtmlBlock) => {
                    blocks.push(Block::Text { spans: self.spans() });
                }
                Event::Start(Tag::CodeBlock(kind)) => blocks.push(self.code(&kind)),
                Event::Start(Tag::List(first)) => blocks.push(Block::List {
                    ordered: first.is_some(),
                    items: self.items(),
                }),
                Event::Start(Tag::Table(_)) => blocks.push(self.table()),
                Event::Start(_) => blocks.extend(self.blocks()),
                Event::End(_) => break,
                // Text that is directly in an item of a tight list.
                _ => {
                    self.at -= 1;
                    blocks.push(Block::Text { spans: self.spans() });
                }
            }
        }
        blocks
    }

    fn code(&mut self, kind: &CodeBlockKind<'_>) -> Block {
        let mut text = String::new();
        while let Some(event) = self.next() {
            match event {
                Event::Text(more) => text.push_str(&more),
                _ => break,
            }
        }
        let run = matches!(kind, CodeBlockKind::Fenced(info) if info.starts_with(RUN));
        Block::Code {
            text: text.trim_end().to_owned(),
            run,
        }
    }

    fn items(&mut self) -> Vec<Vec<Block>> {
        let mut items = Vec::new();
        while let Some(Event::Start(Tag::Item)) = self.next() {
            items.push(self.blocks());
        }
        items
    }

    fn table(&mut self) -> Block {
        let (mut head, mut rows) = (Vec::new(), Vec::new());
        while let Some(event) = self.next() {
            match event {
                Event::Start(Tag::TableHead) => head = self.cells(),
                Event::Start(Tag::TableRow) => rows.push(self.cells()),
                _ => break,
            }
        }
        Block::Table { head, rows }
    }

    fn cells(&mut self) -> Vec<Vec<Span>> {
        let mut cells = Vec::new();
        while let Some(Event::Start(Tag::TableCell)) = self.next() {
            cells.push(self.spans());
        }
        cells
    }

    /// Spans until the end of the block that they are in. A block that begins in between is left to be read.
    fn spans(&mut self) -> Vec<Span> {
        let mut spans = Vec::new();
        while let Some(event) = self.next() {
            match event {
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => plain(&mut spans, &text),
                Event::Code(code) => spans.push(Span::Code {
                    text: code.into_string(),
                }),
                Event::SoftBreak | Event::HardBreak => plain(&mut spans, " "),
                Event::Start(Tag::Strong | Tag::Emphasis) => spans.push(Span::Strong {
                    text: words(&self.spans()),
                }),
                Event::Start(Tag::Link { dest_url, .. }) => spans.push(Span::Link {
                    text: words(&self.spans()),
                    to: target(&dest_url),
                }),
                Event::Start(_) => {
                    self.at -= 1;
                    break;
                }
                Event::End(TagEnd::Item) => {
                    // A tight item's text ends with the item, which `blocks` has to see as well.
                    self.at -= 1;
                    break;
                }
                Event::End(_) => break,
                _ => {}
            }
        }
        spans
    }
}

fn plain(spans: &mut Vec<Span>, more: &str) {
    match spans.last_mut() {
        Some(Span::Plain { text }) => text.push_str(more),
        _ => spans.push(Span::Plain {
            text: more.to_owned(),
        }),
    }
}

/// The words of spans alone.
pub(crate) fn words(spans: &[Span]) -> String {
    let text = |span: &Span| match span {
        Span::Plain { text } | Span::Strong { text } | Span::Code { text } | Span::Link { text, .. } => {
            text.clone()
        }
    };
    spans.iter().map(text).collect()
}

fn target(to: &str) -> String {
    match (to.strip_prefix("../"), to.strip_suffix(".md")) {
        (Some(rest), _) if !rest.starts_with("../") => format!("docs/{rest}"),
        (None, Some(name)) if !name.contains(['/', ':']) => format!("guide:{name}"),
        _ => to.trim_start_matches("../").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<Span> {
        vec![Span::Plain {
            text: text.to_owned(),
        }]
    }

    fn paragraph(text: &str) -> Block {
        Block::Text { spans: said(text) }
    }

    #[test]
    fn a_page_comes_apart_into_what_it_is_made_of() {
        let page = "Two\nlines.\n\n## A *head*\n\n```console run\n$ true\n```\n\n1. one\n2. two\n\n   ```console\n   $ no\n   ```\n\n\
                    | A | B |\n|---|---|\n| `x` | [y](outage.md) |\n\nEnd.\n";
        let blocks = blocks(page);
        assert_eq!(blocks[0], paragraph("Two lines."));
        assert!(matches!(&blocks[1], Block::Heading { level: 2, spans } if words(spans) == "A head"));
        assert_eq!(
            blocks[2],
            Block::Code {
                text: "$ true".into(),
                run: true
            }
        );
        let Block::List { ordered: true, items } = &blocks[3] else {
            panic!("{:?}", blocks[3]);
        };
        assert_eq!(items[0], [paragraph("one")]);
        assert!(matches!(items[1].as_slice(), [_, Block::Code { run: false, .. }]));
        let Block::Table { head, rows } = &blocks[4] else {
            panic!("{:?}", blocks[4]);
        };
        assert_eq!((head.len(), rows.len()), (2, 1));
        assert!(matches!(&rows[0][1][0], Span::Link { to, .. } if to == "guide:outage"));
        assert_eq!(blocks[5], paragraph("End."));
        assert_eq!(blocks.len(), 6);
    }

    #[test]
    fn tight_lists_with_code_and_lists_in_lists_keep_their_places() {
        let blocks = blocks("- a `b` c\n- d\n  - e\n- f\n\nend\n");
        let Block::List {
            ordered: false,
            items,
        } = &blocks[0]
        else {
            panic!("{blocks:?}");
        };
        assert_eq!(items.len(), 3);
        assert!(matches!(
            items[1].as_slice(),
            [Block::Text { .. }, Block::List { .. }]
        ));
        assert_eq!(items[2], [paragraph("f")]);
        assert_eq!(blocks[1], paragraph("end"));
    }

    #[test]
    fn markup_is_text_and_links_are_ours() {
        assert_eq!(
            blocks("a <script>alert(1)</script> b"),
            [paragraph("a <script>alert(1)</script> b")]
        );
        assert!(
            matches!(&blocks("<b>x</b>")[..], [Block::Text { spans }] if words(spans).starts_with("<b>"))
        );
        assert_eq!(target("../power.md#in-a-node"), "docs/power.md#in-a-node");
        assert_eq!(target("https://example.org/x.md"), "https://example.org/x.md");
        assert_eq!(target("../../README.md"), "README.md");
    }
}
