import CausalEngine
import Glibc
import Synchronization
import Testing

/// Much work on threads of a host.
@Suite(.serialized) struct LentThreadsTests {
    /// A host with three threads, whatever it is asked for.
    private static let three: Threads.Parallel = { task, data, _, _ in
        let call = Call(task: task!, data: data)
        withExtendedLifetime(call) {
            let threads = (0..<3).map { _ in
                var thread = pthread_t()
                pthread_create(&thread, nil, { call in
                    let call = Unmanaged<Call>.fromOpaque(call!).takeUnretainedValue()
                    call.task(call.data)
                    return nil
                }, Unmanaged.passUnretained(call).toOpaque())
                return thread
            }
            for thread in threads { pthread_join(thread, nil) }
        }
        Self.calls.wrappingAdd(1, ordering: .relaxed)
    }
    private static let calls = Atomic<Int>(0)

    private final class Call: @unchecked Sendable {
        let task: @convention(c) (UnsafeMutableRawPointer?) -> Void
        let data: UnsafeMutableRawPointer?

        init(task: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void, data: UnsafeMutableRawPointer?) {
            self.task = task
            self.data = data
        }
    }

    @Test(arguments: [2, 3, 5, 200]) func doEachChunkOnce(_ chunks: Int) throws {
        let before = Threads.count
        Threads.lend(Self.three)
        defer {
            Threads.lend(nil)
            try? Threads.set(before)
        }
        // Other tests set the number of threads meanwhile, or have work for them: then this thread does all itself.
        let calls = Self.calls.load(ordering: .relaxed)
        for _ in 0..<1000 where Self.calls.load(ordering: .relaxed) == calls {
            try Threads.set(4)
            let done = (0..<chunks).map { _ in Counter() }, inner = Counter()
            Threads.run(chunks: chunks, work: .max) { chunk in
                done[chunk].count.wrappingAdd(1, ordering: .relaxed)
                Threads.run(chunks: 3, work: .max) { _ in inner.count.wrappingAdd(1, ordering: .relaxed) }
            }
            #expect(done.allSatisfy { $0.count.load(ordering: .relaxed) == 1 })
            #expect(inner.count.load(ordering: .relaxed) == 3 * chunks)
        }
        #expect(Self.calls.load(ordering: .relaxed) > calls)
    }

    private final class Counter: Sendable {
        let count = Atomic<Int>(0)
    }
}
