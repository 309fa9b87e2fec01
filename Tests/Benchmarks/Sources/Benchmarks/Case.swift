import Glibc

/// Something to measure. `make` prepares it and gives what is to be repeated.
struct Case {
    let name: String
    /// Floating-point operations of one repetition; 0 where they are not what it is about.
    let operations: Double
    let make: () throws -> () throws -> Void

    init(_ name: String, operations: Int = 0, _ make: @escaping () throws -> () throws -> Void) {
        self.name = name
        self.operations = Double(operations)
        self.make = make
    }

    /// Nanoseconds of one repetition: the median of short turns, and their quartiles.
    func time(seconds: Double) throws -> (low: Double, median: Double, high: Double) {
        let turns = 21, body = try make()
        var count = 1
        while try elapsed(count, body) < seconds / Double(turns) { count *= 2 }
        let times = try (0..<turns).map { _ in try elapsed(count, body) / Double(count) * 1e9 }.sorted()
        return (times[turns / 4], times[turns / 2], times[turns * 3 / 4])
    }

    private func elapsed(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
        let start = now()
        for _ in 0..<count { try body() }
        return now() - start
    }
}

private func now() -> Double {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return Double(t.tv_sec) + 1e-9 * Double(t.tv_nsec)
}

/// Numbers between -1 and 1 that look random enough, the same in every run. They live as long as the process.
func numbers(_ count: Int) -> UnsafeMutablePointer<Float> {
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: count)
    var state: UInt32 = 1
    for i in 0..<count {
        state = state &* 1_664_525 &+ 1_013_904_223
        memory[i] = Float(state >> 8) / Float(1 << 23) - 1
    }
    return memory
}

/// The mask of do() on the first third of the columns, in every second row.
func thirdSet(rows: Int, columns: Int) -> [[Bool]] {
    (0..<rows).map { row in (0..<columns).map { row % 2 == 0 && $0 < max(1, columns / 3) } }
}
