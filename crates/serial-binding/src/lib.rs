//! Binds a directory object to a certificate serial number, and back.
//!
//! A serial number made here is always 20 octets, and its first octet, 0x10 to 0x3F, says how to read the others:
//!
//! | first octet | layout | made by |
//! |---|---|---|
//! | `0x1K` | v1 plain: an object of kind K, readable by anyone | [`PlainBinding`] |
//! | `0x2K` | v2 sealed: an object, encrypted under the key of id K | [`SealedBinding`] |
//! | `0x30` | v3 opaque: bound to nothing | [`opaque_serial`] |
//! | `0x40` to `0x7D` | SCEPman's, read and never made | [`ScepmanSerial`] |
//!
//! [`SerialBindings`] makes one of these and reads all that it is told to. `docs/serial-binding.md` gives every
//! layout bit by bit.
#![no_std]

extern crate alloc;

mod binding;
mod bindings;
mod ff1;
mod key;
mod kind;
mod object;
mod octets;
mod opaque;
mod plain;
mod scepman;
mod sealed;

pub use binding::{Resolution, SerialBinding};
pub use bindings::{KeyIdTaken, SerialBindings};
pub use key::{InvalidSerialKey, KeyId, SerialKey};
pub use kind::{ObjectKind, ObjectKinds, UnknownKind};
pub use object::{BoundObject, InvalidObject, InvalidObjectId, ObjectId};
pub use opaque::opaque_serial;
pub use plain::PlainBinding;
pub use scepman::{ScepmanKind, ScepmanSerial, ScepmanSerials};
pub use sealed::SealedBinding;
