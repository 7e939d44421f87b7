//! Request ids: minted here for every request, never taken from a client, since the ledger is unique on them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::RequestId;
use uuid::Uuid;

use crate::error::ApiError;

/// The id of the request that is being served.
#[derive(Debug, Clone)]
pub(crate) struct RequestIdentity(RequestId);

impl RequestIdentity {
    pub(crate) fn mint() -> Self {
        Self(Uuid::now_v7().into())
    }

    /// The id of a request, which its envelope gave it.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let identity = request.extensions().get::<Self>().cloned();
        identity.ok_or_else(|| ApiError::new(ErrorCode::Internal, "The request has no id"))
    }

    pub(crate) const fn id(&self) -> &RequestId {
        &self.0
    }
}

impl FromRequest for RequestIdentity {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
