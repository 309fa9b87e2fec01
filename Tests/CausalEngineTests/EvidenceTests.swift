import CausalKernels
@testable import CausalEngine
import Glibc
import Testing

/// Networks whose weight decays the rows decide.
@Suite struct EvidenceTests {
    private func columns(_ hidden: [Int], inputs: Int, _ activation: Activation) throws -> (ColumnNetwork, Int) {
        let model = try Model<Double>(.mlp(inputs: inputs, hidden: hidden, outputs: 1, activation: activation), seed: 1)
        return (try #require(model.plan.columns), model.layout.count)
    }

    private func data(_ rows: Int, inputs: Int, seed: UInt64, _ f: ([Double]) -> Double, noise: Double) throws -> Dataset<Double> {
        var random = Random(seed: seed, purpose: .noise, index: 0)
        let x = (0..<rows).map { _ in (0..<inputs).map { _ in random.gaussian() } }
        let y = x.map { f($0) + noise * random.gaussian() }
        let storedX = try Storage<Double>(count: rows * inputs, of: "x"), storedY = try Storage<Double>(count: rows, of: "y")
        for (i, row) in x.enumerated() {
            for (k, value) in row.enumerated() { storedX.pointer[i * inputs + k] = value }
            storedY.pointer[i] = y[i]
        }
        return Dataset(owning: storedX, columns: inputs, storedY, columns: 1)
    }

    @Test(arguments: [Activation.gelu, .tanh, .softplus, .relu, .identity]) func jacobianAgreesWithDifferences(_ activation: Activation) throws {
        let (network, count) = try columns([3, 4], inputs: 2, activation)
        var random = TestRandom(3)
        let rows = 5, weights = (0..<count).map { _ in random.number() }, x = (0..<2 * rows).map { _ in random.number() }
        func outputs(_ weights: [Double], jacobian: ((Columns<Double>, ColumnNetwork.Trace<Double>, Columns<Double>) -> Void)? = nil) throws -> [Double] {
            try withColumns(2 + network.traceColumns + 1, rows: rows, Double.self) { memory throws(EngineError) in
                let trace = network.trace(in: memory.from(2)), y = memory.from(2 + network.traceColumns)
                for k in 0..<2 { for i in 0..<rows { memory[k][i] = x[i * 2 + k] } }
                memory.fillUp(2)
                weights.withUnsafeBufferPointer { network.forward(memory, $0.baseAddress!, setting: [], trace, into: y) }
                jacobian?(memory, trace, y)
                return (0..<rows).map { y[0][$0] }
            }
        }
        var found = [[Double]](repeating: [], count: count), filling = [Double](repeating: 0, count: count)
        _ = try outputs(weights) { x, trace, _ in
            try! withColumns(count, rows: rows, Double.self) { (j: Columns<Double>) throws(EngineError) in
                weights.withUnsafeBufferPointer { network.jacobian(x, $0.baseAddress!, trace, into: j) }
                for k in 0..<count {
                    found[k] = (0..<rows).map { j[k][$0] }
                    filling[k] = (rows..<j.wholeRows).reduce(0) { max($0, abs(j[k][$1])) }
                }
            }
        }
        #expect(filling.allSatisfy { $0 == 0 })
        for k in 0..<count {
            let step = 1e-6
            var up = weights, down = weights
            up[k] += step
            down[k] -= step
            let slopes = zip(try outputs(up), try outputs(down)).map { ($0 - $1) / (2 * step) }
            for i in 0..<rows { #expect(abs(found[k][i] - slopes[i]) < 1e-7 * (1 + abs(slopes[i])), "\(activation), weight \(k), row \(i)") }
        }
    }

    /// Of a linear model all is known: the evidence is the density of y under N(0, 1/β + X diag(1/α) Xᵀ).
    @Test func evidenceOfALinearModel() throws {
        let rows = 40, inputs = 3
        let data = try data(rows, inputs: inputs, seed: 2, { 2 * $0[0] - 0.5 * $0[1] + 0.3 }, noise: 0.4)
        let (network, count) = try columns([], inputs: inputs, .identity)
        var fit = EvidenceFit(network, try RegressionRows(data), from: [Double](repeating: 0.1, count: count))
        try fit.run(until: .infinity)
        #expect(fit.isFinished)
        let alpha = fit.decays, beta = fit.noisePrecision
        func x(_ i: Int, _ k: Int) -> Double { k < inputs ? data.x.pointer[i * inputs + k] : 1 }
        var covariance = try Matrix<Double>(rows: rows, columns: rows, repeating: 0)
        for i in 0..<rows {
            for j in 0..<rows {
                covariance[i, j] = (0...inputs).reduce(i == j ? 1 / beta : 0) { $0 + x(i, $1) * x(j, $1) / alpha[$1] }
            }
        }
        let factor = try covariance.cholesky()
        var y = try Matrix<Double>(rows: rows, columns: 1, repeating: 0)
        for i in 0..<rows { y[i, 0] = data.y.pointer[i] }
        let solved = try covariance.solve(y)
        let density = (0..<rows).reduce(0.0) { $0 - 0.5 * y[$1, 0] * solved[$1, 0] - log(factor[$1, $1]) }
        #expect(abs(fit.evidence() - density) < 1e-6 * abs(density))

        // And no other decays make the rows more probable.
        for group in alpha.indices where alpha[group] < 1e5 {
            for factor in [0.5, 2.0] {
                var other = alpha
                other[group] *= factor
                var changed = covariance
                for i in 0..<rows { for j in 0..<rows { changed[i, j] = (0...inputs).reduce(i == j ? 1 / beta : 0) { $0 + x(i, $1) * x(j, $1) / other[$1] } } }
                let solved = try changed.solve(y), factor = try changed.cholesky()
                let less = (0..<rows).reduce(0.0) { $0 - 0.5 * y[$1, 0] * solved[$1, 0] - log(factor[$1, $1]) }
                #expect(less < density + 0.05, "decay \(group)")
            }
        }
    }

    @Test func anInputThatSaysNothingIsNotHeard() throws {
        let data = try data(1_000, inputs: 2, seed: 5, { sin(2 * $0[0]) }, noise: 0.3)
        let model = try Model<Double>(.mlp(inputs: 2, hidden: [10], outputs: 1, activation: .gelu), ownsParameters: false)
        let parameters = try Parameters<Double>(count: model.layout.count)
        let trainer = try EvidenceTrainer(model, parameters, on: data, seed: 3)
        try trainer.run(until: .infinity)
        var worst = 0.0, change = 0.0
        for a in stride(from: -1.5, through: 1.5, by: 0.25) {
            func f(_ b: Double) throws -> Double {
                let x = [a, b]
                var y = [0.0]
                try x.withUnsafeBufferPointer { x in
                    try y.withUnsafeMutableBufferPointer {
                        try model.predict(MatrixView(x.baseAddress!, rows: 1, columns: 2), under: nil, parameters: parameters,
                                          into: MutableMatrixView($0.baseAddress!, rows: 1, columns: 1))
                    }
                }
                return y[0]
            }
            worst = max(worst, abs(try f(0) - sin(2 * a)))
            change += abs(try f(1) - f(-1)) / 13
        }
        #expect(worst < 0.1)
        #expect(change < 0.04)     // chance makes 0.02 of what is linear
    }

    /// However often it is interrupted, and whatever runs beside it.
    @Test func slicesChangeNothing() throws {
        let data = try data(3_000, inputs: 2, seed: 6, { tanh($0[0]) * $0[1] }, noise: 0.2)
        func learned(_ slice: Double) throws -> [Float] {
            let model = try Model<Float>(.mlp(inputs: 2, hidden: [4], outputs: 1, activation: .gelu), ownsParameters: false)
            let parameters = try Parameters<Float>(count: model.layout.count)
            let narrow = try Storage<Float>(count: 6_000, of: "x"), narrowY = try Storage<Float>(count: 3_000, of: "y")
            Float.narrow(data.x.pointer, into: narrow.pointer, count: 6_000)
            Float.narrow(data.y.pointer, into: narrowY.pointer, count: 3_000)
            let trainer = try EvidenceTrainer(model, parameters, on: Dataset(owning: narrow, columns: 2, narrowY, columns: 1), seed: 3)
            var last = 0.0
            while !trainer.isFinished {
                try trainer.run(until: now() + slice)
                #expect(trainer.progress >= last && trainer.progress <= 1)
                last = trainer.progress
            }
            return parameters.values
        }
        #expect(try learned(.infinity) == learned(0))
    }

    @Test func whatIsTooLargeIsRefused() throws {
        let data = try data(50, inputs: 2, seed: 6, { $0[0] }, noise: 0.2)
        let model = try Model<Double>(.mlp(inputs: 2, hidden: [64, 64], outputs: 1), ownsParameters: false)
        #expect(throws: EngineError.self) { try EvidenceTrainer(model, Parameters<Double>(count: model.layout.count), on: data, seed: 0) }
        #expect(!EvidenceTrainer<Double>.learnsSoon(inputs: 2, hidden: [64, 64]))
        #expect(EvidenceTrainer<Double>.learnsSoon(inputs: 22, hidden: [12]))
        #expect(!EvidenceTrainer<Double>.learnsSoon(inputs: 23, hidden: [12]))
        #expect(!EvidenceTrainer<Double>.learnsSoon(inputs: Int.max, hidden: [Int.max]))
    }
}
