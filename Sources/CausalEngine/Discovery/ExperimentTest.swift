internal import Glibc

/// By how much better an effect is explained by two regressions, one for the rows in which do() set a cause of it and one for the others, than by one for
/// all: half of a Bayesian information criterion. Without a hidden common cause an effect answers to what sets itself as to what was set (the invariance
/// of Peters, Bühlmann and Meinshausen 2016); with one, only what was not set tells something of the hidden cause.
struct ExperimentTest {
    let data: StructuralDataset
    let penalty: Double

    /// - Returns: nil where there are too few rows of one kind.
    func evidence(_ cause: Int, _ effect: Int, parents: [Int]) throws(EngineError) -> Double? {
        let own = data.standardisation(of: effect), scales = parents.map { data.standardisation(of: $0) }
        var all = LeastSquares(columns: parents.count + 1), set = all, free = all, row = [1] + [Double](repeating: 0, count: parents.count)
        for i in 0..<data.rows where !data.isSet(i, effect) {
            for (k, parent) in parents.enumerated() { row[k + 1] = scales[k].standard(data.value(i, parent)) }
            let y = own.standard(data.value(i, effect))
            all.add(y, row)
            if data.isSet(i, cause) { set.add(y, row) } else { free.add(y, row) }
        }
        // An intercept and a variance beside the weights.
        let parameters = parents.count + 2
        guard min(set.rows, free.rows) > 3 * parameters else { return nil }
        return try cost(all) - cost(set) - cost(free) - penalty / 2 * Double(parameters) * log(Double(all.rows))
    }

    private func cost(_ fit: LeastSquares) throws(EngineError) -> Double {
        let rows = Double(fit.rows)
        return rows / 2 * log(max(try fit.unexplained() / rows, 1e-12))
    }
}
