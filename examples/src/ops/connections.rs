//! Which connections are open, and which of them has been without a request for longest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The open connections, a limited number of them.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    open: Mutex<Open>,
    /// Told when a connection ends or its request does.
    changed: Notify,
}

/// Connections by their turn: the one that was idle first comes first.
#[derive(Debug, Default)]
struct Open {
    turn: u64,
    idle: BTreeMap<u64, Arc<Notify>>,
    busy: usize,
    /// Told to close, and not gone yet.
    closing: usize,
}

impl Open {
    fn count(&self) -> usize {
        self.idle.len() + self.busy + self.closing
    }

    fn add_idle(&mut self, close: &Arc<Notify>) -> u64 {
        self.turn += 1;
        self.idle.insert(self.turn, Arc::clone(close));
        self.turn
    }
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Connection {
    all: Arc<Connections>,
    close: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle(u64),
    Busy,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Busy(Arc<Connection>);

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default(), changed: Notify::new() }
    }

    fn locked(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more connection may be opened; an idle one is closed for it.
    pub(super) async fn room(&self) {
        loop {
            let changed = self.changed.notified();
            let (full, closing) = {
                let open = self.locked();
                (open.count() >= self.most, open.closing > 0)
            };
            if !full {
                return;
            }
            if !closing {
                self.close_idle();
            }
            changed.await;
        }
    }

    /// Closes the connection that has been idle for longest, if there is one.
    pub(super) fn close_idle(&self) {
        let mut open = self.locked();
        if let Some((_, close)) = open.idle.pop_first() {
            open.closing += 1;
            close.notify_one();
        }
    }

    /// Counts a new connection.
    pub(super) fn open(self: &Arc<Self>) -> Connection {
        let close = Arc::new(Notify::new());
        let turn = self.locked().add_idle(&close);
        Connection { all: Arc::clone(self), close, state: Mutex::new(State::Idle(turn)) }
    }
}

impl Connection {
    /// Marks that a request is under way, until what is returned is dropped.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        let mut open = self.all.locked();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Idle(turn) = *state {
            if open.idle.remove(&turn).is_none() {
                // It was told to close in the same moment: it closes.
                return Busy(Arc::clone(self));
            }
            open.busy += 1;
            *state = State::Busy;
        }
        Busy(Arc::clone(self))
    }

    /// Waits until the connection is told to close.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let Connection { all, close, state } = &*self.0;
        let mut open = all.locked();
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Busy) {
            open.busy -= 1;
            *state = State::Idle(open.add_idle(close));
        }
        drop(open);
        all.changed.notify_one();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.all.locked();
        match *self.state.get_mut().unwrap_or_else(PoisonError::into_inner) {
            State::Busy => open.busy -= 1,
            State::Idle(turn) => {
                if open.idle.remove(&turn).is_none() {
                    open.closing -= 1;
                }
            }
        }
        drop(open);
        self.all.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_was_idle_for_longest_makes_room_and_a_busy_one_does_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all = Arc::new(Connections::new(3));
        let [first, second, third] = std::array::from_fn(|_| Arc::new(all.open()));
        let request = first.busy();
        runtime.block_on(async {
            // The second one is told, and the room is there once it is gone.
            tokio::select! {
                biased;
                () = all.room() => panic!("there is no room yet"),
                () = second.closed() => {}
            }
            drop(second);
            all.room().await;
            drop(request);
            let fourth = Arc::new(all.open());
            // The first has become idle after the third.
            tokio::select! {
                biased;
                () = all.room() => panic!("there is no room yet"),
                () = third.closed() => {}
            }
            drop((third, fourth));
            all.room().await;
        });
    }
}
