internal import Glibc

/// The Bayesian information criterion of smooth mechanisms in which parents act together: splines of each parent, and of two parents products where
/// these pay for themselves. For each variable only some candidates may be parents, so that products of all pairs can be kept.
struct InteractionScore: LocalScore {
    /// The columns that the mechanism of one variable may use, and their correlations over the rows that tell of it.
    struct Family: Sendable {
        let candidates: [Int]
        /// By candidate, its place in the list; -1 elsewhere.
        let placeOf: [Int]
        let covariances: Covariances
        /// By place, the columns of a candidate's splines; column 0 is the variable itself.
        let splines: [[Int]]
        /// By pair of places, `first * count + second` with the smaller first, the columns of their products.
        let products: [[Int]]
    }

    let count: Int
    let isEquivalent = false
    var tolerance: Double { 1e-9 * rows }

    private let families: [Family]
    private let rows: Double
    private let price: Double

    init(_ families: [Family], rows: Int, penalty: Double) {
        self.families = families
        count = families.count
        self.rows = Double(rows)
        price = penalty / 2 * log(Double(max(rows, 2)))
    }

    func mostParents(of variable: Int) -> Int {
        max(0, (families[variable].covariances.rows - 1) / 3 / max(families[variable].splines.map(\.count).max() ?? 1, 1))
    }

    func evaluate(_ variable: Int, parents: UnsafeBufferPointer<UInt16>, into evaluation: Evaluation) {
        let family = families[variable], covariances = family.covariances, size = family.candidates.count
        // Families differ in size; those of one variable follow each other often.
        var elimination = evaluation.workspace as? Elimination
        if elimination == nil || elimination!.count != covariances.count { elimination = Elimination(count: covariances.count, stride: covariances.stride) }
        let left = elimination!
        evaluation.workspace = left
        let places = parents.map { family.placeOf[Int($0)] }, half = Double(covariances.rows) / 2
        var columns = places.flatMap { family.splines[$0].map { UInt16($0) } }
        func take() { columns.withUnsafeBufferPointer { left.take($0, from: covariances.matrix(of: 0), target: 0) } }
        take()

        // Products join one pair after the other.
        var open: [(Int, Int)] = [], joined: [(Int, Int)] = []
        for (k, a) in places.enumerated() { for b in places[(k + 1)...] { open.append((min(a, b), max(a, b))) } }
        while true {
            var best = (gain: 0.0, pair: -1)
            for (k, pair) in open.enumerated() {
                let gain = gain(family.products[pair.0 * size + pair.1], left, half)
                if gain > best.gain { best = (gain, k) }
            }
            guard best.pair >= 0, columns.count < covariances.rows / 3 else { break }
            let pair = open.remove(at: best.pair)
            joined.append(pair)
            columns += family.products[pair.0 * size + pair.1].map { UInt16($0) }
            take()
        }
        let variance = max(left.variances[0], Elimination.least)
        evaluation.score = half > 0 ? -half * log(variance) - price * Double(columns.count) : 0

        for c in 0..<count { evaluation.gains[c] = 0 }
        for (place, candidate) in family.candidates.enumerated() where !places.contains(place) {
            let alone = gain(family.splines[place], left, half)
            let together = places.map { gain(family.products[min($0, place) * size + max($0, place)], left, half) }.max() ?? 0
            evaluation.gains[candidate] = alone + max(0, together)
        }
        var placeOf = [Int](repeating: -1, count: covariances.count)
        for (k, column) in left.sequence.enumerated() { placeOf[column] = k }
        for (k, place) in places.enumerated() {
            let dropped = family.splines[place] + joined.filter { $0.0 == place || $0.1 == place }.flatMap { family.products[$0.0 * size + $0.1] }
            let (inverse, weights) = left.regression(at: dropped.map { placeOf[$0] }, of: [0])
            let without = variance + quadraticForm(inverse, weights)
            evaluation.losses[k] = price * Double(dropped.count) - half * log(without / variance)
        }
    }

    /// Of some columns more.
    private func gain(_ columns: [Int], _ left: Elimination, _ half: Double) -> Double {
        let block = columns.flatMap { a in columns.map { left.left(a, $0) } }
        let variance = max(left.variances[0], Elimination.least)
        let explained = quadraticForm(block, columns.map { left.covariances[$0] })
        return -half * log(max(1 - explained / variance, Elimination.least)) - price * Double(columns.count)
    }

    /// `bᵀ a⁻¹ b`, where what nothing is left of in `a` plays no part.
    private func quadraticForm(_ a: [Double], _ b: [Double]) -> Double {
        let size = b.count
        var factor = a, solved = b, total = 0.0
        for i in 0..<size {
            for j in 0...i {
                var sum = factor[i * size + j]
                for k in 0..<j { sum -= factor[i * size + k] * factor[j * size + k] }
                if i == j {
                    factor[i * size + i] = sum > Elimination.least ? sum.squareRoot() : 0
                } else {
                    factor[i * size + j] = factor[j * size + j] > 0 ? sum / factor[j * size + j] : 0
                }
            }
            var sum = solved[i]
            for k in 0..<i { sum -= factor[i * size + k] * solved[k] }
            solved[i] = factor[i * size + i] > 0 ? sum / factor[i * size + i] : 0
            total += solved[i] * solved[i]
        }
        return total
    }
}

extension InteractionScore.Family {
    /// Products are of values within so many standard deviations: beyond, few rows would decide.
    private static let widest = 3.0

    init(_ variable: Int, candidates: [Int], _ data: StructuralDataset, _ functions: [SmoothFunctions], weights: [Int]?) throws(EngineError) {
        let size = candidates.count, kept = (0..<data.rows).filter { !data.isSet($0, variable) && weights?[$0] != 0 }
        var splines: [[Int]] = [], products = [[Int]](repeating: [], count: size * size), width = 1
        for candidate in candidates {
            splines.append(Array(width..<width + functions[candidate].count))
            width += functions[candidate].count
        }
        for a in 0..<size {
            for b in a + 1..<max(size, a + 1) {
                products[a * size + b] = [width, width + 1, width + 2]
                width += 3
            }
        }
        let values = try Storage<Double>(count: checkedSize(kept.count, width, of: "interactions"), of: "interactions")
        for (i, row) in kept.enumerated() {
            let out = values.pointer + i * width
            out[0] = data.value(row, variable)
            for (place, candidate) in candidates.enumerated() { functions[candidate].values(at: data.value(row, candidate), into: out + splines[place][0]) }
            for a in 0..<size {
                let x = min(max(out[splines[a][0]], -Self.widest), Self.widest)
                for b in a + 1..<max(size, a + 1) {
                    let y = min(max(out[splines[b][0]], -Self.widest), Self.widest), columns = products[a * size + b]
                    out[columns[0]] = x * y
                    out[columns[1]] = x * x * y
                    out[columns[2]] = x * y * y
                }
            }
        }
        let wide = try StructuralDataset(MatrixView(values.pointer, rows: kept.count, columns: width), isSet: nil)
        covariances = try Covariances(wide, weights: weights.map { weights in kept.map { weights[$0] } })
        self.candidates = candidates
        self.splines = splines
        self.products = products
        var placeOf = [Int](repeating: -1, count: data.columns)
        for (place, candidate) in candidates.enumerated() { placeOf[candidate] = place }
        self.placeOf = placeOf
    }
}
