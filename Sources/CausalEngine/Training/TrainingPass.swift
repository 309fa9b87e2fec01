internal import CausalKernels

/// The pass of a training step and its memory: by columns where the network and the rows allow it, else by the plan.
final class TrainingPass<Scalar: EngineScalar> {
    /// The interventions of the batch under way, by site, which come before its pass.
    var edits: [SiteEdit<Scalar>?]

    private let model: Model<Scalar>
    private let parameters: Parameters<Scalar>
    private let columns: ColumnPass<Scalar>?
    /// Of passes that are not by columns, from the first on.
    private var trace: Trace<Scalar>?
    private var isByColumns = false

    init(_ model: Model<Scalar>, _ parameters: Parameters<Scalar>) {
        self.model = model
        self.parameters = parameters
        edits = [SiteEdit<Scalar>?](repeating: nil, count: model.plan.siteWidths.count)
        columns = ColumnPass(model.plan, parameterCount: parameters.count)
    }

    /// Writes y (rows, outputs), and keeps what `backward` needs.
    func forward(_ x: MatrixView<Scalar>, into y: UnsafeMutablePointer<Scalar>) throws(EngineError) {
        isByColumns = columns?.takes(rows: x.rows, edits) ?? false
        if isByColumns { return try columns!.forward(x, edits, parameters.pointer, into: y) }
        let trace = try ownTrace()
        // The trace has the edits from here on, and the next batch writes into those it had: no array is copied.
        swap(&trace.edits, &edits)
        try trace.begin(rows: x.rows, parameters: parameters, intervention: nil)
        model.plan.forward(x.pointer, parameters: parameters.pointer, trace, into: y)
    }

    /// Writes the gradient of all parameters, or adds it, from that of y, which may be changed.
    func backward(_ dy: UnsafeMutablePointer<Scalar>, into gradient: UnsafeMutablePointer<Scalar>, accumulates: Bool) throws(EngineError) {
        if isByColumns { return columns!.backward(dy, edits, parameters.pointer, into: gradient, accumulates: accumulates) }
        try model.plan.backward(dy, parameters: parameters.pointer, trace!, into: GradientTargets(parameters: gradient, accumulates: accumulates))
    }

    private func ownTrace() throws(EngineError) -> Trace<Scalar> {
        if let trace { return trace }
        let made = try Trace<Scalar>(model.plan, of: model, isUsedUp: true)
        trace = made
        return made
    }
}
