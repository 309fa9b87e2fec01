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

    /// Nothing passes through what was set: the value that it was set to gets the gradient.
    func cut<Scalar: EngineScalar>(_ gradients: UnsafeMutablePointer<Scalar>, ofValue: (_ row: Int, _ gradient: Scalar) -> Void) {
        for i in isSet.indices where isSet[i] {
            ofValue(i, gradients[i])
            gradients[i] = 0
        }
    }
}
