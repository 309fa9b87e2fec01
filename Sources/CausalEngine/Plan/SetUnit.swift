internal import CausalKernels

/// do() on one hidden unit of a network that runs on columns.
struct SetUnit {
    let layer: Int
    let unit: Int
    /// By row.
    let isSet: [Bool]
    /// By row; not looked at where nothing is set.
    let values: [Double]

    func set<Scalar: EngineScalar>(_ outputs: UnsafeMutablePointer<Scalar>) { forEachRow { outputs[$0] = Scalar(values[$0]) } }

    func forEachRow(_ body: (_ row: Int) -> Void) {
        for row in isSet.indices where isSet[row] { body(row) }
    }
}
