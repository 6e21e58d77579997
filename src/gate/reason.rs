//! The closed list of why not: the same word in body, metric, log, `explain` and README.

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Not HTTP as the RFCs have it.
    RequestMalformed,
    /// It could be read two ways.
    RequestAmbiguous,
    /// A head over the listener's limit.
    HeadersTooLarge,
    /// A body over the listener's limit.
    BodyTooLarge,
    /// The client was too slow.
    RequestTimeout,
    /// No route has this host and path.
    RouteUnknown,
    /// The path is known, the method is not.
    MethodRefused,
    /// No Bearer token where one is needed.
    TokenMissing,
    /// A token over 8 KiB.
    TokenOversized,
    /// Not a JWS that this house reads.
    TokenMalformed,
    /// `typ` is not one of the issuer's.
    TokenTypeRefused,
    /// `iss` is nobody's.
    IssuerUnknown,
    /// `alg` is not this issuer's or not this key's.
    AlgorithmRefused,
    /// No such key.
    KeyUnknown,
    /// No usable key of that issuer at all.
    IssuerUnavailable,
    /// The signature does not verify.
    SignatureInvalid,
    /// A claim is missing or has the wrong type or value.
    ClaimInvalid,
    /// `exp` is over.
    TokenExpired,
    /// `nbf` or `iat` lies ahead.
    TokenNotYetValid,
    /// It would live longer than the operator allows.
    TokenLifetimeExceeded,
    /// `aud` names somebody else.
    AudienceMismatch,
    /// Session, subject, client, tenant, token or key was revoked, or what the subject may use has changed.
    TokenRevoked,
    /// The token lacks the product.
    ProductMissing,
    /// The token lacks a scope.
    ScopeMissing,
    /// The token's tenant is not the path's.
    TenantMismatch,
    /// Too many requests.
    RateLimited,
    /// More than this gate can take, or it stops.
    Overloaded,
    /// No server of the upstream answered.
    UpstreamUnavailable,
    /// The upstream was too slow.
    UpstreamTimeout,
}

impl Reason {
    /// Every reason, in the order in which they are checked.
    pub const ALL: [Self; 29] = [
        Self::RequestMalformed,
        Self::RequestAmbiguous,
        Self::HeadersTooLarge,
        Self::BodyTooLarge,
        Self::RequestTimeout,
        Self::RouteUnknown,
        Self::MethodRefused,
        Self::TokenMissing,
        Self::TokenOversized,
        Self::TokenMalformed,
        Self::TokenTypeRefused,
        Self::IssuerUnknown,
        Self::AlgorithmRefused,
        Self::KeyUnknown,
        Self::IssuerUnavailable,
        Self::SignatureInvalid,
        Self::ClaimInvalid,
        Self::TokenExpired,
        Self::TokenNotYetValid,
        Self::TokenLifetimeExceeded,
        Self::AudienceMismatch,
        Self::TokenRevoked,
        Self::ProductMissing,
        Self::ScopeMissing,
        Self::TenantMismatch,
        Self::RateLimited,
        Self::Overloaded,
        Self::UpstreamUnavailable,
        Self::UpstreamTimeout,
    ];

    /// The one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestMalformed => "request_malformed",
            Self::RequestAmbiguous => "request_ambiguous",
            Self::HeadersTooLarge => "headers_too_large",
            Self::BodyTooLarge => "body_too_large",
            Self::RequestTimeout => "request_timeout",
            Self::RouteUnknown => "route_unknown",
            Self::MethodRefused => "method_refused",
            Self::TokenMissing => "token_missing",
            Self::TokenOversized => "token_oversized",
            Self::TokenMalformed => "token_malformed",
            Self::TokenTypeRefused => "token_type_refused",
            Self::IssuerUnknown => "issuer_unknown",
            Self::AlgorithmRefused => "algorithm_refused",
            Self::KeyUnknown => "key_unknown",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::SignatureInvalid => "signature_invalid",
            Self::ClaimInvalid => "claim_invalid",
            Self::TokenExpired => "token_expired",
            Self::TokenNotYetValid => "token_not_yet_valid",
            Self::TokenLifetimeExceeded => "token_lifetime_exceeded",
            Self::AudienceMismatch => "audience_mismatch",
            Self::TokenRevoked => "token_revoked",
            Self::ProductMissing => "product_missing",
            Self::ScopeMissing => "scope_missing",
            Self::TenantMismatch => "tenant_mismatch",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::UpstreamUnavailable => "upstream_unavailable",
            Self::UpstreamTimeout => "upstream_timeout",
        }
    }

    /// Whether a route in shadow mode lets it pass: what token and policy refuse, but never a revocation.
    pub const fn is_shadowed(self) -> bool {
        matches!(
            self,
            Self::TokenMissing
                | Self::TokenOversized
                | Self::TokenMalformed
                | Self::TokenTypeRefused
                | Self::IssuerUnknown
                | Self::AlgorithmRefused
                | Self::KeyUnknown
                | Self::IssuerUnavailable
                | Self::SignatureInvalid
                | Self::ClaimInvalid
                | Self::TokenExpired
                | Self::TokenNotYetValid
                | Self::TokenLifetimeExceeded
                | Self::AudienceMismatch
                | Self::ProductMissing
                | Self::ScopeMissing
                | Self::TenantMismatch
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn all_lists_every_reason_once_and_in_order() {
        assert!(Reason::ALL.is_sorted());
        assert!(Reason::ALL.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(
            Reason::ALL.last().map(|reason| *reason as usize + 1),
            Some(Reason::ALL.len())
        );
    }
}
