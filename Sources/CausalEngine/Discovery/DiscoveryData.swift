internal import CausalKernels

/// What a search wants of its rows.
enum DiscoveryData {
    /// - Throws: `.shape`, `.value`, naming row and variable.
    static func check(_ data: StructuralDataset, _ variables: [Variable]) throws(EngineError) {
        try data.check(variables)
        for (v, variable) in variables.enumerated() {
            if variable.kind == .real { try data.checkSpread(of: v, variable.name, in: "discovery") }
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
        var levels: [Int] = []
        for case .categorical(let count) in variables.map(\.kind) { levels.append(count) }
        let isReal = levels.isEmpty, isCategorical = levels.count == variables.count
        switch options.score {
        case .bic where isReal: return GaussianScore(try Covariances(data, weights: weights), penalty: options.penalty)
        case .bic where isCategorical: return try TableScore(data, levels: levels, kind: .bic(penalty: options.penalty), weights: weights)
        case .bic: return try mixed(data, variables, options, weights)
        case .bdeu(let rows):
            guard isCategorical else { throw EngineError(.value, "discovery: bdeu is a score of categorical variables, and \(firstName(variables, real: true)) is real") }
            return try TableScore(data, levels: levels, kind: .bdeu(rows: rows), weights: weights)
        case .nonlinear, .network:
            guard isReal else {
                throw EngineError(.value, "discovery: \(options.score) is a score of real variables, and \(firstName(variables, real: false)) is categorical")
            }
            return try smooth(data, options, weights)
        }
    }

    private static func firstName(_ variables: [Variable], real: Bool) -> String { variables.first { ($0.kind == .real) == real }?.name ?? "none" }

    /// Categorical variables as an indicator of each level but the first.
    private static func mixed(_ data: StructuralDataset, _ variables: [Variable], _ options: DiscoveryOptions, _ weights: [Int]?) throws(EngineError) -> any LocalScore {
        let widths = variables.map { variable in
            if case .categorical(let levels) = variable.kind { levels - 1 } else { 1 }
        }
        let (wide, columns) = try data.widened(widths) { v, value, columns in
            if variables[v].kind == .real {
                columns[0] = value
            } else {
                for k in 0..<widths[v] { columns[k] = value == Double(k + 1) ? 1 : 0 }
            }
        }
        return BlockScore(try Covariances(wide, weights: weights), asParent: columns, asChild: columns, penalty: options.penalty, isEquivalent: true)
    }

    /// Variables as smooth functions of themselves, of which the first is linear.
    private static func smooth(_ data: StructuralDataset, _ options: DiscoveryOptions, _ weights: [Int]?) throws(EngineError) -> any LocalScore {
        let functions = SmoothFunctions.all(data)
        let (wide, columns) = try data.widened(functions.map(\.count)) { v, value, columns in functions[v].values(at: value, into: columns) }
        return BlockScore(try Covariances(wide, weights: weights), asParent: columns, asChild: columns.map { [$0[0]] }, penalty: options.penalty, isEquivalent: false)
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
