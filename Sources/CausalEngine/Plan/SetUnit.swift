internal import CausalKernels

/// do() on one hidden unit of a network that runs on columns.
struct SetUnit {
    let layer: Int
    let unit: Int
    /// By row.
    let isSet: [Bool]
    /// By row; not looked at where nothing is set.
    let values: [Double]

    func set<Scalar: EngineScalar>(_ outputs: UnsafeMutablePointer<Scalar>) {
        for i in isSet.indices where isSet[i] { outputs[i] = Scalar(values[i]) }
    }

    /// Nothing passes through what was set: the value that it was set to gets the gradient. The gradients are those of so many rows from one on.
    func cut<Scalar: EngineScalar>(_ gradients: UnsafeMutablePointer<Scalar>, from first: Int, rows: Int, ofValue: (_ row: Int, _ gradient: Scalar) -> Void) {
        for i in 0..<min(rows, isSet.count - first) where isSet[first + i] {
            ofValue(first + i, gradients[i])
            gradients[i] = 0
        }
    }
}
