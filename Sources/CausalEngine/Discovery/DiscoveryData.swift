internal import CausalKernels

/// What a search wants of its rows.
enum DiscoveryData {
    /// - Throws: `.shape`, `.value`, naming row and variable.
    static func check(_ data: StructuralDataset, _ variables: [Variable]) throws(EngineError) {
        try data.check(variables)
        for (v, variable) in variables.enumerated() {
            var first: Double?, varies = false
            for row in 0..<data.rows {
                let value = data.value(row, v)
                guard !value.isNaN else {
                    throw EngineError(.value, "discovery: \(variable.name) is missing in row \(row), expected a number in every row: leave such rows out, or fill them in")
                }
                if !data.isSet(row, v) {
                    if let first, first != value { varies = true }
                    first = first ?? value
                }
            }
            guard varies || first == nil else {
                throw EngineError(.value, "discovery: \(variable.name) is \(first ?? 0) in every row in which it was not set, expected a column that varies")
            }
        }
    }

    /// The score that the options ask for.
    static func score(_ data: StructuralDataset, _ variables: [Variable], _ options: DiscoveryOptions, weights: [Int]?) throws(EngineError) -> any LocalScore {
        GaussianScore(try Covariances(data, weights: weights), penalty: options.penalty)
    }

    /// - Throws: `.value` for a variable that is a linear function of others, which are named.
    static func checkIndependent(_ covariances: Covariances, _ names: [String]) throws(EngineError) {
        let count = covariances.count, stride = covariances.stride
        // With as many variables as rows there always is one.
        for v in 0..<count where covariances.rows(of: v) > count + 1 {
            let matrix = covariances.matrix(of: v)
            if v > 0, matrix == covariances.matrix(of: v - 1) { continue }
            var factor = [Double](repeating: 0, count: count * count)
            for i in 0..<count {
                for j in 0...i {
                    var sum = matrix[i * stride + j]
                    for k in 0..<j { sum -= factor[i * count + k] * factor[j * count + k] }
                    if i == j {
                        guard sum > 1e-9 || matrix[i * stride + i] == 0 else {
                            throw EngineError(.value, "discovery: \(names[i]) is a linear function of \(determining(i, factor, count, names)), expected columns of which none follows from others: leave one out")
                        }
                        factor[i * count + i] = max(sum, 0).squareRoot()
                    } else {
                        factor[i * count + j] = factor[j * count + j] > 0 ? sum / factor[j * count + j] : 0
                    }
                }
            }
        }
    }

    /// Which of the variables before `i` have a weight in what it is.
    private static func determining(_ i: Int, _ factor: [Double], _ count: Int, _ names: [String]) -> String {
        var weights = [Double](repeating: 0, count: i)
        for k in (0..<i).reversed() {
            var sum = factor[i * count + k]
            for j in k + 1..<max(i, k + 1) { sum -= factor[j * count + k] * weights[j] }
            weights[k] = factor[k * count + k] > 0 ? sum / factor[k * count + k] : 0
        }
        let involved = (0..<i).filter { abs(weights[$0]) > 1e-4 }
        return involved.prefix(8).map { names[$0] }.joined(separator: ", ") + (involved.count > 8 ? ", ..." : "")
    }

    /// The variables in an order that does not depend on that of the columns, nor on their units, as far as the numbers in each tell them apart: by
    /// the fourth moment.
    static func canonicalOrder(_ data: StructuralDataset) -> [Int] {
        let keys = (0..<data.columns).map { v in
            let scale = data.standardisation(of: v)
            return (0..<data.rows).reduce(0.0) { sum, row in
                let square = scale.standard(data.value(row, v)) * scale.standard(data.value(row, v))
                return sum + square * square
            }
        }
        return (0..<data.columns).sorted { keys[$0] < keys[$1] || (keys[$0] == keys[$1] && $0 < $1) }
    }
}
