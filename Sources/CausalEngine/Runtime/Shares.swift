internal import Synchronization

/// Chunks of a task, divided among threads: each begins with its own share, the same for tasks of the same size, so that it finds in its cache what it left
/// there, and goes on with what others have not come to.
final class Shares: @unchecked Sendable {
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
