import CausalEngine
import CausalKernels
import Testing

/// Random numbers that are the same in every run.
struct TestRandom {
    private var random: Random

    init(_ seed: UInt64) { random = Random(seed: seed, purpose: .initialization, index: 0) }

    /// Uniform on (-1, 1).
    mutating func number() -> Double { 2 * random.uniform() - 1 }
    mutating func index(below bound: Int) -> Int { random.index(below: bound) }
    mutating func isTrue() -> Bool { random.uniform() < 0.5 }

    mutating func matrix(_ rows: Int, _ columns: Int) throws -> Matrix<Double> {
        try Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in number() })
    }

    mutating func mask(_ rows: Int, _ columns: Int) -> [[Bool]] {
        (0..<rows).map { _ in (0..<columns).map { _ in isTrue() } }
    }
}

/// The derivative of f along one number, by central differences.
func centralDifference(at x: Double, step: Double = 1e-5, _ f: (Double) throws -> Double) rethrows -> Double {
    (try f(x + step) - f(x - step)) / (2 * step)
}

/// How far two numbers are apart, relative to the larger one and to 1.
func relativeError(_ a: Double, _ b: Double) -> Double { abs(a - b) / max(abs(a), abs(b), 1) }

extension Matrix where Scalar == Double {
    /// The sum of products with weights: a scalar whose gradient is the weights.
    func dot(_ weights: Matrix<Double>) -> Double { zip(elements, weights.elements).reduce(0) { $0 + $1.0 * $1.1 } }

    func setting(_ index: Int, to value: Double) throws -> Matrix<Double> {
        var all = elements
        all[index] = value
        return try Matrix(rows: rows, columns: columns, all)
    }
}

/// Checks every gradient of a model under an intervention against central differences of `sum(y * weights)`.
func checkGradients(_ model: Model<Double>, _ x: Matrix<Double>, values: [Int: Matrix<Double>] = [:], masks: [Int: [[Bool]]] = [:],
                    sourceLocation: SourceLocation = #_sourceLocation) throws {
    func intervention(_ values: [Int: Matrix<Double>]) throws -> Intervention<Double> {
        var result = Intervention<Double>()
        for (site, matrix) in values.sorted(by: { $0.key < $1.key }) { result = try result.setting(site: site, mask: masks[site]!, values: matrix) }
        return result
    }
    var random = TestRandom(99)
    let weights = try random.matrix(x.rows, model.network.outputWidth)
    let trace = try model.makeTrace()
    let predicted = try model.predict(x, under: intervention(values))
    let y = try model.forward(x, under: intervention(values), trace: trace)
    #expect(y == predicted, sourceLocation: sourceLocation)
    let gradients = try model.backward(weights, trace: trace)

    for i in x.elements.indices {
        let numeric = try centralDifference(at: x.elements[i]) { try model.predict(x.setting(i, to: $0), under: intervention(values)).dot(weights) }
        #expect(relativeError(gradients.inputs.elements[i], numeric) <= 1e-6, "input \(i)", sourceLocation: sourceLocation)
    }
    let parameters = model.parameters!, start = parameters.values
    for i in start.indices {
        let numeric = try centralDifference(at: start[i]) {
            var changed = start
            changed[i] = $0
            try parameters.set(changed)
            return try model.predict(x, under: intervention(values)).dot(weights)
        }
        #expect(relativeError(gradients.parameters[i], numeric) <= 1e-6, "parameter \(i)", sourceLocation: sourceLocation)
    }
    try parameters.set(start)
    for (site, matrix) in values {
        let found = try #require(gradients.values[site], sourceLocation: sourceLocation)
        #expect(found.rows == matrix.rows && found.columns == matrix.columns, sourceLocation: sourceLocation)
        for i in matrix.elements.indices {
            let numeric = try centralDifference(at: matrix.elements[i]) {
                var changed = values
                changed[site] = try matrix.setting(i, to: $0)
                return try model.predict(x, under: intervention(changed)).dot(weights)
            }
            #expect(relativeError(found.elements[i], numeric) <= 1e-6, "value \(i) at site \(site)", sourceLocation: sourceLocation)
        }
    }
}
