internal import CausalKernels
internal import Glibc

/// Which variables come about in another way in a regime than elsewhere, given a graph: where what their parents leave unexplained is likelier by a
/// regression and a variance of the regime's own than by those of all other rows, by more than its parameters cost. (That the set of mechanisms that
/// change is to be small is the criterion of Brouillard et al. 2020 for interventions whose targets are not known; there it is found with the graph,
/// here between two times of learning it.)
final class TargetSearch {
    private let data: StructuralDataset
    private let parents: [[UInt16]]
    private let regimes: Regimes
    /// What is thought by now: by `regime * columns + variable`.
    private let targets: [Bool]
    private let penalty: Double
    private let random: Random
    private(set) var found: [Bool]
    private(set) var variablesDone = 0

    /// - Parameter data: where only what is known to have been set is marked.
    init(_ data: StructuralDataset, _ parents: [[UInt16]], _ regimes: Regimes, targets: [Bool], penalty: Double, random: Random) {
        self.data = data
        self.parents = parents
        self.regimes = regimes
        self.targets = targets
        self.penalty = penalty
        self.random = random
        found = [Bool](repeating: false, count: targets.count)
    }

    /// True when it is over.
    func run(shouldStop: () -> Bool) throws(EngineError) -> Bool {
        while variablesDone < data.columns {
            guard !shouldStop() else { return false }
            try look(at: variablesDone)
            variablesDone += 1
        }
        return true
    }

    private func look(at variable: Int) throws(EngineError) {
        let own = parents[variable].map(Int.init), told = (0..<data.rows).filter { !data.isSet($0, variable) }
        func isTarget(_ row: Int) -> Bool { targets[regimes.labels[row] * data.columns + variable] }
        let network = try RandomNetwork(variable, data, rows: told.filter { !isTarget($0) }, others: told.filter(isTarget), random: random)
        let residuals = try network.residuals(own)
        let scales = own.map { data.standardisation(of: $0) }, parameters = own.count + 2
        var places = [[Int]](repeating: [], count: regimes.count), pooled = 0.0, pooledRows = 0
        for (place, row) in network.order.enumerated() {
            places[regimes.labels[row]].append(place)
            if !isTarget(row) {
                pooled += residuals[place] * residuals[place]
                pooledRows += 1
            }
        }
        for regime in 0..<regimes.count where regime != regimes.reference && places[regime].count > 3 * parameters {
            let here = places[regime], count = Double(here.count), squares = here.reduce(0) { $0 + residuals[$1] * residuals[$1] }
            let isIn = !targets[regime * data.columns + variable]
            let variance = max((pooled - (isIn ? squares : 0)) / Double(max(pooledRows - (isIn ? here.count : 0), 1)), 1e-12)
            var fit = LeastSquares(columns: own.count + 1), values = [1] + [Double](repeating: 0, count: own.count)
            for place in here {
                for (k, parent) in own.enumerated() { values[k + 1] = scales[k].standard(data.value(network.order[place], parent)) }
                fit.add(residuals[place], values)
            }
            let left = try fit.unexplained()
            let gain = squares / (2 * variance) - count / 2 + count / 2 * (log(variance) - log(max(left / count, 1e-12)))
            found[regime * data.columns + variable] = gain > penalty / 2 * Double(parameters) * log(Double(data.rows))
        }
    }
}

/// Which rows came about under the same conditions.
struct Regimes: Sendable {
    /// By row.
    let labels: [Int]
    let count: Int
    /// That with the most rows, of several the first: the mechanisms there are those that others are compared with.
    let reference: Int

    /// - Throws: `.shape` for another number of labels than rows, `.value` for one that is no number of a regime.
    init(_ labels: [Int], rows: Int) throws(EngineError) {
        guard labels.count == rows else { throw EngineError(.shape, "discovery: \(labels.count) regimes, expected \(rows), one a row") }
        var sizes: [Int] = []
        for (row, label) in labels.enumerated() {
            guard (0..<rows).contains(label) else { throw EngineError(.value, "discovery: regime \(label) in row \(row), expected 0 to \(rows - 1)") }
            while sizes.count <= label { sizes.append(0) }
            sizes[label] += 1
        }
        self.labels = labels
        count = sizes.count
        reference = sizes.indices.max { (sizes[$0], $1) < (sizes[$1], $0) } ?? 0
    }
}
