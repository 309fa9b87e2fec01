internal import CausalKernels

/// Rows of one unit, with the same noise: each may name its factual row, of which it is a counterfactual. Rows that are joined by such names,
/// over any number of steps, are one unit.
package struct Twins: Sendable {
    /// By row the number of its factual row; -1 where it is no counterfactual.
    let factual: Storage<Int>
    /// By row the first row of its unit.
    let unit: [Int]
    /// Unit k is `rows[starts[k]..<starts[k + 1]]`, in ascending order; units stand in the order of their first rows.
    private let rows: [Int]
    private let starts: [Int]

    /// - Throws: `.value` for a row that names itself, or a row that there is not.
    package init(_ factual: [Int]) throws(EngineError) {
        for (row, other) in factual.enumerated() where other != -1 && (other == row || !factual.indices.contains(other)) {
            throw EngineError(.value, "twins: row \(row) is the counterfactual of row \(UInt(bitPattern: other)), expected another one of \(factual.count) rows")
        }
        self.factual = try factual.withUnsafeBufferPointer { factual throws(EngineError) in try Storage(copying: factual, of: "twins") }
        var units = DisjointSets(count: factual.count)
        for (row, other) in factual.enumerated() where other >= 0 { units.join(row, other) }
        let unit = factual.indices.map { units.first(with: $0) }
        // Sorted by counting: how many rows come before each unit's.
        let firsts = factual.indices.filter { unit[$0] == $0 }
        var number = [Int](repeating: 0, count: factual.count), starts = [Int](repeating: 0, count: firsts.count + 1)
        for (k, first) in firsts.enumerated() { number[first] = k }
        for first in unit { starts[number[first] + 1] += 1 }
        for k in firsts.indices { starts[k + 1] += starts[k] }
        var next = starts, rows = [Int](repeating: 0, count: factual.count)
        for (row, first) in unit.enumerated() {
            rows[next[number[first]]] = row
            next[number[first]] += 1
        }
        self.unit = unit
        self.rows = rows
        self.starts = starts
    }

    var unitCount: Int { starts.count - 1 }
    func rows(ofUnit k: Int) -> ArraySlice<Int> { rows[starts[k]..<starts[k + 1]] }
    /// Rows of the largest unit.
    var largestUnit: Int { (0..<unitCount).reduce(0) { max($0, starts[$1 + 1] - starts[$1]) } }

    /// The same for some of the rows, in any order, with repetitions: where a row is there for the k-th time, its factual row is the k-th copy of that.
    /// Nil where no two of them are twins.
    func among(_ chosen: [Int]) throws(EngineError) -> Twins? {
        var starts = [Int](repeating: 0, count: unit.count + 1), next = starts, places = [Int](repeating: 0, count: chosen.count)
        for row in chosen { starts[row + 1] += 1 }
        for row in unit.indices { starts[row + 1] += starts[row] }
        for (place, row) in chosen.enumerated() {
            places[starts[row] + next[row]] = place
            next[row] += 1
        }
        var seen = [Int](repeating: 0, count: unit.count)
        let found = chosen.map { row in
            let other = factual.pointer[row], copy = seen[row]
            seen[row] += 1
            return other >= 0 && copy < next[other] ? places[starts[other] + copy] : -1
        }
        return found.contains { $0 >= 0 } ? try Twins(found) : nil
    }

    /// As many units as there are, drawn with replacement: the rows of each.
    func resample(_ random: inout Random) -> [Int] {
        (0..<unitCount).map { _ in random.index(below: unitCount) }.sorted().flatMap(rows(ofUnit:))
    }
}
