internal import CausalKernels

extension Loss {
    /// Checks everything that `evaluate` wants of its arguments, before a gradient is touched. `scratch` as there.
    func check<Scalar: EngineScalar>(_ arguments: LossArguments<Scalar>, scratch: inout [Scalar]) throws(EngineError) {
        for term in terms where term.counts(arguments) { try term.check(arguments, &scratch) }
    }
}

extension Loss.Term {
    /// Whether it is part of the sum, given these arguments.
    func counts<Scalar: EngineScalar>(_ arguments: LossArguments<Scalar>) -> Bool {
        guard case .counterfactual(isRequired: false) = kind else { return true }
        return arguments.counterfactualPrediction != nil && arguments.counterfactualTarget != nil
    }

    fileprivate func check<Scalar: EngineScalar>(_ arguments: LossArguments<Scalar>, _ scratch: inout [Scalar]) throws(EngineError) {
        switch kind {
        case .standard(let measure):
            try Pair(measure, arguments.prediction, arguments.target).checkClasses(nil)
        case .intervention(let measure):
            let pair = try Pair(measure, arguments.prediction, arguments.target)
            guard let mask = arguments.mask else { return try pair.checkClasses(nil) }
            try mask.check(against: pair.entries)
            guard measure == .crossEntropy else { return }
            mask.countUntouched(forEach: pair.entries, into: &scratch)
            try pair.checkClasses(scratch)
        case .counterfactual:
            _ = try Pair(.mse, arguments.prediction, arguments.target)
            _ = try Pair(.mse, arguments.counterfactualPrediction, arguments.counterfactualTarget, "counterfactual ")
        case .consistency:
            _ = try SetValues(arguments)
        case .likelihood(let law):
            _ = try Likelihood(law, arguments)
        case .independence:
            _ = try Independence(arguments)
        case .residualIndependence(let law):
            _ = try ResidualIndependence(law, arguments)
        case .twinPrediction(let law):
            _ = try TwinPrediction(law, arguments)
        case .parentSparsity(let groups):
            guard arguments.parameters != nil, let first = arguments.layout?.tensors.first, first.shape.count == 2, groups.count == first.shape[1] else {
                throw EngineError(.missing, "sparsity loss: a model with \(groups.count) inputs is missing, whose weights it looks at")
            }
        case .regularization:
            guard arguments.parameters != nil, arguments.layout != nil else {
                throw EngineError(.missing, "regularization loss: the model whose weights it sums is missing")
            }
        }
    }
}

/// A prediction beside the values that do() set it to, checked.
struct SetValues<Scalar: EngineScalar> {
    let prediction: MatrixView<Scalar>
    let mask: MatrixView<UInt8>
    let values: MatrixView<Scalar>
    /// Of the three together.
    let shape: Broadcast

    init(_ arguments: LossArguments<Scalar>) throws(EngineError) {
        guard let prediction = arguments.prediction else { throw EngineError(.missing, "consistency loss: the prediction is missing") }
        guard let mask = arguments.mask else { throw EngineError(.missing, "consistency loss: the mask is missing") }
        guard let values = arguments.values else { throw EngineError(.missing, "consistency loss: the values are missing") }
        shape = try Broadcast("consistency loss", [("prediction", prediction.rows, prediction.columns), ("mask", mask.rows, mask.columns),
                                                   ("values", values.rows, values.columns)])
        self.prediction = prediction
        self.mask = mask
        self.values = values
    }
}
