//! Counts open connections, all together and by address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for connections.
#[derive(Debug)]
pub(crate) struct Slots {
    all: Arc<Semaphore>,
    by_source: Arc<BySource>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    source: IpAddr,
    by_source: Arc<BySource>,
}

#[derive(Debug)]
struct BySource {
    limit: Option<usize>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Slots {
    pub(crate) fn new(all: usize, per_ip: Option<usize>) -> Self {
        let all = Arc::new(Semaphore::new(all.clamp(1, Semaphore::MAX_PERMITS)));
        Self { all, by_source: Arc::new(BySource { limit: per_ip, open: Mutex::default() }) }
    }

    /// Waits until another connection may be accepted at all.
    pub(crate) async fn room(&self) -> OwnedSemaphorePermit {
        match Arc::clone(&self.all).acquire_owned().await {
            Ok(permit) => permit,
            // Only of a closed semaphore, and nobody closes this one.
            Err(_) => std::future::pending().await,
        }
    }

    /// Takes the place of a connection from `address`; `None` when that address has as many as it may.
    pub(crate) fn take(&self, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<Slot> {
        let source = source_of(address);
        let by_source = Arc::clone(&self.by_source);
        by_source.enter(source).then_some(Slot { _permit: permit, source, by_source })
    }
}

impl BySource {
    fn enter(&self, source: IpAddr) -> bool {
        let Some(limit) = self.limit else { return true };
        let mut open = self.open();
        let count = open.entry(source).or_default();
        if *count >= limit {
            return false;
        }
        *count = count.saturating_add(1);
        true
    }

    fn leave(&self, source: IpAddr) {
        let mut open = self.open();
        if let Some(count) = open.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&source);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.by_source.leave(self.source);
    }
}

/// What counts as one source: an IPv4 address, however written, or the /64 that one IPv6 customer has.
pub fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_gets_its_share_and_gets_it_back() {
        let slots = Slots::new(8, Some(1));
        let address = "2001:db8::1".parse().unwrap();
        let neighbor = "2001:db8::2".parse().unwrap();
        let other = "::ffff:192.0.2.1".parse().unwrap();
        let first = slots.take(slots.room().await, address);
        assert!(first.is_some());
        assert!(slots.take(slots.room().await, neighbor).is_none(), "same /64");
        let second = slots.take(slots.room().await, other);
        assert!(second.is_some());
        assert!(slots.take(slots.room().await, "192.0.2.1".parse().unwrap()).is_none(), "mapped address");
        drop((first, second));
        assert!(slots.by_source.open().is_empty(), "nothing is kept for sources that left");
        assert!(slots.take(slots.room().await, address).is_some());
    }
}
