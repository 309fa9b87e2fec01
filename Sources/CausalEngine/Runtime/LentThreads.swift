internal import Glibc
internal import Synchronization

/// Threads of the host, which do much work instead of `Workers`: see `Threads.lend`.
struct LentThreads {
    private let parallel: Threads.Parallel

    private static let function = Atomic<UInt>(0)
    /// Who lent them: in a child that was forked since they do not exist.
    private static let lender = Atomic<pid_t>(0)
    /// The process that is using them, 0 if none is.
    private static let user = Atomic<pid_t>(0)

    static func lend(_ parallel: Threads.Parallel?) {
        lender.store(getpid(), ordering: .relaxed)
        function.store(parallel.map { unsafeBitCast($0, to: UInt.self) } ?? 0, ordering: .releasing)
    }

    static var current: LentThreads? {
        let function = function.load(ordering: .acquiring)
        guard function != 0, lender.load(ordering: .relaxed) == getpid() else { return nil }
        return LentThreads(parallel: unsafeBitCast(function, to: Threads.Parallel.self))
    }

    static var areInUse: Bool {
        let user = user.load(ordering: .relaxed)
        return user != 0 && user == getpid()
    }

    /// False where they are at work for another call already: the caller then does without.
    ///
    /// The host is always asked for all threads, since OpenMP ends those that a smaller task has no use for, and starts them anew for the next.
    func run(threads: Int, chunks: Int, _ body: (Int) -> Void) -> Bool {
        let me = getpid()
        guard LentThreads.user.exchange(me, ordering: .acquiring) != me else { return false }
        defer { LentThreads.user.store(0, ordering: .releasing) }
        withoutActuallyEscaping(body) { body in
            let task = Task(threads: threads, chunks: chunks, body)
            parallel({ data in Unmanaged<Task>.fromOpaque(data!).takeUnretainedValue().takePart() }, Unmanaged.passUnretained(task).toOpaque(), UInt32(threads), 0)
            // What is left, where the host had fewer threads than there are shares or ran the task on none.
            task.takePart()
        }
        return true
    }

    private final class Task: @unchecked Sendable {
        private let body: (Int) -> Void
        private let shares: Shares
        private let caller = pthread_self()
        private let arrived = Atomic<Int>(0)

        init(threads: Int, chunks: Int, _ body: @escaping (Int) -> Void) {
            self.body = body
            shares = Shares(threads)
            shares.divide(chunks)
        }

        func takePart() {
            let number = pthread_equal(caller, pthread_self()) != 0 ? 0 : arrived.wrappingAdd(1, ordering: .relaxed).newValue
            shares.claim(from: number, body)
        }
    }
}
