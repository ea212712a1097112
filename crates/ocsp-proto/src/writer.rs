//! A DER encoder that writes back to front, so that every length is known when its header is due.

use alloc::vec::Vec;

/// What was written last stands first. Fields are therefore put in reverse order.
#[derive(Debug)]
pub(crate) struct BackWriter {
    buffer: Vec<u8>,
    start: usize,
}

impl BackWriter {
    /// Room for `capacity` octets; more is made when needed.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { buffer: alloc::vec![0; capacity], start: capacity }
    }

    /// Puts `octets` before everything put so far.
    pub(crate) fn put(&mut self, octets: &[u8]) {
        if octets.len() > self.start {
            self.grow(octets.len());
        }
        let from = self.start.saturating_sub(octets.len());
        if let Some(slot) = self.buffer.get_mut(from..self.start) {
            slot.copy_from_slice(octets);
            self.start = from;
        }
    }

    /// Puts an element of type `tag` and content `octets`.
    pub(crate) fn element(&mut self, tag: u8, octets: &[u8]) {
        self.put(octets);
        self.header(tag, octets.len());
    }

    /// Puts an element of type `tag` around what `content` puts.
    pub(crate) fn wrap(&mut self, tag: u8, content: impl FnOnce(&mut Self)) {
        let before = self.len();
        content(self);
        self.header(tag, self.len().saturating_sub(before));
    }

    /// What was put.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.buffer.drain(..self.start);
        self.buffer
    }

    fn len(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    fn header(&mut self, tag: u8, length: usize) {
        match u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes() {
            [0, 0, 0, low @ 0..=0x7F] => self.put(&[tag, low]),
            [0, 0, 0, low] => self.put(&[tag, 0x81, low]),
            [0, 0, middle, low] => self.put(&[tag, 0x82, middle, low]),
            [0, high, middle, low] => self.put(&[tag, 0x83, high, middle, low]),
            [top, high, middle, low] => self.put(&[tag, 0x84, top, high, middle, low]),
        }
    }

    fn grow(&mut self, needed: usize) {
        let more = needed.max(self.buffer.len());
        self.buffer.splice(..0, core::iter::repeat_n(0, more));
        self.start = self.start.saturating_add(more);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::{OCTET_STRING, Reader, SEQUENCE};

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            first in prop::collection::vec(any::<u8>(), 0..70_000),
            second in prop::collection::vec(any::<u8>(), 0..300),
            capacity in 0..1000_usize,
        ) {
            let mut writer = BackWriter::with_capacity(capacity);
            writer.wrap(SEQUENCE, |writer| {
                writer.element(OCTET_STRING, &second);
                writer.element(OCTET_STRING, &first);
            });
            let der = writer.finish();
            let mut reader = Reader::into(&der, SEQUENCE, "x").unwrap();
            prop_assert_eq!(reader.expect(OCTET_STRING).unwrap().value, &first[..]);
            prop_assert_eq!(reader.expect(OCTET_STRING).unwrap().value, &second[..]);
            prop_assert!(reader.is_empty());
        }
    }
}
