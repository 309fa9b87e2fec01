internal import CausalKernels

/// Heads of a mechanism beside the values that were seen, checked: a loss that is the mean squared error of its counterfactuals.
///
/// Of a row c that is the counterfactual of row f the noise is that of f, `u = noise(value_f; head_f)`, and so its value is predicted to be
/// `value(u; head_c)`: abduction, action, prediction, with the parents as they were seen in both. For additive noise the error is the difference
/// of the two noises, `(value_c - head_c) - (value_f - head_f)`. For other laws that difference would be in units which the mechanism chooses itself, and
/// could be made small by a wider noise alone; the error of the value cannot.
struct TwinPrediction<Scalar: EngineScalar> {
    private let law: NoiseLaw
    private let heads: MatrixView<Scalar>
    private let values: MatrixView<Scalar>
    private let twins: UnsafePointer<Int>?

    init(_ law: NoiseLaw, _ arguments: LossArguments<Scalar>) throws(EngineError) {
        guard let heads = arguments.prediction, let values = arguments.target else {
            throw EngineError(.missing, "loss of counterfactuals: the prediction or the target is missing")
        }
        guard heads.rows == values.rows, heads.columns == law.headWidth, values.columns == 1, law.isInvertible else {
            throw EngineError(.shape, "loss of counterfactuals: prediction of shape \(heads.shape) and target of shape \(values.shape), "
                + "expected (rows, \(law.headWidth)) and (rows, 1)")
        }
        self.law = law
        self.heads = heads
        self.values = values
        twins = arguments.twins
    }

    func mean(factor: Double, addingTo gradient: UnsafeMutablePointer<Scalar>?) -> Double {
        guard let twins else { return 0 }
        let width = law.headWidth, count = (0..<heads.rows).reduce(0) { $0 + (twins[$1] < 0 ? 0 : 1) }
        guard count > 0 else { return 0 }
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * width) { memory in
            let ofFactual = memory.baseAddress!, head = ofFactual + width, slopes = head + width
            var sum = 0.0
            for row in 0..<heads.rows where twins[row] >= 0 {
                let factual = twins[row], seen = Double(values.pointer[factual])
                for k in 0..<width {
                    ofFactual[k] = Double(heads.pointer[factual * width + k])
                    head[k] = Double(heads.pointer[row * width + k])
                }
                var noise = law.abduct(ofFactual, seen)
                let error = law.generate(head, &noise) - Double(values.pointer[row])
                sum += error * error
                guard let gradient else { continue }
                let slope = 2 * factor * error / Double(count)
                law.generateGradient(head, &noise, slope, into: slopes)
                for k in 0..<width { gradient[row * width + k] += Scalar(slopes[k]) }
                law.abductGradient(ofFactual, seen, slope * law.slope(head, noise), into: slopes)
                for k in 0..<width { gradient[factual * width + k] += Scalar(slopes[k]) }
            }
            return sum / Double(count)
        }
    }
}
