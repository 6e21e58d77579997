//! Why a request to the admin API gets no more than a problem document.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{Response, StatusCode};

use super::super::answer;
use crate::control::{Busy, DistrustError};

/// What is wrong with a request, or with the moment at which it came.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    detail: Cow<'static, str>,
    field: Option<(HeaderName, Cow<'static, str>)>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            field: None,
        }
    }

    /// A body that makes no sense.
    pub(super) fn bad(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A moment that will pass.
    pub(super) fn later(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, "1")
    }

    /// The same fault, whose answer has this field too.
    pub(super) fn with(mut self, name: HeaderName, value: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some((name, value.into()));
        self
    }
}

impl From<Busy> for Fault {
    fn from(busy: Busy) -> Self {
        Self::later(busy.to_string())
    }
}

impl From<DistrustError> for Fault {
    fn from(error: DistrustError) -> Self {
        let status = match error {
            DistrustError::IssuerUnknown => StatusCode::UNPROCESSABLE_ENTITY,
            DistrustError::Full | DistrustError::NotKept => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Fault> for Response<Bytes> {
    fn from(fault: Fault) -> Self {
        let mut response = answer::problem(fault.status, &fault.detail);
        if let Some((name, value)) = fault.field {
            answer::put(&mut response, name, &value);
        }
        response
    }
}
