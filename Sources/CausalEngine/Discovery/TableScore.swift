internal import Glibc

/// Scores of categorical variables, each of which has a distribution of its own for each combination of its parents' levels.
struct TableScore: LocalScore {
    enum Kind: Sendable {
        /// What a parameter costs, times half of the logarithm of the number of rows.
        case bic(penalty: Double)
        /// A Dirichlet prior worth so many rows, the same for all combinations (BDeu, Heckerman et al. 1995).
        case bdeu(rows: Double)
    }

    let count: Int
    let isEquivalent = true
    var tolerance: Double { 1e-9 * Double(rows) }

    private let kind: Kind
    private let levels: [Int]
    private let rows: Int
    /// One column after the other.
    private let codes: Storage<UInt16>
    /// By variable, how often each row counts; a row in which it was set does not.
    private let weights: [[Int32]]
    private let price: Double

    init(_ data: StructuralDataset, levels: [Int], kind: Kind, weights: [Int]?) throws(EngineError) {
        let rows = data.rows
        count = data.columns
        self.levels = levels
        self.kind = kind
        self.rows = rows
        codes = try Storage<UInt16>(count: rows * count, of: "tables")
        for v in 0..<count { for row in 0..<rows { codes.pointer[v * rows + row] = UInt16(data.value(row, v)) } }
        self.weights = (0..<count).map { v in (0..<rows).map { data.isSet($0, v) ? 0 : Int32(weights?[$0] ?? 1) } }
        if case .bic(let penalty) = kind { price = penalty / 2 * log(Double(max(rows, 2))) } else { price = 0 }
    }

    func mostParents(of variable: Int) -> Int { count }

    func evaluate(_ variable: Int, parents: UnsafeBufferPointer<UInt16>, into evaluation: Evaluation) {
        let alone = score(variable, Combinations(rows: rows))
        let given = combinations(parents.map(Int.init))
        let own = score(variable, given)
        evaluation.score = own - alone
        for c in 0..<count where c != variable && !parents.contains(UInt16(c)) {
            evaluation.gains[c] = score(variable, given, and: c) - own
        }
        for k in parents.indices {
            evaluation.losses[k] = score(variable, combinations(parents.indices.filter { $0 != k }.map { Int(parents[$0]) })) - own
        }
    }

    /// Which combination of levels each row has, of those that there are, and how many there could be.
    private struct Combinations {
        var number: [Int32]
        var seen = 1
        var possible = 1.0

        init(rows: Int) { number = [Int32](repeating: 0, count: rows) }
    }

    private func combinations(_ parents: [Int]) -> Combinations {
        var found = Combinations(rows: rows)
        for parent in parents {
            var renumbered = [Int32](repeating: -1, count: found.seen * levels[parent]), seen: Int32 = 0
            let column = codes.pointer + parent * rows
            for row in 0..<rows {
                let key = Int(found.number[row]) * levels[parent] + Int(column[row])
                if renumbered[key] < 0 {
                    renumbered[key] = seen
                    seen += 1
                }
                found.number[row] = renumbered[key]
            }
            found.seen = Int(seen)
            found.possible *= Double(levels[parent])
        }
        return found
    }

    private func score(_ variable: Int, _ given: Combinations, and other: Int? = nil) -> Double {
        let own = levels[variable], others = other.map { levels[$0] } ?? 1, possible = given.possible * Double(others)
        var counts = [Int32](repeating: 0, count: given.seen * others * own)
        let column = codes.pointer + variable * rows, weights = weights[variable]
        if let other {
            let second = codes.pointer + other * rows
            for row in 0..<rows { counts[(Int(given.number[row]) * others + Int(second[row])) * own + Int(column[row])] += weights[row] }
        } else {
            for row in 0..<rows { counts[Int(given.number[row]) * own + Int(column[row])] += weights[row] }
        }
        var total = 0.0
        for first in stride(from: 0, to: counts.count, by: own) {
            let all = counts[first..<first + own].reduce(0) { $0 + Int($1) }
            guard all > 0 else { continue }
            switch kind {
            case .bic:
                for k in first..<first + own where counts[k] > 0 { total += Double(counts[k]) * log(Double(counts[k]) / Double(all)) }
            case .bdeu(let prior):
                let each = prior / possible
                total += lgamma(each) - lgamma(each + Double(all))
                for k in first..<first + own where counts[k] > 0 { total += lgamma(each / Double(own) + Double(counts[k])) - lgamma(each / Double(own)) }
            }
        }
        return total - price * possible * Double(own - 1)
    }
}
