import CausalEngine
import CausalKernels
import Testing

/// Terms that only training uses, against differences; their values are tested beside Python's.
@Suite struct DependenceTests {
    private func number(_ k: Int) -> Double { Double((k * 7919 + 13) % 101) / 50 - 1 }

    @Test(arguments: [NoiseLaw.additive, .locationScale, .spline(pieces: 4)]) func independenceOfNoise(_ law: NoiseLaw) throws {
        let rows = 9, width = law.headWidth
        var head = (0..<rows * width).map { 0.8 * number($0) }
        let values = (0..<rows).map { number(3 * $0 + 1) }, inputs = (0..<rows * 2).map { number(5 * $0 + 2) }
        let loss = Loss.residualIndependence(law)
        func evaluate(_ gradient: UnsafeMutablePointer<Double>?) throws -> Double {
            try head.withUnsafeBufferPointer { head in
                try values.withUnsafeBufferPointer { values in
                    try inputs.withUnsafeBufferPointer { inputs in
                        var arguments = LossArguments<Double>(prediction: MatrixView(head.baseAddress!, rows: rows, columns: width),
                                                              target: MatrixView(values.baseAddress!, rows: rows, columns: 1))
                        arguments.inputs = MatrixView(inputs.baseAddress!, rows: rows, columns: 2)
                        var targets = LossGradientTargets<Double>(), scratch: [Double] = []
                        targets.prediction = gradient
                        return try loss.evaluate(arguments, into: targets, scratch: &scratch)
                    }
                }
            }
        }
        var found = [Double](repeating: 0, count: rows * width)
        #expect(try found.withUnsafeMutableBufferPointer { try evaluate($0.baseAddress) } > 0)
        for k in head.indices {
            let at = head[k], step = 1e-6
            head[k] = at + step
            let above = try evaluate(nil)
            head[k] = at - step
            let below = try evaluate(nil)
            head[k] = at
            let slope = (above - below) / (2 * step)
            #expect(abs(found[k] - slope) < 1e-6 * max(1, abs(slope)), "\(law) \(k): \(found[k]), differences \(slope)")
        }
    }

    @Test func sparsityOfParents() throws {
        let model = try Model<Double>(.mlp(inputs: 3, hidden: [4], outputs: 1), seed: 1), loss = Loss.parentSparsity([0, 0, 1])
        let pointer = model.parameters!.pointer, count = model.layout.count
        func evaluate(_ gradient: UnsafeMutablePointer<Double>?) throws -> Double {
            var arguments = LossArguments<Double>(), targets = LossGradientTargets<Double>(), scratch: [Double] = []
            arguments.parameters = UnsafePointer(pointer)
            arguments.layout = model.layout
            targets.parameters = gradient
            return try loss.evaluate(arguments, into: targets, scratch: &scratch)
        }
        var wanted = [0.0, 0.0]
        for j in 0..<4 { for i in 0..<3 { wanted[i / 2] += pointer[j * 3 + i] * pointer[j * 3 + i] } }
        #expect(abs(try evaluate(nil) - wanted[0].squareRoot() - wanted[1].squareRoot()) < 1e-12)
        var found = [Double](repeating: 0, count: count)
        _ = try found.withUnsafeMutableBufferPointer { try evaluate($0.baseAddress) }
        for k in 0..<count {
            let at = pointer[k], step = 1e-6
            pointer[k] = at + step
            let above = try evaluate(nil)
            pointer[k] = at - step
            let below = try evaluate(nil)
            pointer[k] = at
            #expect(abs(found[k] - (above - below) / (2 * step)) < 1e-8)
        }
        // A parent that is not listened to has no slope.
        for j in 0..<4 { pointer[j * 3 + 2] = 0 }
        found = [Double](repeating: 1, count: count)
        _ = try found.withUnsafeMutableBufferPointer { try evaluate($0.baseAddress) }
        #expect((0..<4).allSatisfy { found[$0 * 3 + 2] == 0 })
    }
}
