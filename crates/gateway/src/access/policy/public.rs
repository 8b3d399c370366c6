//! Whether a policy lets everybody in, by S3's definition ("The meaning of public"): it does unless every
//! statement that allows names users, or fixed values of keys that tell who or where somebody is.

use super::condition::Condition;
use super::operator::Operand;
use super::principal::Principal;
use super::{Policy, Statement};

/// Keys whose fixed values keep a policy from being public.
const TELLING: &[&str] = &[
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIp",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:userid",
    "aws:username",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

impl Policy {
    /// Whether it lets everybody in.
    pub fn is_public(&self) -> bool {
        self.statements.iter().any(Statement::is_public)
    }
}

impl Statement {
    fn is_public(&self) -> bool {
        self.allows
            && (self.principals.not || self.principals.list.contains(&Principal::Everyone))
            && !self.conditions.iter().any(tells)
    }
}

/// Whether a condition lets in only whom its values name.
fn tells(condition: &Condition) -> bool {
    TELLING.contains(&condition.key.name)
        && condition.is_narrow()
        && condition.operands.iter().all(|operand| match operand {
            Operand::Text(pattern) => pattern.is_fixed(),
            Operand::Arn(patterns) => patterns.iter().all(|pattern| pattern.is_fixed()),
            Operand::Ip(network) => !network.is_wide(),
            _ => true,
        })
}
