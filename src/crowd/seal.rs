//! Open half-minutes, histories and nights on their way into the vault and out of it.

use super::night::{Night, Nights, Strengths};
use super::tags::Loudest;
use super::usual::Usuals;
use super::{Crowd, History};
use crate::pseudonym::Tag;
use crate::sealing::{Sealing, Unread, Unsealing};

impl Crowd {
    /// Puts all that is open in.
    pub fn seal(&self, into: &mut Sealing) {
        into.put(&(self.next, &self.histories, &self.usuals));
        into.put_all(self.open.iter(), |into, Loudest(tags)| {
            into.put_all(tags.iter(), |into, (tag, loud)| into.put(&(tag.0, loud)));
        });
        self.nights.seal(into);
    }

    /// Takes it out, into a lens that has heard nothing yet.
    ///
    /// # Errors
    /// When it does not read.
    pub fn unseal(&mut self, from: &mut Unsealing) -> Result<(), Unread> {
        let (histories, usuals): (Vec<History>, Usuals);
        (self.next, histories, usuals) = from.take()?;
        if histories.len() != self.histories.len() || !usuals.is_of(histories.len()) {
            return Err(from.unread());
        }
        (self.histories, self.usuals) = (histories, usuals);
        from.take_all(|from| {
            let mut set = Loudest::default();
            from.take_all(|from| {
                let (tag, loud) = from.take()?;
                set.0.insert(Tag(tag), loud);
                Ok::<_, Unread>(())
            })?;
            self.open.push_back(set);
            Ok::<_, Unread>(())
        })?;
        self.nights.unseal(from)
    }
}

impl Nights {
    fn seal(&self, into: &mut Sealing) {
        into.put(&self.threshold_dbm);
        into.put_all(self.past.iter(), |into, strengths| into.put(&strengths[..]));
        into.put_all(self.tonight.iter(), |into, tonight| {
            into.put(&(&tonight.strengths[..], tonight.halves))
        });
    }

    fn unseal(&mut self, from: &mut Unsealing) -> Result<(), Unread> {
        self.threshold_dbm = from.take()?;
        from.take_all(|from| {
            self.past.push_back(strengths(from.take()?, from)?);
            Ok::<_, Unread>(())
        })?;
        from.take_all(|from| {
            let (read, halves) = from.take()?;
            self.tonight = Some(Night { strengths: strengths(read, from)?, halves });
            Ok(())
        })
    }
}

fn strengths(read: Vec<u32>, from: &Unsealing) -> Result<Strengths, Unread> {
    read.into_boxed_slice().try_into().map_err(|_| from.unread())
}
