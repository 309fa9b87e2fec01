internal import CausalKernels

/// Heads of a mechanism beside the values that were seen, checked: a loss that is minus the mean log density.
struct Likelihood<Scalar: EngineScalar> {
    private let law: NoiseLaw
    private let heads: MatrixView<Scalar>
    private let values: MatrixView<Scalar>

    init(_ law: NoiseLaw, _ arguments: LossArguments<Scalar>) throws(EngineError) {
        guard let heads = arguments.prediction else { throw EngineError(.missing, "likelihood: the prediction is missing") }
        guard let values = arguments.target else { throw EngineError(.missing, "likelihood: the target is missing") }
        guard heads.rows == values.rows, heads.rows > 0, heads.columns == law.headWidth, values.columns == 1 else {
            throw EngineError(.shape, "likelihood: prediction of shape \(heads.shape) and target of shape \(values.shape), "
                + "expected (rows, \(law.headWidth)) and (rows, 1)")
        }
        self.law = law
        self.heads = heads
        self.values = values
    }

    func mean(factor: Double, addingTo gradient: UnsafeMutablePointer<Scalar>?) -> Double {
        let width = heads.columns, scale = -factor / Double(heads.rows)
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * width) { memory in
            let head = memory.baseAddress!, slope = head + width
            var sum = 0.0
            for row in 0..<heads.rows {
                for k in 0..<width { head[k] = Double(heads.pointer[row * width + k]) }
                sum -= law.logDensity(head, Double(values.pointer[row]), gradient: gradient == nil ? nil : slope)
                if let gradient {
                    for k in 0..<width { gradient[row * width + k] += Scalar(scale * slope[k]) }
                }
            }
            return sum / Double(heads.rows)
        }
    }
}
