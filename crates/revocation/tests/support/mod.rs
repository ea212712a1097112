//! What the tests of revocation share: a clock to set, a future driven by hand, certificates by number.
#![allow(dead_code, unreachable_pub, reason = "not every test file uses all of it")]

use std::{
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, Waker},
};

use pki_core::{CertRef, Clock, IssuerId, SerialNumber, UnixTime};

/// Stands where it is put.
#[derive(Debug)]
pub struct SetClock(AtomicU64);

impl SetClock {
    pub fn at(seconds: u64) -> Self {
        Self(AtomicU64::new(seconds))
    }

    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

/// Polls until ready; a future that is never ready fails the test.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("still pending");
}

pub fn certificate(serial: u8) -> CertRef {
    CertRef { issuer: IssuerId::from_bytes([1; 32]), serial: SerialNumber::from_be_bytes(&[serial]).unwrap() }
}
