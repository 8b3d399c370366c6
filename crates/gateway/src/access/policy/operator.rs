//! Condition operators: what each compares, and how.

use super::date::moment;
use super::net::Network;
use super::pattern::{Pattern, Syntax};
use super::{PolicyError, Values, fault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::cmp::Ordering;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text { ignore_case: bool, like: bool },
    Number,
    Date,
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

/// An operator, without `IfExists` and `ForAllValues:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    kind: Kind,
    /// How the request's value lies to the policy's (numbers and dates).
    order: Order,
    /// Whether it holds where the comparison does not.
    pub(super) negated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A value that a policy compares with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Text(Pattern),
    Arn(Vec<Pattern>),
    Number(f64),
    Date(i64),
    Bool(bool),
    Binary(Vec<u8>),
    Ip(Network),
}

/// `StringEquals` and its like: kind and rest of the name.
const KINDS: &[(&str, Kind)] = &[
    (
        "String",
        Kind::Text {
            ignore_case: false,
            like: false,
        },
    ),
    ("Numeric", Kind::Number),
    ("Date", Kind::Date),
    ("Arn", Kind::Arn),
];

impl Operator {
    /// By its name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let plain = |kind, negated| {
            Some(Self {
                kind,
                order: Order::Equal,
                negated,
            })
        };
        match name {
            "Bool" => return plain(Kind::Bool, false),
            "Null" => return plain(Kind::Null, false),
            "BinaryEquals" => return plain(Kind::Binary, false),
            "IpAddress" => return plain(Kind::Ip, false),
            "NotIpAddress" => return plain(Kind::Ip, true),
            _ => {}
        }
        let (prefix, kind) = KINDS.iter().find(|(prefix, _)| name.starts_with(prefix))?;
        let rest = &name[prefix.len()..];
        match kind {
            Kind::Text { .. } => Self::text(rest),
            Kind::Arn => match rest {
                "Equals" | "Like" => plain(Kind::Arn, false),
                "NotEquals" | "NotLike" => plain(Kind::Arn, true),
                _ => None,
            },
            kind => Self::ordered(*kind, rest),
        }
    }

    fn text(rest: &str) -> Option<Self> {
        let (rest, negated) = match rest.strip_prefix("Not") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (ignore_case, like) = match rest {
            "Equals" => (false, false),
            "EqualsIgnoreCase" => (true, false),
            "Like" => (false, true),
            _ => return None,
        };
        Some(Self {
            kind: Kind::Text { ignore_case, like },
            order: Order::Equal,
            negated,
        })
    }

    fn ordered(kind: Kind, rest: &str) -> Option<Self> {
        let order = match rest {
            "Equals" | "NotEquals" => Order::Equal,
            "LessThan" => Order::Less,
            "LessThanEquals" => Order::LessOrEqual,
            "GreaterThan" => Order::Greater,
            "GreaterThanEquals" => Order::GreaterOrEqual,
            _ => return None,
        };
        Some(Self {
            kind,
            order,
            negated: rest == "NotEquals",
        })
    }

    /// Whether it asks only whether the key is there.
    pub(super) fn is_null(self) -> bool {
        self.kind == Kind::Null
    }

    /// A value that it can compare with.
    pub(super) fn operand(self, text: &str, variables: bool) -> Result<Operand, PolicyError> {
        let wrong = || fault(format!("The condition value {text:?} does not fit its operator."));
        let pattern = |text: &str, wildcards| Pattern::parse(text, Syntax { wildcards, variables });
        Ok(match self.kind {
            Kind::Text { like, .. } => Operand::Text(pattern(text, like)?),
            Kind::Arn => {
                let parts = arn(text).ok_or_else(wrong)?;
                Operand::Arn(
                    parts
                        .iter()
                        .map(|part| pattern(part, true))
                        .collect::<Result<_, _>>()?,
                )
            }
            Kind::Number => Operand::Number(
                text.parse()
                    .ok()
                    .filter(|n: &f64| n.is_finite())
                    .ok_or_else(wrong)?,
            ),
            Kind::Date => Operand::Date(moment(text).ok_or_else(wrong)?),
            Kind::Bool | Kind::Null => Operand::Bool(truth(text).ok_or_else(wrong)?),
            Kind::Binary => Operand::Binary(BASE64.decode(text).map_err(|_| wrong())?),
            Kind::Ip => Operand::Ip(Network::parse(text).ok_or_else(wrong)?),
        })
    }

    /// Whether a value of the request compares so with a value of the policy, before negation. A value that
    /// is not of the operator's kind does not.
    pub(super) fn compares(self, found: &str, operand: &Operand, values: &dyn Values) -> bool {
        let ignore_case = matches!(
            self.kind,
            Kind::Text {
                ignore_case: true,
                ..
            }
        );
        match operand {
            Operand::Text(pattern) => pattern.matches(found, values, ignore_case),
            Operand::Arn(patterns) => arn(found).is_some_and(|parts| {
                let mut pairs = patterns.iter().zip(parts);
                pairs.all(|(pattern, part)| pattern.matches(part, values, false))
            }),
            Operand::Number(wanted) => found
                .parse::<f64>()
                .ok()
                .and_then(|found| found.partial_cmp(wanted))
                .is_some_and(|ordering| self.order.holds(ordering)),
            Operand::Date(wanted) => moment(found).is_some_and(|found| self.order.holds(found.cmp(wanted))),
            Operand::Bool(wanted) => truth(found) == Some(*wanted),
            Operand::Binary(wanted) => BASE64.decode(found).is_ok_and(|found| found == *wanted),
            Operand::Ip(network) => found.parse().is_ok_and(|found| network.has(found)),
        }
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The six parts of an ARN; the last may have colons.
fn arn(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    (parts.len() == 6 && parts[0] == "arn").then_some(parts)
}
