//! Conditions: an operator, a key, and values.

use super::json::Json;
use super::keys::Key;
use super::operator::{Operand, Operator};
use super::{PolicyError, Values, fault};

/// How many of a key's values must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    /// `ForAllValues:`; also holds where there are none.
    All,
    /// `ForAnyValue:`; does not hold where there are none.
    Any,
}

#[derive(Clone, Debug)]
pub(super) struct Condition {
    quantifier: Option<Quantifier>,
    operator: Operator,
    if_exists: bool,
    pub(super) key: Key,
    pub(super) operands: Vec<Operand>,
}

impl Condition {
    /// Whether it can only narrow what a statement is about: it holds for values that are named, and not
    /// where there is no value.
    pub(super) fn is_narrow(&self) -> bool {
        !self.if_exists
            && !self.operator.negated
            && !self.operator.is_null()
            && self.quantifier != Some(Quantifier::All)
    }

    /// Whether it holds.
    pub(super) fn holds(&self, values: &dyn Values) -> bool {
        let found = values.get(&self.key);
        if self.operator.is_null() {
            let absent = Operand::Bool(found.is_none());
            return self.operands.contains(&absent);
        }
        let one = |value: &String| self.one(value, values);
        match found {
            None if self.if_exists => true,
            None => match self.quantifier {
                Some(Quantifier::All) => true,
                Some(Quantifier::Any) => false,
                None => self.operator.negated,
            },
            Some(found) => match self.quantifier {
                Some(Quantifier::All) => found.iter().all(one),
                Some(Quantifier::Any) => found.iter().any(one),
                // Of several values, none may be what is ruled out.
                None if self.operator.negated => found.iter().all(one),
                None => found.iter().any(one),
            },
        }
    }

    /// Whether it holds for one value: the policy's values are alternatives.
    fn one(&self, value: &str, values: &dyn Values) -> bool {
        let mut operands = self.operands.iter();
        operands.any(|operand| self.operator.compares(value, operand, values)) != self.operator.negated
    }
}

/// Reads a `Condition` element.
pub(super) fn parse(element: Json, variables: bool) -> Result<Vec<Condition>, PolicyError> {
    let Json::Map(operators) = element else {
        return Err(fault("Invalid policy syntax: Condition is not an object."));
    };
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let (quantifier, operator, if_exists) =
            operator(&name).ok_or_else(|| fault(format!("Invalid Condition type : {name}")))?;
        let Json::Map(keys) = keys else {
            return Err(fault(format!("Invalid policy syntax: {name} is not an object.")));
        };
        if keys.is_empty() {
            return Err(fault(format!("Invalid policy syntax: {name} names no key.")));
        }
        for (key, wanted) in keys {
            let known = Key::parse(&key)
                .ok_or_else(|| fault(format!("Policy has an invalid condition key: {key}")))?;
            let wanted = wanted.scalars().ok_or_else(|| {
                fault(format!(
                    "Invalid policy syntax: {key} has no value that can be compared."
                ))
            })?;
            let operands = wanted.iter().map(|text| operator.operand(text, variables));
            conditions.push(Condition {
                quantifier,
                operator,
                if_exists,
                key: known,
                operands: operands.collect::<Result<_, _>>()?,
            });
        }
    }
    Ok(conditions)
}

/// Quantifier, operator, and whether it is `…IfExists`.
fn operator(name: &str) -> Option<(Option<Quantifier>, Operator, bool)> {
    let (quantifier, name) = match name.split_once(':') {
        Some(("ForAllValues", name)) => (Some(Quantifier::All), name),
        Some(("ForAnyValue", name)) => (Some(Quantifier::Any), name),
        Some(_) => return None,
        None => (None, name),
    };
    let (name, if_exists) = match name.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let operator = Operator::parse(name)?;
    // `Null` asks whether the key exists, of which there is nothing to say twice.
    (!operator.is_null() || (!if_exists && quantifier.is_none())).then_some((quantifier, operator, if_exists))
}
