package import Glibc

/// A mutex that guards whatever its owner says. `Synchronization.Mutex` would do where no condition variable waits on it, but the
/// thread sanitizer does not see that one.
package final class Lock: @unchecked Sendable {
    /// For condition variables. Its address never changes.
    package let handle = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    package init() { pthread_mutex_init(handle, nil) }

    deinit {
        pthread_mutex_destroy(handle)
        handle.deallocate()
    }

    package func lock() { pthread_mutex_lock(handle) }

    package func unlock() { pthread_mutex_unlock(handle) }

    package func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Nil, and nothing done, where another thread has it: in a forked child that may be for ever.
    package func withLockIfAvailable<Result>(_ body: () -> Result) -> Result? {
        guard pthread_mutex_trylock(handle) == 0 else { return nil }
        defer { unlock() }
        return body()
    }
}
