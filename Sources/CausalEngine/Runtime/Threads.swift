internal import CausalKernels
internal import Glibc
internal import Synchronization

/// How many threads one call may use. Results are the same to the bit for every number, since work is divided by its own size.
public enum Threads {
    /// The largest number that `set` accepts.
    public static let limit = 1024

    /// The number of threads in use: what was set, or `CAUSAL_THREADS`, or the number of processors this process may use.
    public static var count: Int {
        let chosen = chosenCount.load(ordering: .relaxed)
        return chosen > 0 ? chosen : defaultCount
    }

    /// - Throws: `.value` unless `count` is 1 to 1024.
    public static func set(_ count: Int) throws(EngineError) {
        guard (1...limit).contains(count) else {
            throw EngineError(.value, "threads: \(count) given, expected 1 to \(limit)")
        }
        chosenCount.store(count, ordering: .relaxed)
    }

    private static let leastWork = 4_000_000
    private static let chosenCount = Atomic<Int>(0)

    private static let defaultCount: Int = {
        if let text = getenv("CAUSAL_THREADS"), let count = Int(String(cString: text)), (1...limit).contains(count) { return count }
        return min(Processor.count, limit)
    }()

    /// Runs `body(0)` to `body(chunks - 1)`, in any order, on this thread and perhaps others, and returns when all are done.
    ///
    /// `work` estimates the whole in multiply-adds; little work stays here, since waking a thread takes 60 to 90 us. So does a
    /// call from within `body`, or while another thread is using the workers. Where the call `repeats`, little work is shared too, with threads that are
    /// awake; if none is, they are woken for the calls that follow.
    package static func run(chunks: Int, work: Int, repeats: Bool = false, _ body: (Int) -> Void) {
        let isMuch = work >= leastWork
        let count = count
        if min(count, chunks) > 1, isMuch || repeats {
            let workers = Workers.current(threads: count - 1)
            if isMuch || workers.areAwake {
                if workers.run(chunks: chunks, body) { return }
            } else {
                workers.wakeUp()
            }
        }
        for chunk in 0..<chunks { body(chunk) }
    }

    /// Runs `body` on all of `count` elements in parts, each of which takes as long as `cost` multiply-adds.
    package static func divide(_ count: Int, cost: Int, _ body: (Range<Int>) -> Void) {
        let part = 1 << 15
        guard count > part else { return body(0..<count) }
        run(chunks: (count + part - 1) / part, work: count * cost) { chunk in body(chunk * part..<min((chunk + 1) * part, count)) }
    }
}

/// Threads that wait for work. They belong to one process: after a fork the child, in which they do not exist, makes its own.
///
/// Who waits looks out for a while before it sleeps, since the products of a training step follow each other closely; but not
/// where there are more threads than processors, and another one would have to wait for that.
private final class Workers: @unchecked Sendable {
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

/// Chunks of a task, divided among threads: each begins with its own share, the same for tasks of the same size, so that it finds in its cache what it left
/// there, and goes on with what others have not come to.
private final class Shares: @unchecked Sendable {
    private let count: Int
    private var chunks = 0
    /// The next chunk of each share; as far apart as cache lines are, or a pair of them.
    private let next: UnsafeMutablePointer<Atomic<Int>>
    private static let stride = 128 / MemoryLayout<Atomic<Int>>.stride

    init(_ count: Int) {
        self.count = count
        next = .allocate(capacity: count * Shares.stride)
        for place in 0..<count * Shares.stride { (next + place).initialize(to: Atomic(0)) }
    }

    deinit {
        next.deinitialize(count: count * Shares.stride)
        next.deallocate()
    }

    /// Rounded up: where there are fewer chunks than threads the first threads have one, and the caller is the first.
    private func start(of share: Int) -> Int { (share * chunks + count - 1) / count }

    /// Nobody may be claiming.
    func divide(_ chunks: Int) {
        self.chunks = chunks
        for share in 0..<count { next[share * Shares.stride].store(start(of: share), ordering: .relaxed) }
    }

    /// Runs `body` on chunks that nobody has claimed, until there are none.
    func claim(from own: Int, _ body: (Int) -> Void) {
        for share in 0..<count {
            let share = (own + share) % count, end = start(of: share + 1)
            while true {
                let chunk = next[share * Shares.stride].wrappingAdd(1, ordering: .relaxed).oldValue
                guard chunk < end else { break }
                body(chunk)
            }
        }
    }
}
