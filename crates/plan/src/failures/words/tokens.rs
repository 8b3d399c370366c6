//! A text as clauses of words.

/// A word, or a name in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// As typed, without quotes.
    pub text: String,
    /// Whether it was in quotes, so that it is a name.
    pub quoted: bool,
}

impl Token {
    fn is(&self, word: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(word)
    }
}

/// The words of a text: apart by spaces, with `,`, `;` and `&` as words of their own.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let push = |word: &mut String, tokens: &mut Vec<Token>| {
        let text = std::mem::take(word);
        let text = text.trim_end_matches(['.', '!', '?']);
        if !text.is_empty() {
            let text = text.to_owned();
            tokens.push(Token { text, quoted: false });
        }
    };
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let closing = match letter {
            '"' => Some('"'),
            '“' => Some('”'),
            '`' => Some('`'),
            _ => None,
        };
        if let Some(closing) = closing {
            push(&mut word, &mut tokens);
            let text = letters.by_ref().take_while(|letter| *letter != closing).collect();
            tokens.push(Token { text, quoted: true });
        } else if letter.is_whitespace() {
            push(&mut word, &mut tokens);
        } else if matches!(letter, ',' | ';' | '&') {
            push(&mut word, &mut tokens);
            tokens.push(Token {
                text: letter.to_string(),
                quoted: false,
            });
        } else {
            word.push(letter);
        }
    }
    push(&mut word, &mut tokens);
    tokens
}

/// Clauses: what stands between commas and `and`, but for the `and` of `between a and b`.
pub(super) fn clauses(text: &str) -> Vec<Vec<Token>> {
    let mut clauses = vec![Vec::new()];
    let mut between = false;
    for token in tokens(text) {
        let and = ["and", "plus", "then"].iter().any(|word| token.is(word));
        let stop = and || [",", ";", "&"].iter().any(|word| token.is(word));
        if stop && and && between {
            between = false;
        } else if stop {
            clauses.push(Vec::new());
            between = false;
        } else {
            between |= token.is("between");
            if let Some(clause) = clauses.last_mut() {
                clause.push(token);
            }
        }
    }
    clauses.retain(|clause| !clause.is_empty());
    clauses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_told_apart() {
        let said = |text: &str| {
            let clauses = clauses(text).into_iter();
            let words = |clause: Vec<Token>| clause.into_iter().map(|token| token.text).collect::<Vec<_>>();
            clauses.map(words).collect::<Vec<_>>()
        };
        assert_eq!(said("a and b, c die."), [vec!["a"], vec!["b"], vec!["c", "die"]]);
        assert_eq!(said("between a and b and c")[0], ["between", "a", "b"]);
        assert_eq!(said("\"my and node\" off"), [["my and node", "off"]]);
        assert_eq!(said(" ,and,, "), Vec::<Vec<String>>::new());
    }
}
