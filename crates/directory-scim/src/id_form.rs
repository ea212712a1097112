//! Ids of a service as the 128 bits that a serial number has room for.

use serial_binding::ObjectId;

/// How a service writes its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdForm {
    /// As UUIDs.
    Uuid,
    /// As 1 to 21 letters and digits, such as Okta's `00u1ab2cd3EF4gh5I697`. They are read as a number to the base 62,
    /// after a leading 1 that keeps zeros in front; 21 of them are just below 2^126.
    Base62,
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MOST_DIGITS: usize = 21;

impl IdForm {
    /// The id as an object has it; `None` when it is not of this form.
    pub fn read(self, text: &str) -> Option<ObjectId> {
        match self {
            Self::Uuid => text.parse().ok().filter(|id| matches!(id, ObjectId::Uuid(_))),
            Self::Base62 => {
                if !(1..=MOST_DIGITS).contains(&text.len()) {
                    return None;
                }
                let number = text.bytes().try_fold(1u128, |number, digit| {
                    let digit = DIGITS.iter().position(|known| *known == digit)?;
                    number.checked_mul(62)?.checked_add(u128::try_from(digit).ok()?)
                });
                number.map(|number| ObjectId::Uuid(number.to_be_bytes()))
            }
        }
    }

    /// The id as the service has it; `None` for one that never was of this form.
    pub fn write(self, id: ObjectId) -> Option<String> {
        let ObjectId::Uuid(octets) = id else { return None };
        match self {
            Self::Uuid => Some(id.to_string()),
            Self::Base62 => {
                let mut number = u128::from_be_bytes(octets);
                let mut digits = Vec::with_capacity(MOST_DIGITS);
                while number > 1 {
                    let digit = usize::try_from(number.checked_rem(62)?).ok()?;
                    digits.push(char::from(*DIGITS.get(digit)?));
                    number = number.checked_div(62)?;
                }
                let is_whole = number == 1 && (1..=MOST_DIGITS).contains(&digits.len());
                is_whole.then(|| digits.iter().rev().collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back() {
        let uuid = "2819c223-7f76-453a-919d-413861904646";
        assert_eq!(IdForm::Uuid.write(IdForm::Uuid.read(uuid).unwrap()).as_deref(), Some(uuid));
        for id in
            ["00u1ab2cd3EF4gh5I697", "0", "00", "000000000000000000000", "zzzzzzzzzzzzzzzzzzzzz", "00uZ"]
        {
            let read = IdForm::Base62.read(id).unwrap();
            assert_eq!(IdForm::Base62.write(read).as_deref(), Some(id));
        }
        let different: std::collections::HashSet<_> =
            ["0", "00", "1", "10", "01"].into_iter().map(|id| IdForm::Base62.read(id).unwrap()).collect();
        assert_eq!(different.len(), 5);
    }

    #[test]
    fn what_is_no_id_is_none() {
        for id in ["", "0000000000000000000000", "a-b", "ü", "a/b", ".."] {
            assert_eq!(IdForm::Base62.read(id), None, "{id}");
        }
        for id in ["", "17", "00u1ab2cd3EF4gh5I697"] {
            assert_eq!(IdForm::Uuid.read(id), None, "{id}");
        }
        for id in [ObjectId::Number(1), ObjectId::Uuid([0; 16]), ObjectId::Uuid([255; 16])] {
            assert_eq!(IdForm::Base62.write(id), None, "{id}");
        }
        assert_eq!(IdForm::Uuid.write(ObjectId::Number(1)), None);
    }
}
