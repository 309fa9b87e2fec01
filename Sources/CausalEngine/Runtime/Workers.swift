internal import CausalKernels
internal import Glibc
internal import Synchronization

/// Threads that wait for work. They belong to one process: after a fork the child, in which they do not exist, makes its own.
///
/// Who waits looks out for a while before it sleeps, since the products of a training step follow each other closely; but not
/// where there are more threads than processors, and another one would have to wait for that.
final class Workers: @unchecked Sendable {
    private let process = getpid()
    private let threads: Int
    private let looksOut: Bool
    private let inUse = Atomic<Bool>(false)
    /// Counts the tasks that have been given out.
    private let generation = Atomic<Int>(0)
    private let shares: Shares
    /// Threads that take part in the task.
    private let running = Atomic<Int>(0)
    /// Threads that have begun, which number them from 1; 0 is who gives out the task.
    private let arrived = Atomic<Int>(0)
    /// Threads that look out for the next task.
    private let lookingOut = Atomic<Int>(0)

    // Guarded by `lock`. The addresses of what is waited for must not change.
    private let lock = Lock()
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var started = false
    private var body: ((Int) -> Void)?
    private var retired = false

    /// The latest workers, which hold one reference to themselves here.
    private static let latest = Atomic<UInt>(0)

    static func current(threads: Int) -> Workers {
        while true {
            let address = latest.load(ordering: .acquiring)
            let former = UnsafeRawPointer(bitPattern: address).map { Unmanaged<Workers>.fromOpaque($0).takeUnretainedValue() }
            if let former, former.process == getpid(), former.threads == threads { return former }
            let fresh = Workers(threads: threads), kept = Unmanaged.passRetained(fresh)
            let isLatest = latest.compareExchange(expected: address, desired: UInt(bitPattern: kept.toOpaque()), ordering: .acquiringAndReleasing).exchanged
            guard isLatest else {
                // Another thread was faster. These have not started a thread, and nobody would ever end one: look at the others.
                kept.release()
                continue
            }
            // The former ones are never freed: another thread may still look at them, and in a forked child they cannot run.
            former?.retire()
            return fresh
        }
    }

    private init(threads: Int) {
        self.threads = threads
        shares = Shares(threads + 1)
        looksOut = threads < Processor.count
        pthread_cond_init(wake, nil)
        pthread_cond_init(done, nil)
    }

    deinit {
        for condition in [wake, done] {
            pthread_cond_destroy(condition)
            condition.deallocate()
        }
    }

    /// False where the workers are at work already, or have been replaced: the caller then does without.
    func run(chunks: Int, _ body: (Int) -> Void) -> Bool {
        guard inUse.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else { return false }
        defer { inUse.store(false, ordering: .releasing) }
        startThreads()
        return withoutActuallyEscaping(body) { body in
            lock.lock()
            if retired {
                lock.unlock()
                return false
            }
            self.body = body
            shares.divide(chunks)
            generation.wrappingAdd(1, ordering: .releasing)
            pthread_cond_broadcast(wake)
            lock.unlock()

            shares.claim(from: 0, body)

            // Who has not come by now is not waited for: somebody else may have its processor for a while.
            lock.lock()
            self.body = nil
            lock.unlock()
            lookOut { running.load(ordering: .acquiring) == 0 }
            lock.lock()
            while running.load(ordering: .acquiring) > 0 { pthread_cond_wait(done, lock.handle) }
            lock.unlock()
            return true
        }
    }

    var areAwake: Bool { lookingOut.load(ordering: .relaxed) > 0 }

    /// Has the threads look out for the next task, unless they would go back to sleep at once.
    func wakeUp() {
        guard looksOut, inUse.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else { return }
        defer { inUse.store(false, ordering: .releasing) }
        startThreads()
        lock.lock()
        generation.wrappingAdd(1, ordering: .releasing)
        pthread_cond_broadcast(wake)
        lock.unlock()
    }

    /// Starts the threads on the first call. One that cannot be had is done without.
    private func startThreads() {
        guard !started else { return }
        started = true
        // Signals are for the host's own threads.
        var all = sigset_t(), before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        for _ in 0..<threads {
            var thread = pthread_t()
            let me = Unmanaged.passRetained(self)
            let status = pthread_create(&thread, nil, { context in
                Unmanaged<Workers>.fromOpaque(context!).takeRetainedValue().work()
                return nil
            }, me.toOpaque())
            guard status == 0 else {
                me.release()
                break
            }
            pthread_detach(thread)
        }
    }

    private func work() {
        let number = arrived.wrappingAdd(1, ordering: .relaxed).newValue
        var seen = 0
        while takePart(number, &seen) {
            if running.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                lock.lock()
                pthread_cond_signal(done)
                lock.unlock()
            }
        }
    }

    /// Waits for work and does its share; false when there will be no more. When it returns it holds the body no longer.
    private func takePart(_ number: Int, _ seen: inout Int) -> Bool {
        lookOut(after: seen)
        lock.lock()
        while generation.load(ordering: .relaxed) == seen || self.body == nil {
            guard !retired else {
                lock.unlock()
                return false
            }
            if generation.load(ordering: .relaxed) == seen {
                pthread_cond_wait(wake, lock.handle)
            } else {
                // A task that is over already, or a call to be ready for the next.
                seen = generation.load(ordering: .relaxed)
                lock.unlock()
                lookOut(after: seen)
                lock.lock()
            }
        }
        seen = generation.load(ordering: .relaxed)
        running.wrappingAdd(1, ordering: .relaxed)
        let body = body!
        lock.unlock()
        shares.claim(from: number, body)
        return true
    }

    private func lookOut(after seen: Int) {
        guard looksOut else { return }
        lookingOut.wrappingAdd(1, ordering: .relaxed)
        lookOut { generation.load(ordering: .relaxed) != seen }
        lookingOut.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Waits for a condition for about a quarter of a millisecond, and gives the processor away only to whoever is waiting for it, such
    /// as a thread of another library.
    private func lookOut(_ condition: () -> Bool) {
        guard looksOut else { return }
        for round in 1...2000 {
            if condition() { return }
            if round % 32 == 0 { sched_yield() } else { Processor.pause() }
        }
    }

    private func retire() {
        guard process == getpid() else { return }
        lock.lock()
        retired = true
        pthread_cond_broadcast(wake)
        lock.unlock()
    }
}
