//! Name resolution that refuses addresses which are never upstreams, whatever a name was pointed at.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use keyward_core::address::AddressClass;
use tower_service::Service;

/// The system's resolver, filtered.
#[derive(Clone)]
pub(super) struct GuardedResolver {
    system: GaiResolver,
    block_private: bool,
}

impl GuardedResolver {
    pub(super) fn new(block_private: bool) -> Self {
        Self { system: GaiResolver::new(), block_private }
    }
}

impl Service<Name> for GuardedResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.system.call(name);
        let block_private = self.block_private;
        Box::pin(async move {
            let permitted = |address: &SocketAddr| match AddressClass::of(address.ip()) {
                AddressClass::Public => true,
                AddressClass::Private => !block_private,
                AddressClass::Forbidden => false,
            };
            let addresses: Vec<SocketAddr> = resolving.await?.filter(permitted).collect();
            match addresses.is_empty() {
                true => Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "the name has no address that may be an upstream",
                )),
                false => Ok(addresses.into_iter()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_points_at_this_machine_is_private() {
        let resolve = async |block_private| {
            let name: Name = "localhost".parse().unwrap();
            GuardedResolver::new(block_private).call(name).await.map(|mut addresses| addresses.next().is_some())
        };
        assert!(resolve(false).await.unwrap());
        assert_eq!(resolve(true).await.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
