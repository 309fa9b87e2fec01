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

    /// Threads that the host lends: runs `task(data)` on some threads, about `threads` of them, and returns when it has come to an end on all. `flags` is 0.
    /// `GOMP_parallel` of OpenMP is such a function.
    public typealias Parallel = @convention(c) (
        _ task: (@convention(c) (_ data: UnsafeMutableRawPointer?) -> Void)?, _ data: UnsafeMutableRawPointer?, _ threads: UInt32, _ flags: UInt32) -> Void

    /// Has threads of the host do much work, instead of those that are started for it otherwise; nil takes them back. For hosts whose threads stay awake
    /// between tasks, as those of OpenMP do for milliseconds: others would wait for their processors. A forked process has to lend its own.
    public static func lend(_ parallel: Parallel?) { LentThreads.lend(parallel) }

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
        if min(count, chunks) > 1, isMuch || repeats, !LentThreads.areInUse {
            if isMuch, let lent = LentThreads.current {
                if lent.run(threads: count, chunks: chunks, body) { return }
            } else {
                let workers = Workers.current(threads: count - 1)
                if isMuch || workers.areAwake {
                    if workers.run(chunks: chunks, body) { return }
                } else {
                    workers.wakeUp()
                }
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
