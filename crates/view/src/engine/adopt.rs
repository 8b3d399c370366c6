//! Taking over what another node has applied: its lines, folded here.
//!
//! A node that was away longer than the write-ahead log reaches back, or that is new, is brought up to date this
//! way: the lines are the truth, so nothing else is needed. Nothing of it is durable before all of it is: whoever
//! crashes within begins again from where it was.

use super::Core;
use crate::database;
use crate::error::ViewError;
use crate::projection::Projections;
use crate::tables::Tables;
use bytes::Bytes;
use redb::Durability;
use stead_event::Tenant;
use stead_log::{MachineError, Marker, NextLines};

impl Core {
    /// Takes lines over, and the marker that goes with them.
    pub(super) fn adopt(&mut self, next: NextLines<'_>, marker: Marker) -> Result<(), ViewError> {
        self.ready()?;
        let taken = self.take_over(next, marker);
        if let Err(error) = &taken {
            // Lines without their marker: a checkpoint must not make them durable.
            self.broken = Some(format!("taking over another node's log failed: {error}"));
        }
        taken
    }

    fn take_over(&mut self, next: NextLines<'_>, marker: Marker) -> Result<(), ViewError> {
        loop {
            match next() {
                Ok(Some((tenant, lines))) => self.adopt_lines(&tenant, &lines)?,
                Ok(None) => break,
                Err(MachineError::Damaged(why)) => return Err(ViewError::Diverged(why)),
                Err(error) => {
                    return Err(ViewError::Io {
                        what: "take over another node's log".into(),
                        source: std::io::Error::other(error.to_string()),
                    });
                }
            }
        }
        self.marker = marker;
        let database = self.shared.database()?;
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::None)?;
        database::set_marker(&mut Tables::open(&transaction)?, &self.marker)?;
        transaction.commit()?;
        drop(database);
        self.shared.count_configured();
        self.checkpoint().map(drop)
    }

    fn adopt_lines(&mut self, tenant: &Tenant, lines: &[Bytes]) -> Result<(), ViewError> {
        let database = self.shared.database()?;
        let writer = self.writer(tenant)?;
        let mut events = Vec::with_capacity(lines.len());
        for line in lines {
            events.push(writer.push_line(line).map_err(ViewError::log(tenant))?);
        }
        writer.flush().map_err(ViewError::log(tenant))?;
        let (head, point) = (writer.head(), writer.point());
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::None)?;
        {
            let mut tables = Tables::open(&transaction)?;
            let mut projections = Projections::default();
            for event in &events {
                projections.fold(&mut tables, tenant, event)?;
            }
            projections.finish(&mut tables)?;
            database::set_point(&mut tables, tenant, &point)?;
        }
        transaction.commit()?;
        self.shared.tail.publish(tenant, head);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::testing::{create, marker, open};
    use bytes::Bytes;
    use stead_event::Tenant;
    use stead_log::{Machine, MachineError, Tail};

    /// Lines of `main` in `tail` after a position, a few at a time.
    fn lines(
        tail: &Tail,
        mut after: u64,
    ) -> impl FnMut() -> Result<Option<(Tenant, Vec<Bytes>)>, MachineError> {
        let tail = tail.clone();
        move || {
            let lines = tail.read(&Tenant::main(), after + 1, 7).unwrap();
            after += lines.len() as u64;
            let bytes: Vec<Bytes> = lines.into_iter().map(|line| line.bytes).collect();
            Ok((!bytes.is_empty()).then(|| (Tenant::main(), bytes)))
        }
    }

    #[test]
    fn what_is_taken_over_is_what_the_other_has_and_goes_on_with_it() {
        let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (mut first, first_views, first_tail) = open(one.path(), "aa");
        let (mut second, second_views, second_tail) = open(two.path(), "bb");
        for number in 1..=40 {
            first.apply(vec![create(number)]).unwrap();
            if number <= 3 {
                second.apply(vec![create(number)]).unwrap();
            }
        }
        second.adopt(&mut lines(&first_tail, 3), marker(40)).unwrap();
        assert_eq!(second.applied(), marker(40));
        assert_eq!(second.heads(), first.heads());
        for engine in [&mut first, &mut second] {
            engine.apply(vec![create(41)]).unwrap();
        }
        let main = Tenant::main();
        assert_eq!(second_tail.head(&main), first_tail.head(&main));
        assert_eq!(
            second_views.dump_hash().unwrap(),
            first_views.dump_hash().unwrap()
        );
        assert_eq!(second_views.names().unwrap().buckets().unwrap().len(), 41);
    }

    #[test]
    fn lines_that_do_not_follow_are_refused_and_leave_nothing_behind() {
        let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (mut first, _, first_tail) = open(one.path(), "aa");
        for number in 1..=20 {
            first.apply(vec![create(number)]).unwrap();
        }
        let (mut second, views, _) = open(two.path(), "bb");
        second.apply(vec![create(1)]).unwrap();
        second.checkpoint().unwrap();
        // The first chunk follows; then one is left out.
        let mut from = lines(&first_tail, 1);
        let mut count = 0;
        let mut gap = || {
            count += 1;
            if count == 2 {
                from()?;
            }
            from()
        };
        assert!(second.adopt(&mut gap, marker(20)).is_err());
        assert!(
            second.apply(vec![create(2)]).is_err(),
            "it must be opened again first"
        );
        drop((second, views));
        let (second, views, tail) = open(two.path(), "bb");
        assert_eq!(second.applied(), marker(1));
        assert_eq!(tail.head(&Tenant::main()).seq, 1);
        assert_eq!(views.names().unwrap().buckets().unwrap().len(), 1);
    }
}
