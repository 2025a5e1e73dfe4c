//! Channels, locks and the like in a snapshot: what is waited on, or might be, and by whom.

use waterway_snapshot::{
    Channel, Holder, Lock, LockKind, ObjectId, ObjectKind, Other, Semaphore, Snapshot, Target,
    WaitGroup, Who,
};

use crate::rt::header::{CoreKind, Seen};
use crate::rt::objects;
use crate::rt::peek::Peek;
use crate::rt::record::WaitReason;

/// What is waited on, and what might be.
pub(super) fn add(all: &mut Snapshot, peek: &Peek) {
    let names = objects::names();
    objects::for_each(|address, seen| {
        let (id, made_at) = (seen.id as u64, seen.site.into());
        match seen.kind {
            CoreKind::Chan => all.channels.push(Channel {
                id,
                name: names.get(&seen.id).map(|name| name.to_string()),
                made_at,
                capacity: seen.channel_capacity(),
                len: objects::channel_len(peek, address, &seen),
                senders: seen.senders,
                receivers: seen.receivers,
                ..Channel::default()
            }),
            CoreKind::Mutex | CoreKind::RwLock => all.locks.push(lock(&seen)),
            CoreKind::WaitGroup => all.wait_groups.push(WaitGroup {
                id,
                made_at,
                count: seen.count() as u64,
                ..WaitGroup::default()
            }),
            CoreKind::Semaphore | CoreKind::Gate => all.semaphores.push(Semaphore {
                id,
                gate: seen.kind == CoreKind::Gate,
                name: names.get(&seen.id).map(|name| name.to_string()),
                made_at,
                free: seen.senders,
                total: seen.receivers,
                ..Semaphore::default()
            }),
            CoreKind::Condvar | CoreKind::Once | CoreKind::Barrier | CoreKind::Context => {
                all.others.push(Other {
                    object: object_id(&seen),
                    made_at,
                    ..Other::default()
                });
            }
            // It stands for its context.
            CoreKind::Done => {}
        }
    });
    all.channels.sort_by_key(|channel| channel.id);
    all.locks.sort_by_key(|lock| lock.id);
    all.wait_groups.sort_by_key(|group| group.id);
    all.semaphores.sort_by_key(|semaphore| semaphore.id);
    all.others.sort_by_key(|other| other.object.id);
}

/// Tells each object who waits on it.
pub(super) fn add_waiters(all: &mut Snapshot) {
    let goroutines = all.goroutines.iter();
    let goroutines = goroutines.filter_map(|g| Some((Who::Goroutine(g.id), g.wait.as_ref()?)));
    let threads = all.threads.iter().map(|t| (Who::Thread(t.tid), &t.wait));
    let mut lists = Lists {
        channels: &mut all.channels,
        locks: &mut all.locks,
        wait_groups: &mut all.wait_groups,
        semaphores: &mut all.semaphores,
        others: &mut all.others,
    };
    for (who, wait) in goroutines.chain(threads) {
        if let Target::Object(object) = wait.on {
            let sends = wait.reason == WaitReason::ChanSend.text();
            lists.waits(who, object, sends);
        }
        for arm in &wait.arms {
            lists.waits(who, arm.object, arm.sends);
        }
    }
}

/// The objects of a snapshot, each with who waits for it.
struct Lists<'a> {
    channels: &'a mut [Channel],
    locks: &'a mut [Lock],
    wait_groups: &'a mut [WaitGroup],
    semaphores: &'a mut [Semaphore],
    others: &'a mut [Other],
}

impl Lists<'_> {
    fn waits(&mut self, who: Who, object: ObjectId, sends: bool) {
        let id = object.id;
        let waiters = match object.kind {
            ObjectKind::Channel => find(self.channels, id, |c| c.id).map(|channel| match sends {
                true => &mut channel.sending,
                false => &mut channel.receiving,
            }),
            ObjectKind::Mutex | ObjectKind::RwLock => {
                find(self.locks, id, |l| l.id).map(|l| &mut l.waiters)
            }
            ObjectKind::WaitGroup => find(self.wait_groups, id, |g| g.id).map(|g| &mut g.waiters),
            ObjectKind::Semaphore | ObjectKind::Gate => {
                find(self.semaphores, id, |s| s.id).map(|s| &mut s.waiters)
            }
            _ => find(self.others, id, |o| o.object.id).map(|o| &mut o.waiters),
        };
        // Of several arms of one channel one is enough.
        if let Some(waiters) = waiters.filter(|waiters| waiters.last() != Some(&who)) {
            waiters.push(who);
        }
    }
}

fn find<T>(all: &mut [T], id: u64, id_of: impl Fn(&T) -> u64) -> Option<&mut T> {
    let at = all.binary_search_by_key(&id, id_of).ok()?;
    all.get_mut(at)
}

pub(super) fn object_id(seen: &Seen) -> ObjectId {
    let kind = match seen.kind {
        CoreKind::Chan => ObjectKind::Channel,
        CoreKind::Mutex => ObjectKind::Mutex,
        CoreKind::WaitGroup => ObjectKind::WaitGroup,
        CoreKind::RwLock => ObjectKind::RwLock,
        CoreKind::Condvar => ObjectKind::Condvar,
        CoreKind::Once => ObjectKind::Once,
        CoreKind::Barrier => ObjectKind::Barrier,
        CoreKind::Semaphore => ObjectKind::Semaphore,
        CoreKind::Gate => ObjectKind::Gate,
        CoreKind::Context => ObjectKind::Context,
        CoreKind::Done => {
            return ObjectId {
                kind: ObjectKind::Context,
                id: seen.capacity as u64,
            };
        }
    };
    ObjectId {
        kind,
        id: seen.id as u64,
    }
}

/// A lock, by its header: the words are those of `sync::raw_mutex` and `sync::raw_rw_lock`.
fn lock(seen: &Seen) -> Lock {
    let word = seen.senders;
    let (kind, holder) = match seen.kind {
        CoreKind::Mutex => (LockKind::Mutex, mutex_holder(word >> 1)),
        _ => (
            LockKind::RwLock,
            match (word & 2, word >> 2) {
                (0, 0) => Holder::Nobody,
                (0, readers) => Holder::Readers(readers),
                _ => Holder::Writer,
            },
        ),
    };
    let locked_at = match holder {
        Holder::Nobody => None,
        _ => seen.held_at().map(Into::into),
    };
    Lock {
        id: seen.id as u64,
        kind,
        made_at: seen.site.into(),
        holder,
        locked_at,
        waiters: Vec::new(),
    }
}

/// Who holds a mutex: a goroutine's number, a marked thread's id, or the mark of tasks.
fn mutex_holder(who: usize) -> Holder {
    match who >> 60 {
        0 if who == 0 => Holder::Nobody,
        0 => Holder::One(Who::Goroutine(who as u64)),
        1 => Holder::One(Who::Thread(who as u32)),
        _ => Holder::One(Who::Task),
    }
}
