internal import CausalKernels

extension ParameterLayout {
    /// The group lasso (Yuan and Lin 2006) on the inputs of a network: the sum over groups of them, the columns of a parent each, of the length of the
    /// weights of the first layer that leave them. `scale` times its gradient is added; where all of a group are 0 it is 0.
    func groupSparsity<Scalar: EngineScalar>(_ groups: [Int], _ parameters: UnsafePointer<Scalar>, scale: Double,
                                             addingTo gradient: UnsafeMutablePointer<Scalar>?) -> Double {
        let first = tensors[0], outputs = first.shape[0], inputs = first.shape[1], weights = parameters + first.offset
        var squares = [Double](repeating: 0, count: (groups.max() ?? -1) + 1)
        for j in 0..<outputs {
            for i in 0..<inputs {
                let weight = Double(weights[j * inputs + i])
                squares[groups[i]] += weight * weight
            }
        }
        let lengths = squares.map { $0.squareRoot() }
        if let gradient = gradient.map({ $0 + first.offset }) {
            for j in 0..<outputs {
                for i in 0..<inputs where lengths[groups[i]] > 0 {
                    gradient[j * inputs + i] += Scalar(scale * Double(weights[j * inputs + i]) / lengths[groups[i]])
                }
            }
        }
        return lengths.reduce(0, +)
    }
}
