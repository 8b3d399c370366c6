//! HTML text, put together of pieces.

pub(super) use super::super::svg::escape;

/// A page that is being written.
#[derive(Default)]
pub(super) struct Html(pub(super) String);

impl Html {
    /// HTML of ours. What comes from outside goes through [`escape`] first.
    pub(super) fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }

    /// An element with a text; a name in it does not turn what is beside it.
    pub(super) fn element(&mut self, tag: &str, text: &str) {
        self.0
            .push_str(&format!("<{tag}><bdi>{}</bdi></{tag}>\n", escape(text)));
    }
}
