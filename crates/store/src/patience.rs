//! Whether a thread may wait for the disk. One that serves sockets may not: it asks for what is in memory already, and leaves the
//! rest to a thread that may wait.

use std::cell::Cell;

thread_local! {
    static MAY_WAIT: Cell<bool> = const { Cell::new(true) };
}

/// Whether this thread may wait. What takes other threads' help, or long to compute, should be left alone where it may not.
pub fn may_wait() -> bool {
    MAY_WAIT.get()
}

/// Runs `ask` on this thread without letting it wait: reading what is not in memory is
/// [`KvError::WouldWait`](crate::KvError::WouldWait) meanwhile.
pub fn without_waiting<T>(ask: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            MAY_WAIT.set(self.0);
        }
    }
    let _before = Before(MAY_WAIT.replace(false));
    ask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_thread_is_told_and_only_until_the_end() {
        assert!(may_wait());
        without_waiting(|| {
            assert!(!may_wait());
            without_waiting(|| assert!(!may_wait()));
            assert!(!may_wait());
            assert_eq!(std::thread::spawn(may_wait).join().ok(), Some(true));
        });
        assert!(may_wait());
        assert!(std::panic::catch_unwind(|| without_waiting(|| panic!("anything"))).is_err());
        assert!(may_wait());
    }
}
