//! What a route demands of its caller, and whether a set of products meets it.

use std::fmt;

use crate::principal::{Entitlement, Entitlements};

/// What a route demands of its caller. Absent means deny: there is no default value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing: the token is not looked at. Written out as `access = "public"`.
    Public,
    /// A verified token, whatever its products. Written out as `access = "authenticated"`.
    Authenticated,
    /// A verified token with every one of these products; never empty.
    AllOf(Vec<Entitlement>),
    /// A verified token with at least one of these products; never empty.
    AnyOf(Vec<Entitlement>),
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |products: &[Entitlement]| {
            products
                .iter()
                .map(Entitlement::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Self::Public => f.write_str("public: no token is looked at"),
            Self::Authenticated => f.write_str("any verified token"),
            Self::AllOf(products) => write!(f, "all of {}", list(products)),
            Self::AnyOf(products) => write!(f, "any of {}", list(products)),
        }
    }
}

impl Requirement {
    /// Whether `held` meets it.
    ///
    /// # Errors
    /// The first product that is missing; of an `AnyOf`, the first one named.
    pub fn met_by(&self, held: &Entitlements) -> Result<(), &Entitlement> {
        match self {
            Self::Public | Self::Authenticated => Ok(()),
            Self::AllOf(all) => all
                .iter()
                .find(|product| !held.contains(product))
                .map_or(Ok(()), Err),
            Self::AnyOf(any) if any.iter().any(|product| held.contains(product)) => Ok(()),
            Self::AnyOf(any) => Err(any
                .first()
                .expect("an any_product list has a first element")),
        }
    }

    /// The access word of the configuration.
    pub fn access(&self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Authenticated => "authenticated",
            Self::AllOf(_) | Self::AnyOf(_) => "entitled",
        }
    }

    /// The product that a metric shows: the one, or the first of several.
    pub fn product(&self) -> Option<&Entitlement> {
        match self {
            Self::Public | Self::Authenticated => None,
            Self::AllOf(products) | Self::AnyOf(products) => products.first(),
        }
    }
}
