internal import Glibc

/// For each variable a list of other variables, ascending: all lists in one array, one after the other, and where each begins. Four
/// bytes hold an edge in both directions.
struct Adjacency: Sendable {
    /// List v is `neighbours[starts[v] ..< starts[v + 1]]`; one more number than that takes is there to fill them by.
    private let starts: Storage<Int>
    /// `Graph.mostVariables` fit.
    private let neighbours: Storage<UInt16>

    var count: Int { starts.count - 2 }

    /// Lists in the order in which `visit` names (variable, neighbour). It is called twice: to count, and to fill.
    ///
    /// - Throws: `.memory`.
    @inline(__always)
    init(count: Int, visit: (_ body: (Int, Int) -> Void) -> Void) throws(EngineError) {
        let starts = try Storage<Int>(count: count + 2, of: "graph"), start = starts.pointer
        // List v begins at start[v + 1], until filling it has moved that to its end: which is where list v + 1 begins.
        visit { variable, _ in start[variable + 2] += 1 }
        for variable in 0..<count { start[variable + 2] += start[variable + 1] }
        let neighbours = try Storage<UInt16>(count: start[count + 1], of: "edges of a graph"), list = neighbours.pointer
        visit { variable, neighbour in
            list[start[variable + 1]] = UInt16(neighbour)
            start[variable + 1] += 1
        }
        self.starts = starts
        self.neighbours = neighbours
    }

    /// The edges i -> j of a row-major matrix in which [i, j] is not 0.
    init(matrix: UnsafeBufferPointer<UInt8>, count: Int) throws(EngineError) {
        try self.init(count: count) { body in
            for variable in 0..<count {
                forEachNonzero(UnsafeBufferPointer(rebasing: matrix[variable * count..<(variable + 1) * count])) { body(variable, $0) }
            }
        }
    }

    subscript(variable: Int) -> UnsafeBufferPointer<UInt16> {
        let begin = starts.pointer[variable]
        return UnsafeBufferPointer(start: neighbours.pointer + begin, count: starts.pointer[variable + 1] - begin)
    }

    /// Visits (variable, neighbour), variable by variable.
    @inline(__always)
    func forEach(_ body: (Int, Int) -> Void) {
        for variable in 0..<count {
            for neighbour in self[variable] { body(variable, Int(neighbour)) }
        }
    }

    /// The same edges from their other ends. Whatever the order was, these lists ascend.
    func reversed() throws(EngineError) -> Adjacency {
        try Adjacency(count: count) { body in forEach { body($1, $0) } }
    }

    /// Only the edges that are wanted.
    func filtered(_ isIncluded: (Int, Int) -> Bool) throws(EngineError) -> Adjacency {
        try Adjacency(count: count) { body in forEach { if isIncluded($0, $1) { body($0, $1) } } }
    }

    /// The variables `starts`, and all that the lists lead to from them without leaving what is `inside` (nil: everything).
    func reach(from starts: [Int], inside: [Bool]? = nil) -> [Bool] {
        var isReached = [Bool](repeating: false, count: count), waiting: [Int] = []
        func visit(_ variable: Int) {
            guard !isReached[variable], inside?[variable] ?? true else { return }
            isReached[variable] = true
            waiting.append(variable)
        }
        for start in starts { visit(start) }
        while let variable = waiting.popLast() {
            for next in self[variable] { visit(Int(next)) }
        }
        return isReached
    }

    /// The first edge that is there twice, in lists that ascend.
    func firstRepeated() -> (Int, Int)? {
        for variable in 0..<count {
            for (neighbour, next) in zip(self[variable], self[variable].dropFirst()) where neighbour == next { return (variable, Int(next)) }
        }
        return nil
    }
}

extension Adjacency: Hashable {
    static func == (a: Adjacency, b: Adjacency) -> Bool {
        a.count == b.count && a.neighbours.count == b.neighbours.count
            && memcmp(a.starts.pointer, b.starts.pointer, a.starts.count * MemoryLayout<Int>.size) == 0
            && memcmp(a.neighbours.pointer, b.neighbours.pointer, a.neighbours.count * MemoryLayout<UInt16>.size) == 0
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(bytes: UnsafeRawBufferPointer(starts.buffer))
        hasher.combine(bytes: UnsafeRawBufferPointer(neighbours.buffer))
    }
}

/// Visits the places of the bytes that are not 0. Most graphs are sparse: zeros are passed eight at a time.
@inline(__always)
private func forEachNonzero(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (Int) -> Void) {
    var place = 0
    while place < bytes.count {
        if place + 8 <= bytes.count, UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: place, as: UInt64.self) == 0 {
            place += 8
        } else {
            if bytes[place] != 0 { body(place) }
            place += 1
        }
    }
}
